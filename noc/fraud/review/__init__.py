"""People look at punches: the queue, the random audits, and what these say of all punches."""

"""From verdicts to a model: what is learned from, the gate, and the runs that train."""

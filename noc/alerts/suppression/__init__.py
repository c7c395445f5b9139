"""Windows in which what is known to happen makes no noise: maintenance, drills, deliveries."""

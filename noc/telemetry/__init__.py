"""Phone signals, locations, tasks, tours and checkpoints."""

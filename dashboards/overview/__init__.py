"""The parts of the overview, each drawn from one read."""

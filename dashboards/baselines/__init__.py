"""The parts of the page of baselines."""

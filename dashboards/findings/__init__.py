"""The parts of the page of findings."""

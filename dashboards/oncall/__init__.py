"""The parts of the page about who is on call."""

"""The parts of the page on which punches are reviewed."""

"""The parts of the page Administration, each with its own callbacks."""

"""Is what scores still what was trained, and what if the threshold, or the model, were another."""

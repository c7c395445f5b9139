"""Conventions of the REST interface: problems, envelopes, cursors, caches."""

"""Punches: how they come in and what they must satisfy."""

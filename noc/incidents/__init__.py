"""Correlation of signals and alerts into incidents."""

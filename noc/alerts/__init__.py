"""Alerts: one way in, one life cycle."""

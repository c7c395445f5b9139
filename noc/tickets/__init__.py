"""Tickets and their workflow."""

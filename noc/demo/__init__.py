"""Simulated tenants, honest about being simulated."""

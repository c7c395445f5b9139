"""Tenants, users, roles and capabilities, sessions, API tokens."""

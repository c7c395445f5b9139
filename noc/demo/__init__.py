"""Simulated tenants: guards, phones and sites behave; features and scores are the product's.

Nothing here writes a prediction, an anomaly, an alert or a ticket of its own: what the punches
and signals lead to is decided by the same code as for a real customer.
"""

"""The models of a tenant: versions, the gate, the active one and its shadow, and how they serve."""

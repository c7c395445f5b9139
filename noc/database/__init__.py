"""The database: declarative base, tenancy, partitions, roles."""

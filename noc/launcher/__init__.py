"""``noc up``: the embedded PostgreSQL and Redis, and every process of the product, in one."""

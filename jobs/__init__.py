"""RQ jobs: one module a family, the schedule, the worker."""

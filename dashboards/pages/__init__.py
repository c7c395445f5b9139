"""The pages: each module has ``TITLE``, ``layout`` and ``register``."""

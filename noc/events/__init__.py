"""The event log, ``emit``, and the feed that tells of it live."""

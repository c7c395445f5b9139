"""``noc import``: punches and tracks out of files, of any age, safe to repeat."""

from noc.importing.commands import import_group

__all__ = ["import_group"]

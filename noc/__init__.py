"""NOC Intelligence: the Flask application. Importing it opens no connection and reads no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apiflask import APIFlask

    from noc.settings import Settings


def create_app(config: Settings | None = None) -> APIFlask:
    """The application with REST and feed; ``wsgi`` mounts the dashboards on top.

    Opens no connection. ``config`` defaults to the environment (``noc.settings.load_settings``).
    """
    # Imported here, so that a command which needs one module of the package loads just that.
    from noc.factory import build

    return build(config)

"""How JSON is written, times as ISO 8601 and members in the order they were given, and read."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider


def _default(value: Any) -> Any:
    # Flask writes HTTP dates, which no other part of the API speaks.
    if isinstance(value, dt.date):
        return value.isoformat()
    return DefaultJSONProvider.default(value)


class IsoJson(DefaultJSONProvider):
    """Flask's JSON with ISO 8601 times, without sorting, and with nesting that has an end."""

    default = staticmethod(_default)
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of ``s``; ValueError for what is not JSON, or nested beyond all reason."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("is nested too deeply") from error


def init_app(app: Flask) -> None:
    """Let the app answer so."""
    app.json = IsoJson(app)

"""How answers are written as JSON: times as ISO 8601, members in the order they were given."""

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
    """Flask's encoder with ISO 8601 times, and without sorting."""

    default = staticmethod(_default)
    sort_keys = False


def init_app(app: Flask) -> None:
    """Let the app answer so."""
    app.json = IsoJson(app)

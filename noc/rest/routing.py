"""Ids in paths."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter

from noc.rest.keyset import BIGGEST_ID, ID_DIGITS

NOBODY = 0
"""The id of nothing: ids begin at 1."""


class IdConverter(IntegerConverter):
    """``<int:...>``: a number beyond the biggest id there can be is the id of nothing.

    So the view answers it as any other id that it does not find.
    """

    def to_python(self, value: str) -> int:
        """The id; never more than PostgreSQL's bigint holds."""
        digits = value.lstrip("0")
        return NOBODY if len(digits) > ID_DIGITS or int(value) > BIGGEST_ID else int(value)


def init_app(app: Flask) -> None:
    """Use it for every path registered from here on."""
    app.url_map.converters["int"] = IdConverter

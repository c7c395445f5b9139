"""Ids in paths."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from noc.rest.keyset import BIGGEST_ID, ID_DIGITS


class IdConverter(IntegerConverter):
    """``<int:...>`` up to the biggest id there can be: nothing is found beyond it, so 404."""

    regex = rf"\d{{1,{ID_DIGITS}}}"

    def __init__(self, url_map: Map, max: int = BIGGEST_ID, **options: Any) -> None:
        super().__init__(url_map, max=max, **options)


def init_app(app: Flask) -> None:
    """Use it for every path registered from here on."""
    app.url_map.converters["int"] = IdConverter

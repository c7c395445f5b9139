"""How JSON is written, times as ISO 8601 and members in the order they were given, and read."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import orjson
from flask import Flask, Request, Response
from flask.json.provider import DefaultJSONProvider

from noc.rest.problems import Problem, not_json


def _default(value: Any) -> Any:
    # Flask writes HTTP dates, which no other part of the API speaks.
    if isinstance(value, dt.date):
        return value.isoformat()
    return DefaultJSONProvider.default(value)


def _encoded(value: Any) -> bytes:
    """The value as JSON: a fifth of the time that the standard library takes."""
    try:
        return orjson.dumps(value, _default, orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Whole numbers beyond 64 bits, and halves of characters in a text that is quoted back.
        return json.dumps(value, default=_default).encode()


class IsoJson(DefaultJSONProvider):
    """Flask's JSON with ISO 8601 times, without sorting, and with nesting that has an end."""

    default = staticmethod(_default)
    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """``obj`` as JSON; a number that is none becomes null."""
        return super().dumps(obj, **kwargs) if kwargs else _encoded(obj).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """An answer of the arguments, as ``jsonify`` takes them."""
        body = _encoded(self._prepare_response_obj(args, kwargs))
        return Response(body + b"\n", mimetype=self.mimetype)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of ``s``; ValueError for what is not JSON, or nested beyond all reason."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("is nested too deeply") from error


class JsonRequest(Request):
    """Flask's request, whose JSON is there and is JSON, or refused in the same words always."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body's value. Problem 400 for what is not JSON, 422 for a bare ``null``.

        ``force`` is how bodies of the interface are read, whatever they call themselves.
        """
        value = super().get_json(force=force, silent=silent, cache=cache)
        if value is None and force and not silent:
            # The library would take it for {}, and a PUT of nothing would make something.
            raise Problem(
                422,
                "The request was not accepted.",
                errors=[{"field": "body", "reason": "must be a JSON object"}],
            )
        return value

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Problem 400."""
        if not self.get_data(cache=True).strip():
            raise not_json("is empty")
        if isinstance(e, json.JSONDecodeError):
            raise not_json(f"cannot be read at line {e.lineno} column {e.colno}: {e.msg}")
        raise not_json("cannot be read" if e else "is not called application/json")


def init_app(app: Flask) -> None:
    """Let the app read and answer so."""
    app.json = IsoJson(app)
    app.request_class = JsonRequest

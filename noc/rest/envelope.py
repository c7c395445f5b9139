"""The success envelope, and keyset pagination."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from typing import Any

from flask import request
from pydantic import TypeAdapter

from noc.rest.problems import Problem
from noc.rest.quantities import UtcMoment

DEFAULT_LIMIT = 50
MAX_LIMIT = 500

_MAX_CURSOR = 500
"""Characters; those that are given out have about a hundred."""

_KEY: TypeAdapter[tuple[dt.datetime, str | int]] = TypeAdapter(tuple[UtcMoment, str | int])


def success(data: Any, *, cached: bool = False, pagination: dict[str, Any] | None = None) -> Any:
    """``{"status": "success", "data": ..., "cached": bool}``, with ``pagination`` on lists."""
    body: dict[str, Any] = {"status": "success", "data": data, "cached": cached}
    if pagination is not None:
        body["pagination"] = pagination
    return body


def page_limit() -> int:
    """``?limit=`` of the request, 1 to 500, default 50; 422 for anything else."""
    raw = request.args.get("limit", str(DEFAULT_LIMIT))
    if not raw.isdecimal() or len(raw) > 3 or not 1 <= int(raw) <= MAX_LIMIT:
        raise Problem(
            422,
            "The limit is not usable.",
            errors=[{"field": "limit", "reason": f"must be a whole number from 1 to {MAX_LIMIT}"}],
        )
    return int(raw)


def encode_cursor(*key: Any) -> str:
    """An opaque cursor for the sort key of a list's last row."""
    parts = [part.isoformat() if isinstance(part, dt.datetime) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps(parts, default=str).encode()).decode().rstrip("=")


def decode_cursor(name: str = "cursor") -> tuple[dt.datetime, str] | None:
    """``?cursor=`` of the request as (moment, id as text); None without one; 422 if forged."""
    raw = request.args.get(name)
    if not raw:
        return None
    try:
        if len(raw) > _MAX_CURSOR:
            raise ValueError("is longer than any that is given out")
        padded = raw + "=" * (-len(raw) % 4)
        at, key = _KEY.validate_python(json.loads(base64.urlsafe_b64decode(padded)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Problem(
            422,
            "The cursor is not usable.",
            errors=[{"field": name, "reason": "was not given out by this list"}],
        ) from error
    return at, str(key)

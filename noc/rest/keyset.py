"""Lists of rows, newest first, a page at a time and flat in cost however far one turns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, tuple_

from noc.rest.envelope import decode_cursor, encode_cursor
from noc.rest.problems import Problem

Key = tuple[dt.datetime, int]
"""The sort key of a row: its moment, and its id where moments are equal."""

BIGGEST_ID = 2**63 - 1
"""Ids are PostgreSQL's bigint; beyond it nothing can be found."""

ID_DIGITS = 19
"""Python refuses to read numbers of thousands of digits, so longer ones are not tried."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list and the key to go on from, None on the last page."""

    items: list[dict[str, Any]]
    after: Key | None

    def pagination(self, limit: int) -> dict[str, Any]:
        """The ``pagination`` member of the answer."""
        return {"next_cursor": encode_cursor(*self.after) if self.after else None, "limit": limit}


def cursor_key() -> Key | None:
    """``?cursor=`` of the request as a key; None without one; 422 if this list never gave it."""
    cursor = decode_cursor()
    if cursor is None:
        return None
    moment, key = cursor
    if not key.isdecimal() or len(key) > ID_DIGITS or int(key) > BIGGEST_ID:
        raise Problem(
            422,
            "The cursor is not usable.",
            errors=[{"field": "cursor", "reason": "was not given out by this list"}],
        )
    return moment, int(key)


def uuid_cursor_key() -> tuple[dt.datetime, uuid.UUID] | None:
    """The same of a list whose rows have UUIDs."""
    cursor = decode_cursor()
    if cursor is None:
        return None
    try:
        return cursor[0], uuid.UUID(cursor[1])
    except ValueError as error:
        raise Problem(
            422,
            "The cursor is not usable.",
            errors=[{"field": "cursor", "reason": "was not given out by this list"}],
        ) from error


def newest_first(
    query: Select[Any],
    moment: ColumnElement[dt.datetime] | Any,
    key: ColumnElement[int] | Any,
    *,
    limit: int,
    after: Key | None,
) -> Select[Any]:
    """``query`` ordered by ``moment`` and ``key``, latest first, from behind ``after``.

    Asks for one row more than ``limit``: that row tells whether there is a next page.
    """
    if after is not None:
        query = query.where(tuple_(moment, key) < tuple_(*after))
    return query.order_by(moment.desc(), key.desc()).limit(limit + 1)


def page_of(rows: Sequence[Mapping[str, Any]], moment: str, *, limit: int) -> Page:
    """The page in the rows that a :func:`newest_first` query gave."""
    items = [dict(row) for row in rows[:limit]]
    after = (items[-1][moment], items[-1]["id"]) if len(rows) > limit else None
    return Page(items, after)

"""How old something is, as lists are narrowed to it and counted by it."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from sqlalchemy import case


class Age(NamedTuple):
    """From ``since`` hours ago (None: from the beginning) up to ``until`` hours ago."""

    label: str
    since: float | None
    until: float


AGES = {
    "1h": Age("Under 1\u00a0h", 1, 0),
    "8h": Age("1 to 8\u00a0h", 8, 1),
    "1d": Age("8\u00a0h to 1\u00a0day", 24, 8),
    "older": Age("Over 1\u00a0day", None, 24),
}
"""Ages that exclude each other, youngest first."""

CHOICES = AGES | {"24h": Age("Under 1 day", 24, 0)}
"""What lists can be narrowed to."""

DATA = [{"value": code, "label": age.label} for code, age in CHOICES.items()]
"""The choices as a control has them."""


def period(code: str | None, now: dt.datetime) -> dict[str, dt.datetime]:
    """``since`` and ``until`` of the age, as filters take them; nothing for no age."""
    age = CHOICES.get(code or "")
    if age is None:
        return {}
    found = {}
    if age.since is not None:
        found["since"] = now - dt.timedelta(hours=age.since)
    if age.until:
        found["until"] = now - dt.timedelta(hours=age.until)
    return found


def of(moment: Any, now: dt.datetime) -> Any:
    """The code of :data:`AGES` for a column of moments, in SQL."""
    bounds = [
        (moment >= now - dt.timedelta(hours=age.since), code)
        for code, age in AGES.items()
        if age.since is not None
    ]
    return case(*bounds, else_="older")

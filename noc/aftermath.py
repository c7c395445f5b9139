"""What one word sets off elsewhere, and what comes of taking it back, as histories keep it.

Whoever resolves something tells those above by a signal, and they answer with what they did:
a *set-off*, a mapping with the moment ``at`` (ISO 8601) and any of

``labels``    ids of punches that got their verdict by it
``findings``  ids of findings that were resolved with it
``alerts``    alerts that were, by id: the entry of their history
``tickets``   tickets that were, by id: the version that it made

Taking the word back is answered with what was *taken back*: lists of ids under the same names, and
``left``, what could not be, each with ``kind``, ``id`` and ``reason``. Keys are text, as in JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

KINDS = ("labels", "findings", "alerts", "tickets")

SetOff = Mapping[str, Any]
TakenBack = Mapping[str, Any]


def joined(answers: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """The answers as one: lists in a row, mappings in one; what is empty is left out."""
    told: dict[str, Any] = {}
    for answer in answers:
        for name, value in (answer or {}).items():
            if not value:
                continue
            held = told.get(name)
            if isinstance(value, Mapping):
                told[name] = {**(held or {}), **value}
            elif isinstance(value, list):
                told[name] = [*(held or []), *value]
            else:
                told[name] = value
    return told


def answered(sent: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """What the listeners of a signal answered, as :func:`joined`."""
    return joined(answer for _, answer in sent)


def set_off(sent: Iterable[tuple[Any, Any]], at: dt.datetime) -> dict[str, Any]:
    """What they did at that moment; empty where they did nothing."""
    told = answered(sent)
    return {"at": at.isoformat(), **told} if told else {}


def moment(of: SetOff) -> dt.datetime:
    """When it was set off, to the microsecond: what was resolved then, was by it."""
    return dt.datetime.fromisoformat(of["at"])


def left(kind: str, key: int, reason: str) -> dict[str, Any]:
    """Something that could not be taken back."""
    return {"kind": kind, "id": key, "reason": reason}

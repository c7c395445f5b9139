"""The life of an alert, as data: which action leads from which status to which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from noc.alerts.models import STATUSES, Alert

Action = Literal[
    "acknowledge", "assign", "shelve", "unshelve", "lapse", "resolve", "reopen", "note", "undo"
]

TRANSITIONS: Mapping[Action, Mapping[str, str]] = MappingProxyType(
    {
        "acknowledge": {
            "NEW": "ACKNOWLEDGED",
            "ACKNOWLEDGED": "ACKNOWLEDGED",
            "SHELVED": "ACKNOWLEDGED",
        },
        "assign": {
            "NEW": "ASSIGNED",
            "ACKNOWLEDGED": "ASSIGNED",
            "ASSIGNED": "ASSIGNED",
            "SHELVED": "ASSIGNED",
        },
        "shelve": {
            "NEW": "SHELVED",
            "ACKNOWLEDGED": "SHELVED",
            "ASSIGNED": "SHELVED",
            "SHELVED": "SHELVED",
        },
        "unshelve": {"SHELVED": "NEW"},
        "lapse": {"ACKNOWLEDGED": "NEW"},
        "resolve": {
            "NEW": "RESOLVED",
            "ACKNOWLEDGED": "RESOLVED",
            "ASSIGNED": "RESOLVED",
            "SHELVED": "RESOLVED",
        },
        "reopen": {"RESOLVED": "NEW", "SHELVED": "NEW", "ACKNOWLEDGED": "NEW"},
        "note": {status: status for status in STATUSES},
    }
)
"""Status after each action, by status before it; an action that is not there is not allowed.

Shelving follows ISA-18.2: an alert put on the shelf comes back by itself when its time is over
(``unshelve``), as NEW, for somebody to look at. So does one that was acknowledged and left
(``lapse``).
"""

UNDOABLE: frozenset[str] = frozenset({"acknowledge", "assign", "shelve", "resolve"})
"""What :mod:`noc.alerts.undoing` takes back; the history keeps what was before it."""

_BY_TIME = frozenset({"unshelve", "lapse"})
"""What nobody does: it comes by itself."""


def allowed_actions(status: str) -> list[str]:
    """What can be done with an alert of this status."""
    return [
        action
        for action, moves in TRANSITIONS.items()
        if status in moves and action not in _BY_TIME
    ]


@dataclass(frozen=True, slots=True)
class Step:
    """One action, to be taken on one alert or on many.

    ``assignee_id`` for assign, ``until`` for shelve, ``resolution`` for resolve, ``note`` for
    note and, if there is something to say, for each of the others.
    """

    action: Action
    now: dt.datetime
    user_id: int | None = None
    note: str | None = None
    assignee_id: int | None = None
    until: dt.datetime | None = None
    resolution: str | None = None


def values_after(step: Step) -> dict[str, Any]:
    """What the step sets, the same on every alert, besides the status."""
    acknowledged = {"acknowledged_at": step.now, "acknowledged_by": step.user_id}
    resolved = {"resolved_at": step.now, "resolved_by": step.user_id}
    # Whoever looks next knows whom to ask: the assignee stays on record.
    anew = {**dict.fromkeys((*acknowledged, *resolved, "resolution")), "shelved_until": None}
    values: dict[Action, dict[str, Any]] = {
        "acknowledge": {**acknowledged, "shelved_until": None},
        "assign": {"assignee_id": step.assignee_id, "shelved_until": None},
        "shelve": {"shelved_until": step.until},
        "unshelve": anew,
        "lapse": anew,
        "resolve": {"resolution": step.resolution, **resolved, "shelved_until": None},
        "reopen": anew,
        "note": {},
        "undo": {},
    }
    return values[step.action]


def before(step: Step, alert: Alert) -> dict[str, Any]:
    """What the step is about to write over, as JSON has it; what was empty is left out."""
    found = {name: getattr(alert, name) for name in values_after(step)}
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in found.items()
        if value is not None
    }


def is_so_already(step: Step, alert: Alert) -> bool:
    """Whether the step, taken again, would say nothing new."""
    if step.action == "note" or TRANSITIONS[step.action].get(alert.status) != alert.status:
        return False
    if step.action == "assign":
        return alert.assignee_id == step.assignee_id
    if step.action == "shelve":
        return alert.shelved_until == step.until
    return True

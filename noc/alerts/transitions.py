"""The life of an alert, as data: which action leads from which status to which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from noc.alerts.models import STATUSES, Alert

Action = Literal["acknowledge", "assign", "shelve", "unshelve", "resolve", "reopen", "note"]

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
        "resolve": {
            "NEW": "RESOLVED",
            "ACKNOWLEDGED": "RESOLVED",
            "ASSIGNED": "RESOLVED",
            "SHELVED": "RESOLVED",
        },
        "reopen": {"RESOLVED": "NEW", "SHELVED": "NEW"},
        "note": {status: status for status in STATUSES},
    }
)
"""Status after each action, by status before it; an action that is not there is not allowed.

Shelving follows ISA-18.2: an alert put on the shelf comes back by itself when its time is over
(``unshelve``), as NEW, for somebody to look at.
"""


def allowed_actions(status: str) -> list[str]:
    """What can be done with an alert of this status."""
    return [
        action for action, moves in TRANSITIONS.items() if status in moves and action != "unshelve"
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


def _acknowledged(step: Step, alert: Alert) -> dict[str, Any]:
    if alert.status == "ACKNOWLEDGED":
        return {}
    return {
        "acknowledged_at": step.now,
        "acknowledged_by": step.user_id,
        "shelved_until": None,
    }


def _resolved(step: Step, _: Alert) -> dict[str, Any]:
    return {
        "resolution": step.resolution,
        "resolved_at": step.now,
        "resolved_by": step.user_id,
        "shelved_until": None,
    }


def _anew(_: Step, __: Alert) -> dict[str, Any]:
    # The assignee stays on record: whoever looks next knows whom to ask.
    return {
        "acknowledged_at": None,
        "acknowledged_by": None,
        "shelved_until": None,
        "resolution": None,
        "resolved_at": None,
        "resolved_by": None,
    }


EFFECTS: Mapping[Action, Callable[[Step, Alert], dict[str, Any]]] = {
    "acknowledge": _acknowledged,
    "assign": lambda step, _: {"assignee_id": step.assignee_id, "shelved_until": None},
    "shelve": lambda step, _: {"shelved_until": step.until},
    "unshelve": _anew,
    "resolve": _resolved,
    "reopen": _anew,
    "note": lambda _, __: {},
}
"""What each action sets besides the status."""

"""The workflow of tickets, as data: which status may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from noc.rest.problems import Problem
from noc.tickets.models import OPEN_STATUSES, STATUSES

TRANSITIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "NEW": ("ASSIGNED", "IN_PROGRESS", "ON_HOLD", "RESOLVED", "CANCELLED"),
        "ASSIGNED": ("NEW", "IN_PROGRESS", "ON_HOLD", "RESOLVED", "CANCELLED"),
        "IN_PROGRESS": ("ASSIGNED", "ON_HOLD", "RESOLVED", "CANCELLED"),
        "ON_HOLD": ("ASSIGNED", "IN_PROGRESS", "RESOLVED", "CANCELLED"),
        "RESOLVED": ("IN_PROGRESS", "CLOSED"),
        "CLOSED": (),
        "CANCELLED": (),
    }
)
"""Statuses that may follow each. RESOLVED to IN_PROGRESS is reopening; CLOSED and CANCELLED end."""

VERDICTS = ("CONFIRMED", "FALSE_POSITIVE")
"""What a resolver may say of a single punch."""


def is_open(status: str) -> bool:
    """Whether work on a ticket of this status is still to be done."""
    return status in OPEN_STATUSES


def check_move(old_status: str, new_status: str) -> None:
    """Problem 409, naming what is allowed, for a move not in the table; 422 for no status."""
    if new_status not in STATUSES:
        reason = f"must be one of {', '.join(STATUSES)}"
        raise Problem(
            422, "There is no such status.", errors=[{"field": "status", "reason": reason}]
        )
    allowed = TRANSITIONS[old_status]
    if new_status not in allowed:
        raise Problem(
            409,
            f"A ticket cannot go from {old_status} to {new_status}. "
            f"Possible: {', '.join(allowed) or 'nothing, it has ended'}.",
            current_status=old_status,
            allowed=list(allowed),
        )


def check_open(status: str, what: str) -> None:
    """Problem 409 where something asks for an open ticket and it is not."""
    if not is_open(status):
        allowed = TRANSITIONS[status]
        raise Problem(
            409,
            f"A ticket that is {status} cannot be {what}. "
            f"Possible: {', '.join(allowed) or 'nothing, it has ended'}.",
            current_status=status,
            allowed=list(allowed),
        )

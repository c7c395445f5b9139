"""Which events are news to somebody who is not looking, and how grave they are.

Whoever emits an event knows what has happened (an alert that was reopened and one that was noted
upon are both ``alert_updated``), so it says so there; ``noc.notifications`` decides who is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from blinker import Signal

from noc.domain import Severity
from noc.events.appending import Row

NewsKind = Literal[
    "alert_opened",
    "alert_escalated",
    "alert_reopened",
    "alert_unmuted",
    "alert_returned",
    "escalation_exhausted",
    "ticket_opened",
    "ticket_assigned",
    "ticket_overdue",
    "incident_identified",
    "finding_opened",
]
NEWS_KINDS: tuple[NewsKind, ...] = get_args(NewsKind)

EVENT_TYPE: Mapping[str, str] = MappingProxyType(
    {
        "alert_opened": "alert_created",
        "alert_escalated": "alert_updated",
        "alert_reopened": "alert_updated",
        "alert_unmuted": "alert_updated",
        "alert_returned": "alert_updated",
        "escalation_exhausted": "alert_updated",
        "ticket_opened": "ticket_updated",
        "ticket_assigned": "ticket_updated",
        "ticket_overdue": "ticket_updated",
        "incident_identified": "correlation_identified",
        "finding_opened": "finding_created",
    }
)
"""The type of the feed's frame that each kind of news comes with."""


@dataclass(frozen=True, slots=True)
class News:
    """What has happened, in one word, and its severity; of a ticket, its priority."""

    kind: NewsKind
    severity: Severity


@dataclass(frozen=True, slots=True)
class Told:
    """News and the row of the log that it stands in."""

    news: News
    row: Row


news_committing = Signal()
"""Sent inside the transaction that logs them, just before its commit, with ``current`` (the

session), ``tenant_id`` and ``told``, a list of :class:`Told`. The tenant is named. Listeners write
with the transaction; one that raises takes the domain's work down with it.
"""

"""What is locked together when one word goes for a ticket, its findings and their alerts.

The word may be said of any of them, and each is locked first where it is said. So whoever is about
to say it locks all that it may reach before anything else, in the order that holds everywhere:
alerts by key, findings by id, slots by name, tickets by id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import select, text

from noc.alerts.steps import lock_alerts
from noc.audit.models import Finding
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.problems import Problem
from noc.tickets import slots
from noc.tickets.locking import lock_tickets

FALSE_POSITIVE = "FALSE_POSITIVE"
"""The word that goes for all of them."""

_TRIES = 10

# Open findings of what the word is said of, and of the alerts that end with these; their tickets.
_REACHED = text(
    """
    WITH said AS MATERIALIZED (
        SELECT id, alert_id, escalation_ticket_id FROM audit_finding
        WHERE tenant_id = :tenant AND status <> 'RESOLVED' AND (
            id = ANY(CAST(:findings AS bigint[])) OR alert_id = ANY(CAST(:alerts AS bigint[]))
            OR escalation_ticket_id = ANY(CAST(:tickets AS bigint[])))
    ), reached AS MATERIALIZED (
        SELECT id, alert_id, escalation_ticket_id FROM said
        UNION
        SELECT f.id, f.alert_id, f.escalation_ticket_id FROM audit_finding f
        JOIN said ON said.alert_id = f.alert_id
        WHERE f.tenant_id = :tenant AND f.status <> 'RESOLVED'
    )
    SELECT 'finding' AS kind, id FROM reached
    UNION SELECT 'alert', alert_id FROM reached WHERE alert_id IS NOT NULL
    UNION SELECT 'ticket', escalation_ticket_id FROM reached WHERE escalation_ticket_id IS NOT NULL
    """
)

_speaking: ContextVar[bool] = ContextVar("speaking", default=False)


@contextmanager
def speaking() -> Iterator[None]:
    """What is done meanwhile is done by the audit itself: it goes no further from there."""
    token = _speaking.set(True)
    try:
        yield
    finally:
        _speaking.reset(token)


def is_speaking() -> bool:
    """Whether the audit itself resolves or reopens just now."""
    return _speaking.get()


def hold(
    *,
    findings: Collection[int] = (),
    alerts: Collection[int] = (),
    tickets: Collection[int] = (),
) -> None:
    """Lock all that a false positive said of these will reach, until the transaction ends.

    Of these themselves nothing need be there, or open. Where alerts have no findings nothing is
    locked: the word reaches nobody. What comes to be linked while we wait for locks makes us let go
    and begin again with it: taken later, it would be out of order. Problem 409 where that goes on.
    """
    asked = {
        "tenant": required_tenant(),
        "findings": sorted(findings),
        "alerts": sorted(alerts),
        "tickets": sorted(tickets),
    }
    known = _reached(asked)
    for _ in range(_TRIES):
        if not known and not tickets:
            return
        savepoint = session().begin_nested()
        _lock(known, tickets)
        found = _reached(asked)
        if found <= known:
            savepoint.commit()
            return
        savepoint.rollback()
        known |= found
    raise Problem(409, "Others are at work on the same: try again.")


def _reached(asked: dict[str, Any]) -> set[tuple[str, int]]:
    return {(row.kind, row.id) for row in session().execute(_REACHED, asked)}


def _lock(known: Collection[tuple[str, int]], tickets: Collection[int]) -> None:
    by_kind: dict[str, list[int]] = {"alert": [], "finding": [], "ticket": [*tickets]}
    for kind, key in known:
        by_kind[kind].append(key)
    if by_kind["alert"]:
        lock_alerts(sorted(by_kind["alert"]), None)
    lock_findings(by_kind["finding"])
    hold_tickets(by_kind["ticket"])


def lock_findings(finding_ids: Collection[int]) -> None:
    """Lock findings in the order of their ids."""
    session().execute(
        select(Finding.id)
        .where(Finding.tenant_id == required_tenant(), Finding.id.in_(sorted(finding_ids)))
        .order_by(Finding.id)
        .with_for_update(key_share=True)
    )


def hold_tickets(ticket_ids: Collection[int]) -> None:
    """Lock tickets with the slots that they hold."""
    if ticket_ids:
        slots.lock(ticket_ids)
        lock_tickets(sorted(set(ticket_ids)))

"""The guard's side: what a guard says about a punch, written down by somebody on their behalf.

It is a comment of the punch's ticket, so that whoever decides there reads it. A punch that never
had a ticket gets one by it: a complaint against a verdict must land with somebody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.labels import FRAUD_CATEGORY
from noc.rest.problems import not_found
from noc.tickets import workflow
from noc.tickets.workflow import TicketDraft, open_once

GUARD = "guard"

SLOT_HOURS = 90 * 24
"""So long one open ticket takes all that the guard says about a punch which had none."""

_PUNCH = text(
    """
    SELECT e.id, e.person_id, e.site_id, p.name AS person_name, (
        SELECT v.ticket_id FROM ticket_evidence v
        JOIN ticket t ON t.tenant_id = v.tenant_id AND t.id = v.ticket_id
        WHERE v.tenant_id = :tenant AND v.kind = 'punch' AND v.ref = CAST(e.id AS text)
          AND (CAST(:sites AS bigint[]) IS NULL OR t.site_id = ANY(:sites))
        ORDER BY t.status IN ('RESOLVED', 'CLOSED', 'CANCELLED'), t.id DESC LIMIT 1
    ) AS ticket_id
    FROM attendance_event e
    JOIN person p ON p.tenant_id = e.tenant_id AND p.id = e.person_id
    WHERE e.tenant_id = :tenant AND e.id = :punch AND e.voided_at IS NULL
      AND (CAST(:sites AS bigint[]) IS NULL OR e.site_id = ANY(:sites))
    """
)
_OF_PUNCH = text(
    """
    SELECT c.at, c.comment, u.name AS user_name, c.detail->>'said_by' AS said_by,
        t.id AS ticket_id, t.number, t.status
    FROM ticket_evidence v
    JOIN ticket t ON t.tenant_id = v.tenant_id AND t.id = v.ticket_id
    JOIN ticket_event c ON c.tenant_id = t.tenant_id AND c.ticket_id = t.id
    LEFT JOIN noc_user u ON u.tenant_id = c.tenant_id AND u.id = c.user_id
    WHERE v.tenant_id = :tenant AND v.kind = 'punch' AND v.ref = :punch
      AND c.comment IS NOT NULL AND c.comment <> ''
      AND (CAST(:sites AS bigint[]) IS NULL OR t.site_id = ANY(:sites))
    ORDER BY c.at DESC, c.id DESC LIMIT :limit
    """
)
_OF_PERSON = text(
    """
    SELECT c.at, c.comment, u.name AS user_name, t.id AS ticket_id, t.number, t.status
    FROM ticket t
    JOIN ticket_event c ON c.tenant_id = t.tenant_id AND c.ticket_id = t.id
    LEFT JOIN noc_user u ON u.tenant_id = c.tenant_id AND u.id = c.user_id
    WHERE t.tenant_id = :tenant AND t.person_id = :person
      AND c.action = 'comment' AND c.detail->>'said_by' = 'guard'
      AND (CAST(:sites AS bigint[]) IS NULL OR t.site_id = ANY(:sites))
    ORDER BY c.at DESC, c.id DESC LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class Heard:
    """Where it was written down: the ticket, its status, and whether it was opened for it."""

    ticket_id: int
    number: str
    status: str
    opened: bool


def hear(
    punch_id: int,
    words: str,
    *,
    tenant_id: int,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Heard:
    """Write down what the guard says about a punch, as a comment of its ticket.

    Of several tickets an open one, else the newest; where there is none one is opened, by hand
    and of low priority. Two at once write on one ticket: its slot decides. Problem 404 for a
    punch that is not there, voided or out of sight, 422 for no words. The caller commits.
    """
    punch = session().execute(_PUNCH, _scope(tenant_id, site_ids, punch=punch_id)).one_or_none()
    if punch is None:
        raise not_found("punch")
    ticket_id, opened = punch.ticket_id, False
    if ticket_id is None and words.strip():
        draft = TicketDraft(
            title=f"The guard's side: {punch.person_name}",
            description="Opened to write down what the guard says about a punch.",
            priority="LOW",
            category=FRAUD_CATEGORY,
            source="MANUAL",
            site_id=punch.site_id,
            person_id=punch.person_id,
            evidence=(("punch", str(punch.id)),),
            slot=f"guard-side|{punch.id}",
            slot_hours=SLOT_HOURS,
        )
        (found,) = open_once([draft], now=now, user_id=user_id)
        ticket_id, opened = found.ticket_id, found.created
    ticket = workflow.comment(
        ticket_id, words, user_id=user_id, now=now, site_ids=site_ids, said_by=GUARD
    )
    return Heard(ticket.id, ticket.number, ticket.status, opened)


def said_about(
    punch_id: int, *, tenant_id: int, site_ids: Collection[int] | None = None, limit: int = 10
) -> list[dict[str, Any]]:
    """What was written about a punch on its tickets, latest first; ``said_by`` names the guard.

    One query.
    """
    scope = _scope(tenant_id, site_ids, punch=str(punch_id), limit=limit)
    return [dict(row) for row in session().execute(_OF_PUNCH, scope).mappings()]


def said_by(
    person_id: int, *, tenant_id: int, site_ids: Collection[int] | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """What a guard said, on whichever ticket, latest first. One query."""
    scope = _scope(tenant_id, site_ids, person=person_id, limit=limit)
    return [dict(row) for row in session().execute(_OF_PERSON, scope).mappings()]


def _scope(tenant_id: int, site_ids: Collection[int] | None, **more: Any) -> dict[str, Any]:
    return {"tenant": tenant_id, "sites": None if site_ids is None else sorted(site_ids), **more}

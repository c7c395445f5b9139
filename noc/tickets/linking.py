"""What people link to tickets, and what they unlink because it does not belong there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from noc.rest.problems import Problem, not_found
from noc.tickets.evidence import Link, can_be, exists, link, unlink
from noc.tickets.history import record
from noc.tickets.locking import find_locked
from noc.tickets.models import EVIDENCE_KINDS
from noc.tickets.signals import evidence_changed, evidence_changing
from noc.tickets.transitions import check_open


def add_evidence(
    ticket_id: int,
    evidence: Sequence[Link],
    *,
    user_id: int | None,
    now: dt.datetime,
    note: str | None = None,
    site_ids: Collection[int] | None = None,
    version: int | None = None,
) -> list[Link]:
    """Link evidence to an open ticket; what was new to it. Linking twice is the same as once.

    404; 409 for a ticket that is not open, or has changed since ``version``; 422 for a kind there
    is not. Whether what is named exists is ``noc.tickets.evidence.must_exist``'s to say.
    """
    for kind, _ in evidence:
        if kind not in EVIDENCE_KINDS:
            reason = f"a kind is one of {', '.join(EVIDENCE_KINDS)}"
            errors = [{"field": "evidence", "reason": reason}]
            raise Problem(422, "The ticket was not changed.", errors=errors)
    evidence_changing.send("tickets", ticket_id=ticket_id, links=list(evidence))
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    check_open(ticket.status, "given evidence")
    new = link({ticket.id: evidence}, now=now, note=note).get(ticket.id, [])
    if new:
        detail = {"evidence": new}
        record(ticket, "evidence", ticket.status, user_id, now, comment=note, detail=detail)
        evidence_changed.send("tickets", ticket=ticket, links=new, linked=True, now=now)
    return new


def remove_evidence(
    ticket_id: int,
    evidence: Link,
    *,
    user_id: int | None,
    now: dt.datetime,
    comment: str | None = None,
    site_ids: Collection[int] | None = None,
    version: int | None = None,
) -> None:
    """Unlink a piece of evidence from an open ticket; what it is stays as it is.

    Linking it again takes that back. 404, also for what is not linked, or of a site out of sight;
    409 for a ticket that is not open, or has changed since ``version``.
    """
    if not can_be(evidence):
        raise not_found("evidence")
    evidence_changing.send("tickets", ticket_id=ticket_id, links=[evidence])
    ticket = find_locked(ticket_id, site_ids=site_ids, version=version)
    # What is not there any more can be unlinked by those who see all sites.
    if site_ids is not None and not exists(evidence, site_ids=site_ids):
        raise not_found("evidence")
    check_open(ticket.status, "relieved of evidence")
    gone = unlink(ticket.id, evidence)
    if gone is None:
        raise not_found("evidence")
    detail = {"evidence": [evidence], **gone}
    record(ticket, "unlink", ticket.status, user_id, now, comment=comment, detail=detail)
    evidence_changed.send("tickets", ticket=ticket, links=[evidence], linked=False, now=now)

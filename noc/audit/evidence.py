"""Findings that people link to tickets or unlink: the finding names its ticket, or none.

A finding that is linked by hand and has no ticket gets this one, as by escalation: one word is then
said of both. Unlinked, it is that ticket's no more, and what becomes of the ticket leaves it alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, update

from noc.audit.findings import announce
from noc.audit.models import Finding
from noc.audit.together import lock_findings
from noc.extensions import session
from noc.tickets.evidence import Link
from noc.tickets.models import Ticket


def on_evidence_changing(_: Any, *, ticket_id: int, links: Sequence[Link]) -> None:
    """Lock the findings: they come before tickets."""
    if found := _findings(links):
        lock_findings(found)


def on_evidence_changed(
    _: Any, *, ticket: Ticket, links: Sequence[Link], linked: bool, now: dt.datetime
) -> None:
    """Have the findings name the ticket or name it no more, and tell of it."""
    found = _findings(links)
    if not found:
        return
    # When it was escalated stays: linked again, it is as it was.
    holds = Finding.escalation_ticket_id.is_not_distinct_from(None if linked else ticket.id)
    values: dict[str, Any] = {
        "escalated_to_ticket": linked,
        "escalation_ticket_id": ticket.id if linked else None,
    }
    if linked:
        values["escalated_at"] = func.coalesce(Finding.escalated_at, now)
    changed = session().scalars(
        update(Finding)
        .where(Finding.tenant_id == ticket.tenant_id, Finding.id.in_(found), holds)
        .values(**values)
        .returning(Finding)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    for finding in sorted(changed, key=lambda one: one.id):
        announce("finding_updated", finding)


def _findings(links: Sequence[Link]) -> list[int]:
    refs = (ref for kind, ref in links if kind == "finding" and ref.isascii() and ref.isdecimal())
    return sorted(int(ref) for ref in refs if len(ref) <= _DIGITS)


_DIGITS = 18
"""Of an id, at most: what is longer is none."""

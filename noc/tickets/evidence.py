"""What tickets are about: punches, findings, alerts and incidents, each linked once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from noc.database.base import Base
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.keyset import BIGGEST_ID
from noc.rest.problems import Problem
from noc.tickets.models import TicketEvidence

Link = tuple[str, str]
"""Kind and id (as text) of a piece of evidence."""

_TABLES = {
    "punch": "attendance_event",
    "finding": "audit_finding",
    "alert": "noc_alert_event",
    "incident": "noc_correlated_incident",
}
"""Where each kind is kept; by name, since some of these folders stand above this one."""


def link(
    evidence: Mapping[int, Sequence[Link]], *, now: dt.datetime, note: str | None = None
) -> dict[int, list[Link]]:
    """Link evidence to tickets; what is new to each. One statement for all of them."""
    # In one order for everyone: two transactions linking the same things must not deadlock.
    wanted = sorted({(ticket, *item) for ticket, links in evidence.items() for item in links})
    if not wanted:
        return {}
    rows = [
        {
            "tenant_id": required_tenant(),
            "ticket_id": ticket_id,
            "kind": kind,
            "ref": ref,
            "added_at": now,
            "note": note,
        }
        for ticket_id, kind, ref in wanted
    ]
    table = TicketEvidence.__table__
    stored = session().execute(
        insert(TicketEvidence)
        .on_conflict_do_nothing()
        .returning(table.c.ticket_id, table.c.kind, table.c.ref),
        rows,
    )
    new: dict[int, list[Link]] = {}
    for ticket_id, kind, ref in sorted(tuple(row) for row in stored):
        new.setdefault(ticket_id, []).append((kind, ref))
    return new


def unlink(ticket_id: int, item: Link) -> dict[str, Any] | None:
    """Take it from the ticket: when it had been added, with which note; None where it was not."""
    row = session().execute(
        delete(TicketEvidence)
        .where(
            TicketEvidence.tenant_id == required_tenant(),
            TicketEvidence.ticket_id == ticket_id,
            TicketEvidence.kind == item[0],
            TicketEvidence.ref == item[1],
        )
        .returning(TicketEvidence.added_at, TicketEvidence.note)
        .execution_options(synchronize_session=False)
    )
    found = row.one_or_none()
    if found is None:
        return None
    return {"added_at": found.added_at.isoformat(), **({"note": found.note} if found.note else {})}


def can_be(item: Link) -> bool:
    """Whether anything is linked by such a kind and id, as far as they alone tell."""
    kind, ref = item
    return kind in _TABLES and _key(kind, ref) is not None


def exists(item: Link, *, site_ids: Collection[int] | None = None) -> bool:
    """Whether the tenant, or who is limited to sites, has this. At most one query."""
    key = _key(*item)
    return key is not None and key in _existing(item[0], [key], site_ids)


def must_exist(links: Sequence[Link], *, site_ids: Collection[int] | None = None) -> None:
    """422 for the first piece of evidence that the tenant, or who is limited to sites, has not.

    One query for each kind.
    """
    for kind in dict.fromkeys(kind for kind, _ in links):
        refs = [ref for other, ref in links if other == kind]
        keys = {ref: _key(kind, ref) for ref in refs}
        found = _existing(kind, [key for key in keys.values() if key is not None], site_ids)
        for ref, key in keys.items():
            if key is None or key not in found:
                raise Problem(
                    422,
                    "The evidence was not accepted.",
                    errors=[{"field": "evidence", "reason": f"there is no {kind} {ref!r}"}],
                )


def linked_punches(ticket_id: int) -> set[int]:
    """Ids of the punches among a ticket's evidence."""
    refs = session().scalars(
        select(TicketEvidence.ref).where(
            TicketEvidence.tenant_id == required_tenant(),
            TicketEvidence.ticket_id == ticket_id,
            TicketEvidence.kind == "punch",
        )
    )
    return {int(ref) for ref in refs}


def all_links(ticket_id: int) -> list[Link]:
    """A ticket's evidence."""
    rows = session().execute(
        select(TicketEvidence.kind, TicketEvidence.ref).where(
            TicketEvidence.tenant_id == required_tenant(), TicketEvidence.ticket_id == ticket_id
        )
    )
    return [(row.kind, row.ref) for row in rows]


def _key(kind: str, ref: str) -> Any:
    """The id as its table has it, None where it cannot be one; only the canonical spelling."""
    if kind == "incident":
        try:
            key = uuid.UUID(ref)
        except ValueError:
            return None
        return key if str(key) == ref else None
    if not ref.isascii() or not ref.isdecimal() or ref.startswith("0"):
        return None
    return int(ref) if int(ref) <= BIGGEST_ID else None


def _existing(kind: str, keys: Sequence[Any], site_ids: Collection[int] | None) -> set[Any]:
    table = Base.metadata.tables[_TABLES[kind]]
    query = select(table.c.id).where(table.c.tenant_id == required_tenant(), table.c.id.in_(keys))
    if site_ids is not None:
        query = query.where(table.c.site_id.in_(site_ids))
    return set(session().scalars(query))

"""Deduplication slots: at most one open ticket for what a slot names, for as long as it lasts.

The slot's own columns decide, in one conditional upsert: who gets the row back opens the ticket,
everyone else adds to the ticket that holds it. Slots are locked before tickets, and several in
the order of their names, so that no two transactions wait for each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import text

from noc.database.tenancy import required_tenant
from noc.extensions import session

# Before every ``now`` there is: a slot that was let go is free for whoever started earlier, too.
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_TAKE = text(
    """
    INSERT INTO ticket_slot AS held (tenant_id, slot, ticket_id, expires_at)
    SELECT :tenant_id, wanted.slot, NULL, wanted.expires_at
    FROM unnest(CAST(:slots AS text[]), CAST(:expires_at AS timestamptz[]))
         WITH ORDINALITY AS wanted(slot, expires_at, n)
    ORDER BY wanted.n
    ON CONFLICT (tenant_id, slot) DO UPDATE SET ticket_id = NULL, expires_at = excluded.expires_at
    WHERE held.expires_at <= :now OR held.ticket_id IS NULL
    RETURNING slot
    """
)
_FILL = text(
    """
    UPDATE ticket_slot SET ticket_id = filled.ticket_id
    FROM unnest(CAST(:slots AS text[]), CAST(:tickets AS bigint[])) AS filled(slot, ticket_id)
    WHERE ticket_slot.tenant_id = :tenant_id AND ticket_slot.slot = filled.slot
    """
)
_HOLDERS = text(
    """
    SELECT slot, ticket_id FROM ticket_slot
    WHERE tenant_id = :tenant_id AND slot = ANY(CAST(:slots AS text[]))
    """
)
_LOCK = text(
    """
    SELECT slot FROM ticket_slot
    WHERE tenant_id = :tenant_id AND ticket_id = ANY(CAST(:tickets AS bigint[]))
    ORDER BY slot COLLATE "C" FOR UPDATE
    """
)
_LET_GO = text(
    """
    UPDATE ticket_slot SET expires_at = :long_ago
    WHERE tenant_id = :tenant_id AND ticket_id = :ticket_id
    """
)
_TAKE_BACK = text(
    """
    UPDATE ticket_slot SET ticket_id = :ticket_id, expires_at = :expires_at
    WHERE tenant_id = :tenant_id AND slot = :slot
      AND (expires_at <= :now OR ticket_id IS NULL OR ticket_id = :ticket_id)
    RETURNING slot
    """
)
_HAND_OVER = text(
    """
    UPDATE ticket_slot SET ticket_id = :heir
    WHERE tenant_id = :tenant_id AND ticket_id = :ticket_id AND expires_at > :now
    """
)


def take(expiries: Mapping[str, dt.datetime], *, now: dt.datetime) -> set[str]:
    """Those of the slots that were free and are now the caller's, to be filled with a ticket.

    The others are held by tickets; either way they stay locked until the transaction ends.
    """
    slots = sorted(expiries)
    if not slots:
        return set()
    parameters = {
        "tenant_id": required_tenant(),
        "slots": slots,
        "expires_at": [expiries[slot] for slot in slots],
        "now": now,
    }
    return set(session().scalars(_TAKE, parameters))


def fill(tickets: Mapping[str, int]) -> None:
    """Say which ticket holds each slot that was taken."""
    if tickets:
        session().execute(
            _FILL,
            {
                "tenant_id": required_tenant(),
                "slots": list(tickets),
                "tickets": list(tickets.values()),
            },
        )


def holders(slots: Iterable[str]) -> dict[str, int]:
    """The ticket that holds each slot."""
    wanted = sorted(slots)
    if not wanted:
        return {}
    rows = session().execute(_HOLDERS, {"tenant_id": required_tenant(), "slots": wanted})
    return {row.slot: row.ticket_id for row in rows}


def lock(ticket_ids: Iterable[int]) -> None:
    """Lock the slots that these tickets hold, before the tickets themselves."""
    session().execute(_LOCK, {"tenant_id": required_tenant(), "tickets": sorted(ticket_ids)})


def let_go(ticket_id: int) -> None:
    """The ticket left the open states: its slots are free."""
    session().execute(
        _LET_GO,
        {"tenant_id": required_tenant(), "ticket_id": ticket_id, "long_ago": _LONG_AGO},
    )


def take_back(slot: str, ticket_id: int, *, expires_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether the slot is the ticket's again; False where another open ticket holds it."""
    parameters = {
        "tenant_id": required_tenant(),
        "slot": slot,
        "ticket_id": ticket_id,
        "expires_at": expires_at,
        "now": now,
    }
    return session().scalar(_TAKE_BACK, parameters) is not None


def hand_over(ticket_id: int, heir: int, *, now: dt.datetime) -> None:
    """What one ticket still holds is held by another."""
    session().execute(
        _HAND_OVER,
        {"tenant_id": required_tenant(), "ticket_id": ticket_id, "heir": heir, "now": now},
    )

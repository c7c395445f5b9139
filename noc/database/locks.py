"""Locks by name: PostgreSQL's advisory locks, held until the transaction that took them ends.

A name is hashed to the 64 bits that PostgreSQL wants. Two names with the same hash would wait for
each other, and nothing worse. Names begin with what they are about and the tenant's id:
``incident:<tenant>:...``, ``backtest:<tenant>``. The single numbers that are locked elsewhere (4711
to 4714: bootstrap, migrations, partitions, the demo's seed) are no names and are not meant to be
hit by one.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_TRY = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


def hold(session: Session | Connection, name: str) -> None:
    """Wait until no other transaction holds ``name``, and hold it until this one ends."""
    session.execute(_HOLD, {"name": name})


def try_hold(session: Session | Connection, name: str) -> bool:
    """Hold ``name`` until this transaction ends, unless another one holds it: then False."""
    return bool(session.scalar(_TRY, {"name": name}))

"""Monthly partitions of the high-volume tables.

The application role cannot create tables; an owner's function does it for the months asked
for. There is no DEFAULT partition: rows in it would later block the month they belong to. So
whoever writes rows first makes sure that their months exist.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

from noc.database.tenancy import after_commit

_ENSURE = text("SELECT noc_ensure_partitions(:first, :last)")
_known: set[tuple[str, dt.date]] = set()


def month_of(moment: dt.datetime) -> dt.date:
    """The first day of the UTC month of ``moment``."""
    utc = moment.astimezone(dt.UTC)
    return dt.date(utc.year, utc.month, 1)


def ensure_partitions(session: Session, moments: Iterable[dt.datetime]) -> None:
    """Make sure that the months of ``moments`` have their partitions, in every table.

    Costs a query only for months this process has not seen on this database. Creating is the
    database's to decide under an advisory lock: two at once make one partition. Call it before
    the transaction writes anything: a new partition locks the tables it refers to, and two
    writers that wait for each other's rows there would be a deadlock.
    """
    bind = str(session.get_bind().engine.url)
    missing = sorted({month_of(moment) for moment in moments} - {m for b, m in _known if b == bind})
    for month in missing:
        session.execute(_ENSURE, {"first": month, "last": month})
        # A rollback takes the new partition back with it; remember only what has committed.
    if missing:
        after_commit(session, lambda: _known.update((bind, month) for month in missing))

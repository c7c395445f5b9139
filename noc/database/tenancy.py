"""Which tenant a transaction belongs to, and work that waits for its commit.

Row-level security compares each row's tenant with the setting ``noc.tenant`` of the
transaction. It is written at the start of *every* transaction, as an empty string when there
is no tenant: a value left from an earlier transaction would otherwise leak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session, SessionTransaction

_tenant: ContextVar[int | None] = ContextVar("noc_tenant", default=None)

_SET_TENANT = text("SELECT set_config('noc.tenant', :tenant, true)")
_AFTER_COMMIT = "noc_after_commit"


def current_tenant() -> int | None:
    """The tenant this context works for, or None."""
    return _tenant.get()


def required_tenant() -> int:
    """The tenant this context works for; LookupError where none was named."""
    tenant_id = _tenant.get()
    if tenant_id is None:
        raise LookupError("no tenant is named for this work: wrap it in tenant_context()")
    return tenant_id


def name_tenant(session: Session, tenant_id: int | None) -> None:
    """Work for ``tenant_id`` from here on in this context, the open transaction included."""
    _tenant.set(tenant_id)
    if session.in_transaction():
        _apply(session.connection(), tenant_id)


@contextmanager
def tenant_context(session: Session, tenant_id: int | None) -> Iterator[None]:
    """Work for ``tenant_id`` inside the block; what was named before is named again after it."""
    before = _tenant.get()
    name_tenant(session, tenant_id)
    try:
        yield
    finally:
        _tenant.set(before)
        # A failed transaction takes no statement but its rollback, which undoes the setting too.
        if session.in_transaction() and session.is_active and not _has_failed(session):
            _apply(session.connection(), before)


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Run ``action`` once the open transaction has committed; forget it if that rolls back.

    For what must not be seen before the rows are: queueing a job, ringing the feed's doorbell.
    """
    session.info.setdefault(_AFTER_COMMIT, []).append(action)


def install(session_class: type[Session] | Any) -> None:
    """Bind tenancy and after-commit work to the sessions of ``session_class``."""
    event.listen(session_class, "after_begin", _on_begin)
    event.listen(session_class, "after_commit", _on_commit)
    event.listen(session_class, "after_soft_rollback", _on_rollback)


def _has_failed(session: Session) -> bool:
    driver = session.connection().connection.dbapi_connection
    status = getattr(driver, "info", None)
    return status is not None and status.transaction_status == TransactionStatus.INERROR


def _apply(connection: Connection, tenant_id: int | None) -> None:
    connection.execute(_SET_TENANT, {"tenant": "" if tenant_id is None else str(tenant_id)})


def _on_begin(_: Session, __: SessionTransaction, connection: Connection) -> None:
    _apply(connection, _tenant.get())


def _on_commit(session: Session) -> None:
    # SQLAlchemy announces savepoints too; only the outermost commit makes rows visible.
    if session.in_nested_transaction():
        return
    for action in session.info.pop(_AFTER_COMMIT, []):
        action()


def _on_rollback(session: Session, previous: SessionTransaction) -> None:
    if previous.parent is None:
        session.info.pop(_AFTER_COMMIT, None)

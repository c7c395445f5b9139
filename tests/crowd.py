"""Many at once: committed tenants, and threads with connections of their own."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from apiflask import APIFlask
from sqlalchemy import NullPool, create_engine, text

from noc.database.tenancy import name_tenant, tenant_context
from noc.extensions import db, session
from noc.identity import tenants
from tests.conftest import Services
from tests.factories import Make

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
"""How long anything in a test is waited for before it counts as never coming."""
_number = itertools.count(1)

_OWNED = (
    "noc_correlated_incident",
    "audit_finding",
    "ticket_slot",
    "ticket",
    "noc_alert_event",
    "alert_suppression",
    "attendance_event",
    "jobneed",
    "person",
    "site",
)
"""Children first: a tenant's people cannot go while alerts point to them."""


@contextmanager
def committed_tenant(app: APIFlask, services: Services) -> Iterator[Make]:
    """A tenant that every connection sees; it and all that is its own are deleted at the end."""
    with app.app_context():
        name_tenant(session(), None)
        tenant = tenants.create_tenant(f"crowd-{next(_number)}", "Crowd")
        try:
            with tenant_context(session(), tenant.id):
                yield Make(session(), tenant.id)
        finally:
            db.session.remove()
            name_tenant(session(), None)
            with create_engine(services.admin_url, poolclass=NullPool).begin() as owner:
                for table in _OWNED:
                    owner.execute(
                        text(f"DELETE FROM {table} WHERE tenant_id = :id"), {"id": tenant.id}
                    )
                owner.execute(text("DELETE FROM tenant WHERE id = :id"), {"id": tenant.id})


def at_once(app: APIFlask, tenant_id: int, works: list[Callable[[], T]]) -> list[T]:
    """What each work returned, all begun together, each in a transaction that is committed.

    An exception of one is raised here, so that a deadlock or a broken constraint fails the test.
    """
    gate = threading.Barrier(len(works))
    results: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(index: int, work: Callable[[], T]) -> None:
        try:
            with app.app_context(), tenant_context(session(), tenant_id):
                gate.wait(20)
                results[index] = work()
                session().commit()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return [results[index] for index in range(len(works))]


def until_somebody_waits() -> None:
    """Return once a transaction waits for a lock that another one holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
        while not beside.scalar(waiting):
            assert time.monotonic() < deadline, "nobody came to wait for a lock"
            time.sleep(0.01)

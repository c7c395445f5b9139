"""Two equal batches at the same moment, on connections of their own and committed data."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import NullPool, create_engine, text

from noc.attendance.ingest import store_punches
from noc.attendance.signals import punches_stored
from noc.database.tenancy import name_tenant, tenant_context
from noc.extensions import session
from noc.identity import tenants
from noc.rest.batches import BatchResult
from tests.conftest import Services
from tests.factories import NOW, Make

CLEANED = ("attendance_event", "device", "person", "site")


@pytest.fixture
def committed(app: APIFlask, services: Services) -> Iterator[dict[str, int]]:
    """A tenant, a site and a guard that every connection sees; deleted at the end."""
    kept = dict(punches_stored.receivers)
    punches_stored.receivers.clear()
    with app.app_context():
        tenant = tenants.create_tenant("racing", "Racing")
        name_tenant(session(), tenant.id)
        make = Make(session(), tenant.id)
        site = make.site()
        ids = {"tenant": tenant.id, "site": site.id, "person": make.person(site).id}
        session().commit()
    yield ids
    punches_stored.receivers.update(kept)
    with create_engine(services.admin_url, poolclass=NullPool).begin() as owner:
        for table in CLEANED:
            owner.execute(text(f"DELETE FROM {table} WHERE tenant_id = :id"), {"id": ids["tenant"]})
        owner.execute(text("DELETE FROM tenant WHERE id = :id"), {"id": ids["tenant"]})


def test_two_equal_batches_at_once_store_each_punch_once(
    app: APIFlask, committed: dict[str, int]
) -> None:
    batch = [
        {
            "external_id": f"race-{n}",
            "person_id": committed["person"],
            "site_id": committed["site"],
            "kind": "presence",
            "occurred_at": NOW.isoformat(),
            "device_id": f"PHONE-{n % 20}",
        }
        for n in range(300)
    ]
    together = threading.Barrier(4)
    results: list[BatchResult] = []

    def send(items: list[dict[str, Any]]) -> None:
        with app.app_context(), tenant_context(session(), committed["tenant"]):
            together.wait(10)
            result = store_punches(items, tenant_id=committed["tenant"], now=NOW)
            session().commit()
            results.append(result)

    threads = [
        threading.Thread(target=send, args=(items,))
        for items in (batch, batch[::-1], batch, batch[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(results) == 4, "no batch failed"
    assert sum(result.accepted for result in results) == 300
    assert sum(result.duplicates for result in results) == 900
    ids = [{item["id"] for item in result.items} for result in results]
    assert all(one == ids[0] for one in ids), "everybody was told the same ids"
    with app.app_context(), tenant_context(session(), committed["tenant"]):
        count = "SELECT (SELECT count(*) FROM attendance_event), (SELECT count(*) FROM device)"
        assert tuple(session().execute(text(count)).one()) == (300, 20)

"""Equal batches at the same moment, on connections of their own and committed data."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import NullPool, create_engine, text

from noc.database.tenancy import name_tenant, tenant_context
from noc.extensions import session
from noc.identity import tenants
from noc.rest.batches import BatchResult
from noc.telemetry.ingest import store_signals
from noc.telemetry.models import Checkpoint, JobNeed, Tour
from tests.conftest import Services
from tests.factories import NOW, Make

CLEANED = ("jobneed", "location_update", "phone_event", "checkpoint", "tour", "person", "site")
CHECKPOINTS = 30


@pytest.fixture
def committed(app: APIFlask, services: Services) -> Iterator[dict[str, Any]]:
    """A guard with a rostered tour that every connection sees; deleted at the end."""
    with app.app_context():
        tenant = tenants.create_tenant("racing", "Racing")
        name_tenant(session(), tenant.id)
        make = Make(session(), tenant.id)
        site = make.site()
        person = make.person(site)
        window = {
            "person_id": person.id,
            "site_id": site.id,
            "starts_at": NOW - dt.timedelta(hours=1),
            "expires_at": NOW,
        }
        tour = make.row(Tour, {"code": "T", "name": "Round", "site_id": site.id})
        parent = make.row(JobNeed, {"kind": "tour", "tour_id": tour.id} | window)
        tags = []
        for n in range(CHECKPOINTS):
            tag = make.row(Checkpoint, {"code": f"C{n}", "name": "Tag", "site_id": site.id})
            child = {"kind": "checkpoint", "parent_id": parent.id, "checkpoint_id": tag.id}
            make.row(JobNeed, child | window)
            tags.append(tag.id)
        ids = {"tenant": tenant.id, "person": person.id, "tags": tags}
        session().commit()
    yield ids
    with create_engine(services.admin_url, poolclass=NullPool).begin() as owner:
        for table in CLEANED:
            owner.execute(text(f"DELETE FROM {table} WHERE tenant_id = :id"), {"id": ids["tenant"]})
        owner.execute(text("DELETE FROM tenant WHERE id = :id"), {"id": ids["tenant"]})


def at_once(app: APIFlask, tenant_id: int, batches: list[list[Any]]) -> list[BatchResult]:
    """Sends every batch at the same moment; gives what each sender was told."""
    together = threading.Barrier(len(batches))
    results: list[BatchResult] = []

    def send(batch: list[Any]) -> None:
        with app.app_context(), tenant_context(session(), tenant_id):
            together.wait(10)
            result = store_signals(batch, tenant_id=tenant_id, now=NOW)
            session().commit()
            results.append(result)

    threads = [threading.Thread(target=send, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == len(batches), "no batch failed"
    return results


def signal(committed: dict[str, Any], kind: str, name: str, **values: Any) -> dict[str, Any]:
    moment = (NOW - dt.timedelta(minutes=20)).isoformat()
    person = {"person_id": committed["person"], "occurred_at": moment}
    return {"kind": kind, "external_id": name} | person | values


def test_equal_batches_at_once_store_each_signal_once(
    app: APIFlask, committed: dict[str, Any]
) -> None:
    batch = [signal(committed, "location", f"l{n}", lat=19.0, lon=72.0) for n in range(200)]
    batch += [signal(committed, "phone_event", f"p{n}") for n in range(100)]
    batch += [
        signal(committed, "checkpoint_scan", f"s{n}", checkpoint_id=tag)
        for n, tag in enumerate(committed["tags"])
    ]
    results = at_once(app, committed["tenant"], [batch, batch[::-1], batch, batch[::-1]])
    assert sum(result.accepted for result in results) == len(batch)
    assert sum(result.duplicates for result in results) == 3 * len(batch)
    told = [{item["id"] for item in result.items} for result in results]
    assert all(ids == told[0] for ids in told), "everybody was told the same ids"
    with app.app_context(), tenant_context(session(), committed["tenant"]):
        done = "SELECT count(*) FROM jobneed WHERE kind = 'checkpoint' AND endtime IS NOT NULL"
        everything = "SELECT count(*) FROM jobneed WHERE kind = 'checkpoint'"
        assert session().scalar(text(done)) == CHECKPOINTS
        assert session().scalar(text(everything)) == CHECKPOINTS, "no scan was left over"


def test_of_two_scans_of_one_tag_at_once_one_completes_the_round(
    app: APIFlask, committed: dict[str, Any]
) -> None:
    batches = [
        [
            signal(committed, "checkpoint_scan", f"{sender}-{tag}", checkpoint_id=tag)
            for tag in committed["tags"][:: 1 if sender % 2 else -1]
        ]
        for sender in range(4)
    ]
    results = at_once(app, committed["tenant"], batches)
    assert [result.accepted for result in results] == [CHECKPOINTS] * 4
    with app.app_context(), tenant_context(session(), committed["tenant"]):
        rows = session().execute(
            text(
                "SELECT parent_id IS NOT NULL, count(*) FROM jobneed"
                " WHERE kind = 'checkpoint' AND endtime IS NOT NULL GROUP BY 1 ORDER BY 1"
            )
        )
        assert [tuple(row) for row in rows] == [(False, 3 * CHECKPOINTS), (True, CHECKPOINTS)]

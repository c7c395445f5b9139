"""Sixteen workers find the same at the same moment; the database decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from noc.alerts.lifecycle import resolve as resolve_alert
from noc.alerts.models import Alert
from noc.audit.cycle import run
from noc.audit.escalation import escalate
from noc.audit.findings import resolve as resolve_finding
from noc.audit.learning import Sample, feed
from noc.audit.models import METRICS, BaselineProfile, Finding
from noc.audit.reopening import reopen_many
from noc.extensions import session
from noc.identity.site_settings import read_site_settings
from noc.incidents.correlation import correlate
from noc.incidents.models import Incident, IncidentAlert
from noc.incidents.scoring import Signal
from noc.rest.problems import Problem
from noc.settings import Settings
from noc.tickets.models import Ticket, TicketEvidence
from noc.tickets.workflow import transition
from tests.audit.conftest import AT, MINUTE, on_post
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.dashboards import audited
from tests.factories import Make

WORKERS = 16


@pytest.fixture
def house(app: APIFlask, services: Services) -> Iterator[Make]:
    """A tenant that every connection sees."""
    with committed_tenant(app, services) as make:
        yield make


def count(model: type) -> int:
    return session().scalar(select(func.count()).select_from(model)) or 0


def test_one_finding_and_one_ticket(app: APIFlask, house: Make) -> None:
    on_post(house)
    session().commit()

    outcomes = at_once(
        app,
        house.tenant_id,
        [lambda: run("heartbeat", AT, tenant_id=house.tenant_id, now=AT)] * WORKERS,
    )

    assert sum(len(outcome.created) for outcome in outcomes) == 1
    assert (count(Finding), count(Ticket)) == (1, 1)


def test_one_finding_escalated_by_all_has_one_ticket(app: APIFlask, house: Make) -> None:
    site = on_post(house).site
    finding = house.row(
        Finding,
        {
            "finding_type": "DEVICE_SILENT",
            "category": "DEVICE_HEALTH",
            "severity": "HIGH",
            "title": "Silent",
            "site_id": site.id,
            "subject": f"site:{site.id}",
            "window_start": AT - 20 * MINUTE,
            "window_end": AT,
            "evidence": {},
            "evidence_summary": "Nothing heard.",
            "detected_at": AT,
        },
    )
    finding_id = finding.id
    session().commit()

    def work() -> int:
        mine = session().get_one(Finding, (house.tenant_id, finding_id))
        config = read_site_settings(house.tenant_id, ())
        return escalate([mine], config, tenant_id=house.tenant_id, now=AT)

    assert sum(at_once(app, house.tenant_id, [work] * WORKERS)) == 1
    assert count(Ticket) == 1
    assert session().scalars(select(TicketEvidence.ref)).all() == [str(finding_id)]


def test_one_finding_is_reopened_once(app: APIFlask, house: Make) -> None:
    site = house.site()
    finding = audited.finding(house, house.person(site), site, at=AT)
    resolve_finding(finding.id, "FIXED", note=None, user_id=None, now=AT)
    finding_id = finding.id
    session().commit()

    def work() -> int:
        outcome = reopen_many([finding_id], note=None, user_id=None, now=AT)
        return len(outcome.changed)

    assert sum(at_once(app, house.tenant_id, [work] * WORKERS)) == 1
    kept = session().scalars(select(Finding.evidence)).one()["reopened"]
    assert len(kept) == 1


def test_of_two_findings_of_the_same_one_is_reopened(app: APIFlask, house: Make) -> None:
    site = house.site()
    guard = house.person(site)
    ids = []
    for ago in (20, 10):
        at = AT - ago * MINUTE
        finding = audited.finding(house, guard, site, at=at, self_closing=True)
        resolve_finding(finding.id, "FIXED", note=None, user_id=None, now=at)
        ids.append(finding.id)
    session().commit()

    def work(finding_id: int) -> int:
        return len(reopen_many([finding_id], note=None, user_id=None, now=AT).changed)

    works = [lambda n=n: work(ids[n % 2]) for n in range(WORKERS)]
    assert sum(at_once(app, house.tenant_id, works)) == 1  # type: ignore[arg-type]
    assert sorted(session().scalars(select(Finding.status))) == ["NEW", "RESOLVED"]


def test_findings_of_one_type_and_site_share_a_ticket(app: APIFlask, house: Make) -> None:
    site = on_post(house).site
    posts = [on_post(house, site) for _ in range(WORKERS - 1)]
    session().commit()

    at_once(
        app,
        house.tenant_id,
        [lambda: run("heartbeat", AT, tenant_id=house.tenant_id, now=AT)] * 4,
    )

    assert len(posts) + 1 == count(Finding) == WORKERS
    assert count(Ticket) == 1
    assert count(TicketEvidence) == WORKERS


def test_one_incident(app: APIFlask, house: Make) -> None:
    post = on_post(house)
    post.alert()
    session().commit()
    site_id, person_id = post.site.id, post.person.id

    def work(number: int) -> int:
        # Ten minutes apart: two ends of what is one incident.
        end = AT - (number % 2) * 10 * MINUTE
        signal = Signal(
            f"finding:{number}", "LOW", "MEDIUM", site_id, person_id, end - 5 * MINUTE, end
        )
        found = correlate([signal], tenant_id=house.tenant_id, now=AT, window_minutes=15)
        return len(found)

    works = [lambda number=number: work(number) for number in range(WORKERS)]
    assert sum(at_once(app, house.tenant_id, works)) == WORKERS  # type: ignore[arg-type]

    incident = session().scalars(select(Incident)).one()
    assert len(incident.signals) == WORKERS
    assert count(IncidentAlert) == 1


def test_an_hour_feeds_the_baselines_once(app: APIFlask, house: Make, config: Settings) -> None:
    site_id = on_post(house).site.id
    session().commit()
    batch = [Sample(site_id, n, AT, dict.fromkeys(METRICS, float(n))) for n in range(5)]

    counted = at_once(
        app,
        house.tenant_id,
        [lambda: feed(batch, config, tenant_id=house.tenant_id)] * WORKERS,
    )

    assert sorted(counted) == [0] * (WORKERS - 1) + [5]
    assert set(session().scalars(select(BaselineProfile.sample_count))) == {5}


def test_a_false_positive_said_of_all_three_at_once_ends_all_three(
    app: APIFlask, house: Make
) -> None:
    """Each holds what the other wants: the database lets one go on, and the others try again."""
    post = on_post(house)
    alert_id = post.alert()
    user_id = house.user("operator").id
    run("heartbeat", AT, tenant_id=house.tenant_id, now=AT)
    finding = session().scalars(select(Finding)).one()
    finding.alert_id = alert_id
    session().commit()
    finding_id, ticket_id = finding.id, finding.escalation_ticket_id
    who = {"user_id": user_id, "now": AT}

    def persistently(work: Callable[[], object]) -> bool:
        for _ in range(WORKERS):
            try:
                work()
                session().commit()
            except (OperationalError, Problem):
                # Let go by the database, or done by another already.
                session().rollback()
            else:
                return True
        return False

    words = (
        lambda: transition(ticket_id, "RESOLVED", resolution="FALSE_POSITIVE", **who),
        lambda: resolve_finding(finding_id, "FALSE_POSITIVE", note=None, **who),
        lambda: resolve_alert(alert_id, resolution="FALSE_POSITIVE", **who),
    )
    works = [lambda word=word: persistently(word) for word in words]
    at_once(app, house.tenant_id, works)  # type: ignore[arg-type]

    session().expire_all()
    assert session().get_one(Finding, (house.tenant_id, finding_id)).resolution == "FALSE_POSITIVE"
    assert session().get_one(Ticket, (house.tenant_id, ticket_id)).resolution == "FALSE_POSITIVE"
    assert session().get_one(Alert, (house.tenant_id, alert_id)).resolution == "FALSE_POSITIVE"

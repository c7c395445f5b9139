"""Sixteen workers find the same at the same moment; the database decides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select

from noc.alerts.lifecycle import resolve as resolve_alert
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alerts
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.audit import together
from noc.audit.bulk import resolve_many
from noc.audit.cycle import run
from noc.audit.escalation import escalate
from noc.audit.findings import resolve as resolve_finding
from noc.audit.learning import Sample, feed
from noc.audit.models import METRICS, BaselineProfile, Finding
from noc.audit.reopening import reopen_many
from noc.database.base import utcnow
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.site_settings import read_site_settings
from noc.incidents.correlation import correlate
from noc.incidents.models import Incident, IncidentAlert
from noc.incidents.scoring import Signal
from noc.rest.problems import Problem
from noc.settings import Settings
from noc.tickets.models import Ticket, TicketEvidence
from noc.tickets.workflow import transition
from noc.workforce.models import Site
from tests.audit.conftest import AT, MINUTE, Post, on_post
from tests.conftest import Services
from tests.crowd import PATIENCE_SECONDS, at_once, committed_tenant, until_somebody_waits
from tests.dashboards import audited
from tests.factories import Make

WORKERS = 16
ROUNDS = 12


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


@dataclass(frozen=True)
class Linked:
    """A ticket, its finding, and the finding's alert."""

    ticket: int
    finding: int
    alert: int

    def resolutions(self) -> set[str | None]:
        """How they ended."""
        session().expire_all()
        asked = ((Ticket, self.ticket), (Finding, self.finding), (Alert, self.alert))
        tenant = required_tenant()
        return {session().get_one(model, (tenant, key)).resolution for model, key in asked}  # type: ignore[attr-defined]

    def words(self, user: int) -> list[Callable[[], object]]:
        """A false positive, said of each of the three."""
        who: dict[str, Any] = {"user_id": user, "now": utcnow()}
        return [
            lambda: transition(self.ticket, "RESOLVED", resolution="FALSE_POSITIVE", **who),
            lambda: resolve_finding(self.finding, "FALSE_POSITIVE", note=None, **who),
            lambda: resolve_alert(self.alert, resolution="FALSE_POSITIVE", **who),
        ]


def linked(house: Make, number: int) -> Linked:
    site = house.site()
    post = Post(house, house.person(site), site)
    alert = post.alert(dedup_key=f"trouble:{number}")
    finding = audited.finding(house, post.person, site, at=AT, alert_id=alert)
    config = read_site_settings(house.tenant_id, ())
    assert escalate([finding], config, tenant_id=house.tenant_id, now=AT) == 1
    session().refresh(finding)
    assert finding.escalation_ticket_id is not None
    return Linked(finding.escalation_ticket_id, finding.id, alert)


def answered(work: Callable[[], object]) -> str:
    """``done``, or the reason of a 409; anything else is raised."""
    try:
        work()
        session().commit()
    except Problem as problem:
        session().rollback()
        if problem.status != 409 or not problem.detail:
            raise
        return problem.detail
    return "done"


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_a_false_positive_said_of_several_at_once_waits_for_no_circle(
    app: APIFlask, house: Make, pair: tuple[int, ...]
) -> None:
    """Of ticket, finding and alert, many rounds: no deadlock, and all three are over."""
    user = house.user("operator").id
    for number in range(ROUNDS):
        three = linked(house, number)
        session().commit()
        words = [three.words(user)[index] for index in pair] * 2
        said = at_once(app, house.tenant_id, [lambda w=word: answered(w) for word in words])  # type: ignore[misc]
        assert "done" in said
        assert three.resolutions() == {"FALSE_POSITIVE"}


def test_saying_it_and_taking_it_back_while_reports_come_in(app: APIFlask, house: Make) -> None:
    """Each does its part again and again; nobody is turned away by the database."""
    user = house.user("operator").id
    three, other = linked(house, 1), linked(house, 2)
    session().commit()
    who: dict[str, Any] = {"note": None, "user_id": user}

    def again(work: Callable[[], object]) -> int:
        return sum(answered(work) == "done" for _ in range(ROUNDS))

    def report() -> None:
        keys = [f"trouble:{number}" for number in (1, 2)]
        inputs = [AlertInput("DOOR", "HIGH", "Open", utcnow(), dedup_key=key) for key in keys]
        process_alerts(inputs, now=utcnow())

    def both() -> None:
        ids = [three.finding, other.finding]
        resolve_many(ids, "FALSE_POSITIVE", now=utcnow(), **who)

    def back() -> None:
        reopen_many([other.finding, three.finding], now=utcnow(), exact=True, **who)

    def reopen_ticket() -> None:
        transition(three.ticket, "IN_PROGRESS", user_id=user, now=utcnow())

    def reopen_alert() -> None:
        take(Step("reopen", utcnow(), user), [other.alert, three.alert])

    works = [*three.words(user), *other.words(user), both, back, reopen_ticket, reopen_alert]
    done = at_once(app, house.tenant_id, [lambda w=work: again(w) for work in [*works, report]])  # type: ignore[misc]
    assert (done[-1], done[works.index(both)]) == (ROUNDS, ROUNDS), "these are never turned away"
    assert done[works.index(back)] > 0


def test_two_findings_said_at_once_end_the_ticket_they_share(app: APIFlask, house: Make) -> None:
    """Each waits to see what the other said: neither leaves the ticket open for the other."""
    for number in range(ROUNDS):
        site = house.site()
        found = [
            audited.finding(house, house.person(site), site, at=AT + number * MINUTE)
            for _ in range(2)
        ]
        escalate(found, read_site_settings(house.tenant_id, ()), tenant_id=house.tenant_id, now=AT)
        ids = [finding.id for finding in found]
        session().commit()
        ticket = session().get_one(Finding, (house.tenant_id, ids[0])).escalation_ticket_id
        assert ticket is not None

        def say(key: int) -> object:
            return resolve_finding(key, "FALSE_POSITIVE", note=None, user_id=None, now=AT)

        at_once(app, house.tenant_id, [lambda key=key: say(key) for key in ids])  # type: ignore[misc]
        session().expire_all()
        assert session().get_one(Ticket, (house.tenant_id, ticket)).resolution == "FALSE_POSITIVE"


def test_what_is_linked_while_it_waits_for_locks_is_locked_in_order_as_well(
    app: APIFlask, house: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = linked(house, 1)
    finding = session().get_one(Finding, (house.tenant_id, three.finding))
    site_id, ticket = finding.site_id, three.ticket
    session().commit()
    began, locked, asked = threading.Event(), together.lock_findings, []

    def noted(ids: Collection[int]) -> None:
        asked.append(sorted(ids))
        locked(ids)

    monkeypatch.setattr(together, "lock_findings", noted)

    def join() -> int:
        """Somebody has the finding, and links another to the ticket before they let it go."""
        locked([three.finding])
        began.set()
        until_somebody_waits()
        make = Make(session(), house.tenant_id)
        site = session().get_one(Site, (house.tenant_id, site_id))
        person = make.person(site)
        return audited.finding(make, person, site, at=AT, escalation_ticket_id=ticket).id

    def say() -> int:
        began.wait(PATIENCE_SECONDS)
        transition(ticket, "RESOLVED", resolution="FALSE_POSITIVE", user_id=None, now=AT)
        return 0

    new, _ = at_once(app, house.tenant_id, [join, say])
    assert asked == [[three.finding], sorted([three.finding, new])]
    session().expire_all()
    assert set(session().scalars(select(Finding.resolution))) == {"FALSE_POSITIVE"}


def test_where_more_and_more_is_linked_it_gives_up_with_a_reason(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: set[tuple[str, int]] = set()

    def more(_: object) -> set[tuple[str, int]]:
        found.add(("finding", len(found) + 1))
        return set(found)

    monkeypatch.setattr(together, "_reached", more)
    with pytest.raises(Problem, match="Others are at work on the same") as refused:
        together.hold(findings=[1])
    assert refused.value.status == 409

"""The overview: what it counts, where it leads, and what is usual."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dashboards import ages, queries
from dashboards.overview.fraud import judgement, sentence
from dashboards.overview.parts import long_span
from dashboards.overview.sites import RANK
from noc.alerts import lifecycle
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert
from noc.audit.models import Finding
from noc.database.base import utcnow
from noc.fraud.so_far import ENOUGH, FraudSoFar, SoFar, fraud_so_far, usual
from noc.identity.site_settings import read_site_settings
from noc.tickets import workflow
from noc.tickets.workflow import open_once
from noc.workforce.models import Site
from tests.dashboards.conftest import Reader
from tests.dashboards.scored import scored
from tests.factories import NOW, Make
from tests.signed_in import limit_to
from tests.tickets.conftest import draft


def shown(reader: Reader) -> Any:
    return reader.call("overview-body.children", "overview-clock.n_intervals", values={})


def raised(site: Site, severity: str = "HIGH", hours: float = 0.1, **values: Any) -> int:
    """An alert that began so many hours ago."""
    at = values.pop("now", utcnow()) - dt.timedelta(hours=hours)
    fields = {"alert_type": "CAMERA_OFFLINE", "message": "Camera 4 is dark.", "site_id": site.id}
    fields |= {"severity": severity, "occurred_at": at} | values
    fields.setdefault("dedup_key", f"{severity}|{hours}|{site.id}")
    return process_alert(AlertInput(**fields), now=at).id


@pytest.fixture
def site(make: Make) -> Site:
    return make.site(name="Harbour Depot", timezone="UTC")


def test_the_frame_comes_at_once_with_the_shape_of_what_follows(reader: Reader) -> None:
    frame = reader.call("page.children", "url.pathname", values={"url.pathname": "/app/overview"})
    assert "Overview" in frame.text
    assert frame.text.count("skeleton over-") == 6


def test_an_empty_company_is_told_of_each_part_what_will_fill_it(reader: Reader) -> None:
    text = shown(reader).text
    for said in (
        "No critical alert is open, and no ticket is overdue",
        "No open alerts",
        "No open tickets",
        "Nothing to be late with",
        "No punch has been scored yet",
        "No sites yet",
        "Nobody is on duty",
        "Nothing answered in a week",
        "No event in the last hour",
    ):
        assert said in text, said


def test_open_alerts_are_counted_by_severity_and_age_and_lead_to_that_list(
    reader: Reader, site: Site
) -> None:
    for severity, hours in (("CRITICAL", 0.5), ("HIGH", 5), ("HIGH", 20), ("LOW", 30)):
        raised(site, severity, hours)
    text = shown(reader).text
    assert "1 critical alert is open" in text
    for link in (
        "/app/alerts?state=open&severity=CRITICAL&age=1h",
        "/app/alerts?state=open&severity=HIGH&age=8h",
        "/app/alerts?state=open&severity=HIGH&age=1d",
        "/app/alerts?state=open&severity=LOW&age=older",
    ):
        assert f'"{link}"' in text, link
        values = dict(re.findall(r"(\w+)=(\w+)", link))
        listed = reader.call(
            "alerts-table.children",
            "alerts-state.value",
            values={f"alerts-{name}.value": value for name, value in values.items()},
        )
        assert '"1 alert"' in listed.text, link
    assert "severity=MEDIUM" not in text, "a zero leads nowhere"


def test_ages_exclude_each_other_and_leave_nothing_out() -> None:
    spans = sorted((age.until, age.since or float("inf")) for age in ages.AGES.values())
    assert spans[0][0] == 0
    assert spans[-1][1] == float("inf")
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))


def test_late_tickets_are_named_the_longest_overdue_first(reader: Reader, site: Site) -> None:
    now = utcnow()
    late = [
        draft(title=f"Gate {n}", category="SECURITY", site_id=site.id, due_at=now - at)
        for n, at in ((1, dt.timedelta(minutes=5)), (2, dt.timedelta(hours=5)))
    ]
    calm = draft(title="Calm", category="SECURITY", site_id=site.id)
    open_once([*late, calm], now=now - dt.timedelta(hours=6))
    answer = shown(reader)
    assert "2 tickets are overdue" in answer.text
    assert answer.text.index("Gate 2") < answer.text.index("Gate 1")
    assert "Calm" not in answer.text
    assert '"/app/tickets?view=overdue"' in answer.text
    assert "5 h late" in answer.text


def test_sites_are_ranked_by_what_is_wrong_there_and_say_how(
    reader: Reader, make: Make, site: Site
) -> None:
    worse = make.site(name="Quarry Gate", timezone="UTC")
    make.site(name="Quiet Corner", timezone="UTC")
    raised(site, "HIGH")
    raised(worse, "CRITICAL")
    finding = make.row(
        Finding,
        {
            "finding_type": "DEVICE_SILENT",
            "category": "DEVICE_HEALTH",
            "severity": "HIGH",
            "title": "Silent",
            "site_id": worse.id,
            "subject": "person:1",
            "window_start": NOW,
            "window_end": NOW + dt.timedelta(hours=1),
            "evidence": {},
            "evidence_summary": "Nothing heard.",
        },
    )
    text = shown(reader).text
    ranked = text[text.index("Sites by trouble") :]
    assert ranked.index("Quarry Gate") < ranked.index("Harbour Depot")
    assert "Quiet Corner" not in ranked
    assert "1 site quiet" in ranked
    assert RANK in ranked
    assert f'"data-open":"finding:{finding.id}"' in ranked
    assert f'"/app/alerts?state=open&site={worse.id}"' in ranked


def test_muted_alerts_do_not_put_a_site_into_trouble(
    reader: Reader, make: Make, session: Session, site: Site
) -> None:
    alert_id = raised(site, "CRITICAL")
    session.get_one(Alert, (make.tenant_id, alert_id)).muted_until = utcnow() + dt.timedelta(
        hours=1
    )
    assert "No site is in trouble" in shown(reader).text


def test_guards_on_duty_are_heard_of_or_named(reader: Reader, make: Make, site: Site) -> None:
    now = utcnow()
    heard, silent = (make.person(site, name=name) for name in ("Meera Joshi", "Ravi Kumar"))
    for person in (heard, silent):
        make.shift(person, site, now - dt.timedelta(hours=2), hours=8)
    make.punch(heard, site, occurred_at=now - dt.timedelta(minutes=1))
    text = shown(reader).text
    assert "1 guard on duty is not heard of" in text
    assert "1 heard of, 1 not:" in text
    duty = text[text.index("On duty now") :]
    assert "Ravi Kumar" in duty
    assert "Meera Joshi" not in duty


def test_times_to_answer_are_means_with_median_number_and_formula(
    reader: Reader, make: Make, site: Site
) -> None:
    user = make.user("operator")
    now = utcnow()
    for hours in (1, 2, 6):
        alert = raised(site, hours=hours, dedup_key=f"k{hours}", now=now)
        lifecycle.acknowledge(alert, user_id=user.id, now=now)
    expired = raised(site, hours=100, dedup_key="old")
    lifecycle.resolve(expired, resolution="EXPIRED", user_id=None, now=now)
    text = shown(reader).text
    assert '"3 h"' in text
    assert "median 2 h, n = 3" in text
    assert "the sum of (acknowledged − began)" in text
    assert text.count("not measured") >= 2, "what expired is nobody's doing"


def test_a_ticket_on_hold_is_not_said_to_have_taken_that_long(
    reader: Reader, site: Site, make: Make
) -> None:
    now = utcnow()
    (opened,) = open_once([draft(site_id=site.id)], now=now - dt.timedelta(hours=10))
    who: dict[str, Any] = {"user_id": make.user().id}
    workflow.transition(opened.ticket_id, "ON_HOLD", now=now - dt.timedelta(hours=9), **who)
    workflow.transition(opened.ticket_id, "IN_PROGRESS", now=now - dt.timedelta(hours=1), **who)
    workflow.transition(opened.ticket_id, "RESOLVED", now=now, resolution="FIXED", **who)
    assert "median 2 h, n = 1" in shown(reader).text


def test_fraud_so_far_counts_each_day_up_to_the_same_hour_of_the_site(
    make: Make, session: Session
) -> None:
    mumbai = make.site(timezone="Asia/Kolkata")
    person = make.person(mumbai)
    now = NOW  # 14:30 in Mumbai
    for day in range(ENOUGH + 1):
        at = now - dt.timedelta(days=day)
        scored(make, person, mumbai, at=at - dt.timedelta(hours=1), kind="GPS_SPOOFING")
        # Later that day: not yet to be compared with.
        scored(make, person, mumbai, at=at + dt.timedelta(hours=2), kind="GPS_SPOOFING")
    # Before midnight in Mumbai, and after it in UTC's idea of the day.
    scored(make, person, mumbai, at=now.replace(hour=18) - dt.timedelta(days=1), score=0.5)
    scored(make, person, mumbai, at=now - dt.timedelta(hours=2), score=0.6)
    config = read_site_settings(make.tenant_id, ("fraud_score_ticket_threshold",))

    found = fraud_so_far(tenant_id=make.tenant_id, now=now, config=config)

    assert (found.punches, found.over.today, found.anomalies.today) == (2, 1, 2)
    assert found.days == ENOUGH
    assert found.over.usual == usual([1] * ENOUGH)
    none = fraud_so_far(tenant_id=make.tenant_id, now=now, config=config, site_ids=[])
    assert (none.punches, none.days) == (0, 0)


def test_what_is_usual_is_said_with_its_range_and_not_from_a_few_days() -> None:
    assert usual([1] * (ENOUGH - 1)) is None
    known = usual([0, 1, 1, 2, 2, 2, 3, 3, 4, 9])
    assert known is not None
    assert (known.median, known.low, known.high, known.most) == (2, 0, 5, 9)
    assert [judgement(n, known) for n in (0, 3, 6, 10)] == [
        "as usual",
        "as usual",
        "more than usual",
        "more than on any of the last 28 days",
    ]
    told = FraudSoFar(40, SoFar(6, known), SoFar(6, known), 10)
    assert sentence(told).endswith(
        "more than usual: by this hour it is usually 2, on 8 of 10 days 0 to 5."
    )
    young = FraudSoFar(40, SoFar(1, None), SoFar(6, None), 3)
    assert "What is usual can be said after 7 days with punches; so far there are 3" in sentence(
        young
    )


def test_fewer_than_usual_is_said_too() -> None:
    known = usual([5, 6, 6, 7, 7, 8, 8])
    assert known is not None
    assert judgement(4, known) == "fewer than usual"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (3600, "1 h"), (11_520, "3 h 12 min"),
     (90_000, "1 d 1 h"), (86_460, "1 d")],
)  # fmt: skip
def test_spans_have_their_two_largest_units(seconds: float, said: str) -> None:
    assert long_span(seconds) == said


def test_a_viewer_sees_the_work_and_not_the_scores(viewer: Reader, make: Make, site: Site) -> None:
    scored(make, make.person(site, name="Meera Joshi"), site)
    text = shown(viewer).text
    assert "security:fraud:view" in text
    assert "reached the ticket threshold" not in text
    assert "Open alerts" in text


def test_whoever_is_limited_to_a_site_counts_that_site_alone(
    app: APIFlask, make: Make, site: Site
) -> None:
    other = make.site(name="Elsewhere", timezone="UTC")
    far = make.person(other, name="Guard Far")
    make.shift(far, other, utcnow() - dt.timedelta(hours=2))
    scored(make, far, other)
    raised(other, "CRITICAL")
    reader = Reader(app, make, limit_to(make, make.user("security_manager"), site.id))
    text = shown(reader).text
    for secret in ("Elsewhere", "Guard Far", "1 critical alert"):
        assert secret not in text
    assert "No punch has been scored yet" in text
    assert "No site is in trouble" in text


def test_it_sends_as_many_statements_for_many_rows_as_for_one(
    reader: Reader, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    def more() -> None:
        site = make.site(timezone="UTC")
        person = make.person(site)
        make.shift(person, site, utcnow() - dt.timedelta(hours=2))
        scored(make, person, site)
        raised(site, "CRITICAL")
        open_once([draft(site_id=site.id, due_at=utcnow())], now=utcnow() - dt.timedelta(hours=1))

    more()
    shown(reader)  # The first call commits what was made, and logs it.
    few = query_count(lambda: shown(reader))
    for _ in range(4):
        more()
    shown(reader)
    assert query_count(lambda: shown(reader)) == few
    assert few <= 20


def test_a_part_that_cannot_be_read_leaves_the_others_and_a_way_to_try_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("canceling statement"))

    monkeypatch.setattr(queries.overview, "fraud_today", broken)
    answer = shown(reader)
    assert answer.status_code == 200
    assert "Fraud today could not be loaded" in answer.text
    assert "No open alerts" in answer.text
    assert '"type":"retry"' in json.dumps(answer.json, separators=(",", ":"))

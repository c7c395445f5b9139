"""What is usual on a site: learned hour by hour, asked at the finest level that knows enough."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.lifecycle import resolve as resolve_alert
from noc.alerts.models import Alert
from noc.alerts.suppression import windows
from noc.alerts.suppression.schemas import SuppressionIn
from noc.audit import tuning
from noc.audit.baselines import Baseline, ask, is_anomalous
from noc.audit.findings import resolve
from noc.audit.learning import Sample, feed, read_samples, slots
from noc.audit.models import METRICS, BaselineChange, BaselineProfile, Finding
from noc.settings import Settings
from noc.tickets.models import Ticket
from noc.tickets.workflow import transition
from tests.audit.conftest import AT, HOUR, MINUTE, Post, cycle, on_post
from tests.factories import Make

MEASURED = st.integers(0, 10**6).map(float) | st.floats(0.01, 1e6)
"""Counts, and metres to the centimetre or finer."""

USUAL = Baseline(1, 1, "phone_events_count", "all", 0, 10.0, 2.0, 50, True, 0.0, 3.0, None)


def sample(site_id: int, value: float, hour: dt.datetime = AT, person_id: int = 1) -> Sample:
    return Sample(site_id, person_id, hour, dict.fromkeys(METRICS, value))


def rows(session: Session, site_id: int, level: str = "all") -> list[BaselineProfile]:
    session.expire_all()
    query = select(BaselineProfile).where(
        BaselineProfile.site_id == site_id,
        BaselineProfile.level == level,
        BaselineProfile.metric_type == METRICS[0],
    )
    return list(session.scalars(query.order_by(BaselineProfile.slot)))


class TestLearning:
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        hours=st.lists(
            st.lists(MEASURED, min_size=1, max_size=6),
            min_size=1,
            max_size=6,
        )
    )
    def test_hour_by_hour_is_the_same_as_all_at_once(
        self, make: Make, session: Session, config: Settings, hours: list[list[float]]
    ) -> None:
        site = make.site()
        for number, values in enumerate(hours):
            batch = [sample(site.id, value, AT + number * HOUR) for value in values]
            assert feed(batch, config, tenant_id=make.tenant_id) == len(values)

        (kept,) = rows(session, site.id)
        everything = np.array([value for values in hours for value in values])
        assert kept.sample_count == len(everything)
        assert kept.mean == pytest.approx(everything.mean(), rel=1e-9, abs=1e-9)
        deviation = everything.std(ddof=1) if len(everything) > 1 else 0.0
        assert kept.std_dev == pytest.approx(deviation, rel=1e-9, abs=1e-6)

    def test_an_hour_feeds_once(self, make: Make, session: Session, config: Settings) -> None:
        site = make.site()
        batch = [sample(site.id, 5.0), sample(site.id, 7.0)]

        assert feed(batch, config, tenant_id=make.tenant_id) == 2
        assert feed(batch, config, tenant_id=make.tenant_id) == 0
        assert rows(session, site.id)[0].sample_count == 2

    def test_slots_are_on_the_sites_own_clock(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        site = make.site(timezone="Asia/Kolkata")
        feed([sample(site.id, 5.0, AT)], config, tenant_id=make.tenant_id)

        # Monday 09:00 UTC is 14:30 in India: the hour of 14.
        assert [row.slot for row in rows(session, site.id, "hour_of_week")] == [14]
        assert [row.slot for row in rows(session, site.id, "hour_of_day")] == [14]

    def test_it_is_stable_with_thirty_samples_over_a_fortnight(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        site = make.site()
        for day in range(15):
            hour = AT + dt.timedelta(days=day)
            feed([sample(site.id, 5.0, hour)] * 2, config, tenant_id=make.tenant_id)
            assert rows(session, site.id)[0].is_stable == (day >= 14)

    def test_a_sample_is_a_whole_hour_on_duty_of_somebody_who_was_heard(
        self, make: Make, post: Post
    ) -> None:
        silent, late = on_post(make, post.site), on_post(make, post.site, since=AT - 59 * MINUTE)
        for one in (post, late):
            one.hear(30, 40, kind="phone_event", event_type="call")
        post.hear(0, 61, kind="phone_event", event_type="call")

        samples = read_samples(AT - HOUR, tenant_id=make.tenant_id)

        assert [one.person_id for one in samples] == [post.person.id]
        assert silent.person.id != post.person.id
        assert samples[0].values["phone_events_count"] == 2


class TestAsking:
    def test_the_finest_level_that_knows_enough_is_asked(
        self, make: Make, config: Settings
    ) -> None:
        site = make.site()
        key = (site.id, METRICS[0])
        levels = []
        for week in range(35):
            for day in (0, 1):
                hour = AT + dt.timedelta(days=7 * week + day)
                feed([sample(site.id, 5.0, hour)], config, tenant_id=make.tenant_id)
            found = ask([sample(site.id, 5.0, AT)], tenant_id=make.tenant_id)
            levels.append(found[key].level if key in found else None)

        assert levels[13] is None
        assert levels[14] == "hour_of_day"
        assert levels[29] == "hour_of_week"

    @pytest.mark.parametrize(
        ("value", "expected"), [(16.0, False), (16.1, True), (4.0, False), (3.9, True)]
    )
    def test_beyond_the_threshold_is_unusual_both_ways(
        self, config: Settings, value: float, expected: bool
    ) -> None:
        unusual, z, threshold = is_anomalous(value, USUAL, config)

        assert unusual is expected
        assert z == pytest.approx((value - 10) / 2)
        assert threshold == 3.0

    @pytest.mark.parametrize(
        "baseline",
        [None, replace(USUAL, sample_count=29), replace(USUAL, std_dev=0.0)],
        ids=["none", "too few", "no deviation"],
    )
    def test_who_knows_too_little_says_nothing(
        self, config: Settings, baseline: Baseline | None
    ) -> None:
        assert is_anomalous(1e9, baseline, config)[:2] == (False, 0.0)

    @pytest.mark.parametrize(
        ("changes", "threshold"),
        [
            ({}, 3.0),
            ({"sample_count": 100}, 3.0),
            ({"sample_count": 101}, 2.5),
            ({"sample_count": 101, "false_positive_rate": 0.31}, 4.0),
            ({"false_positive_rate": 0.30}, 3.0),
            ({"dynamic_threshold": 2.0}, 2.0),
            ({"pinned_threshold": 1.7, "false_positive_rate": 0.9}, 1.7),
        ],
    )
    def test_the_threshold_follows_the_rule(
        self, config: Settings, changes: dict[str, float], threshold: float
    ) -> None:
        baseline = replace(USUAL, **changes)  # type: ignore[arg-type]
        assert is_anomalous(0, baseline, config)[2] == threshold


def teach(make: Make, session: Session, config: Settings, post: Post) -> None:
    """Forty hours in which a guard's phone was used ten times, give or take one."""
    for number in range(40):
        hour = AT - dt.timedelta(days=20) + number * HOUR
        values = dict.fromkeys(METRICS, 0.0) | {"phone_events_count": 10.0 + (-1) ** number}
        feed([Sample(post.site.id, post.person.id, hour, values)], config, tenant_id=make.tenant_id)


class TestUnusualHours:
    @pytest.fixture
    def odd(self, make: Make, session: Session, config: Settings, post: Post) -> Post:
        """A guard whose phone was used fifty times in the last hour, where ten is usual."""
        teach(make, session, config, post)
        post.hear(*[1 + n for n in range(50)], kind="phone_event", event_type="call")
        return post

    def test_one_raises_an_alert_that_names_the_baseline_and_a_finding_that_names_the_alert(
        self, make: Make, session: Session, odd: Post
    ) -> None:
        cycle(make, "comprehensive")

        finding = session.scalars(
            select(Finding).where(Finding.finding_type == "BASELINE_ANOMALY")
        ).one()
        alert = session.get_one(Alert, (make.tenant_id, finding.alert_id))
        assert alert.detail["baseline_id"] == rows(session, odd.site.id)[0].id
        assert alert.person_id == odd.person.id
        assert finding.evidence["anomalies"][0]["metric_type"] == "phone_events_count"
        assert "usually 10.0" in finding.evidence_summary
        assert finding.severity == "HIGH"

    def test_more_work_than_usual_is_no_trouble(
        self, make: Make, session: Session, config: Settings, post: Post
    ) -> None:
        for number in range(40):
            values = dict.fromkeys(METRICS, 0.0) | {"tasks_completed_count": float(number % 2)}
            hour = AT - dt.timedelta(days=20) + number * HOUR
            one = Sample(post.site.id, post.person.id, hour, values)
            feed([one], config, tenant_id=make.tenant_id)
        post.hear(*[1 + n for n in range(50)], kind="task_completed")

        outcome = cycle(make, "comprehensive")

        assert "BASELINE_ANOMALY" not in [draft.finding_type for draft in outcome.drafts]

    def test_a_second_cycle_says_nothing_new(self, make: Make, session: Session, odd: Post) -> None:
        cycle(make, "comprehensive")
        cycle(make, "comprehensive", at=AT + 20 * MINUTE)

        assert (
            len(session.scalars(select(Finding.id).where(Finding.alert_id.is_not(None))).all()) == 1
        )

    def test_a_look_back_raises_no_alert(self, make: Make, session: Session, odd: Post) -> None:
        outcome = cycle(make, "comprehensive", now=AT + dt.timedelta(days=2))

        assert "BASELINE_ANOMALY" in [finding.finding_type for finding in outcome.created]
        assert session.scalars(select(Alert.id)).all() == []

    def test_an_hour_is_learned_two_hours_after_its_end(
        self, make: Make, session: Session, config: Settings, post: Post
    ) -> None:
        post.hear(150, kind="phone_event", event_type="call")

        cycle(make, "comprehensive")

        assert [row.last_sample_at for row in rows(session, post.site.id)] == [AT - 3 * HOUR]


class TestCatchingUp:
    def test_hours_that_no_cycle_fed_are_fed_by_the_next(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.hear(*range(5, 300, 10), kind="phone_event", event_type="call")
        cycle(make, "comprehensive")
        assert [row.sample_count for row in rows(session, post.site.id)] == [1]
        post.hear(*range(-235, 0, 10), kind="phone_event", event_type="call")

        outcome = cycle(make, "comprehensive", at=AT + 4 * HOUR)

        assert outcome.samples == 4
        assert [row.sample_count for row in rows(session, post.site.id)] == [5]

    def test_a_look_back_teaches_nothing(self, make: Make, session: Session, post: Post) -> None:
        post.hear(*range(5, 300, 10), kind="phone_event", event_type="call")

        assert cycle(make, "comprehensive", now=AT + 2 * HOUR).samples == 0
        assert rows(session, post.site.id) == []


def test_an_unusual_hour_that_is_muted_opens_no_ticket(
    make: Make, session: Session, config: Settings, post: Post
) -> None:
    teach(make, session, config, post)
    post.hear(*[1 + n for n in range(50)], kind="phone_event", event_type="call")
    span = {"starts_at": (AT - HOUR).isoformat(), "ends_at": (AT + 3 * HOUR).isoformat()}
    body = SuppressionIn.model_validate({"name": "Drill", "reason": "Calls", **span})
    windows.create(body, user_id=None, now=AT - HOUR)
    cycle(make, "comprehensive")

    finding = session.scalars(
        select(Finding).where(Finding.finding_type == "BASELINE_ANOMALY")
    ).one()
    assert finding.alert_id is not None
    assert not finding.escalated_to_ticket


class TestOneWordForAll:
    @pytest.fixture
    def finding(self, make: Make, session: Session, config: Settings, post: Post) -> Finding:
        """An unusual hour with its alert and its ticket."""
        teach(make, session, config, post)
        post.hear(*[1 + n for n in range(50)], kind="phone_event", event_type="call")
        cycle(make, "comprehensive")
        return session.scalars(
            select(Finding).where(Finding.finding_type == "BASELINE_ANOMALY")
        ).one()

    @pytest.mark.parametrize("said_of", ["ticket", "finding", "alert"])
    def test_a_false_positive_is_said_of_all_three(
        self, make: Make, session: Session, finding: Finding, said_of: str
    ) -> None:
        who = {"user_id": make.user().id, "now": AT}
        assert finding.alert_id
        assert finding.escalation_ticket_id
        if said_of == "ticket":
            transition(finding.escalation_ticket_id, "RESOLVED", resolution="FALSE_POSITIVE", **who)
        elif said_of == "finding":
            resolve(finding.id, "FALSE_POSITIVE", note=None, **who)
        else:
            resolve_alert(finding.alert_id, resolution="FALSE_POSITIVE", **who)

        session.expire_all()
        alert = session.get_one(Alert, (make.tenant_id, finding.alert_id))
        ticket = session.get_one(Ticket, (make.tenant_id, finding.escalation_ticket_id))
        assert [finding.resolution, alert.resolution, ticket.resolution] == ["FALSE_POSITIVE"] * 3

    def test_a_ticket_with_another_finding_stays_open(
        self, make: Make, session: Session, finding: Finding
    ) -> None:
        other = make.row(
            Finding,
            {
                name: getattr(finding, name)
                for name in ("finding_type", "category", "severity", "title", "site_id")
            }
            | {"subject": "person:0", "window_start": AT, "window_end": AT + HOUR}
            | {"evidence": {}, "evidence_summary": "x"}
            | {"escalation_ticket_id": finding.escalation_ticket_id, "escalated_to_ticket": True},
        )
        resolve(finding.id, "FALSE_POSITIVE", note=None, user_id=None, now=AT)
        ticket = session.get_one(Ticket, (make.tenant_id, finding.escalation_ticket_id))
        assert ticket.status != "RESOLVED"

        resolve(other.id, "FALSE_POSITIVE", note=None, user_id=None, now=AT)
        session.refresh(ticket)
        assert ticket.resolution == "FALSE_POSITIVE"


class TestTuning:
    def alerts(self, make: Make, session: Session, baseline_id: int, *resolutions: str) -> None:
        for number, resolution in enumerate(resolutions):
            make.row(
                Alert,
                {
                    "alert_type": "BASELINE_ANOMALY",
                    "severity": "MEDIUM",
                    "message": "odd",
                    "dedup_key": f"b{baseline_id}:{number}",
                    "occurred_at": AT - dt.timedelta(days=3),
                    "last_seen_at": AT,
                    "status": "RESOLVED",
                    "resolution": resolution,
                    "detail": {"baseline_id": baseline_id},
                },
            )

    def taught(self, make: Make, session: Session, config: Settings, count: int) -> BaselineProfile:
        site = make.site()
        for number in range(count):
            value = 10.0 + (-1) ** number
            feed(
                [sample(site.id, value, AT - (number + 1) * HOUR)],
                config,
                tenant_id=make.tenant_id,
            )
        return rows(session, site.id)[0]

    def test_many_false_positives_make_it_tolerant_and_say_why(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        row = self.taught(make, session, config, 40)
        self.alerts(make, session, row.id, "FALSE_POSITIVE", "FALSE_POSITIVE", "CONFIRMED")

        changes = tuning.tune(tenant_id=make.tenant_id, now=AT)

        (change,) = [change for change in changes if change.baseline_id == row.id]
        assert (change.old_threshold, change.new_threshold) == (3.0, 4.0)
        assert change.new_false_positive_rate == pytest.approx(2 / 3)
        assert "67% of its judged alerts" in change.reason
        assert row.dynamic_threshold == 4.0

    def test_what_nobody_judged_says_nothing(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        row = self.taught(make, session, config, 40)
        self.alerts(make, session, row.id, "EXPIRED", "DUPLICATE")

        assert tuning.tune(tenant_id=make.tenant_id, now=AT) == []
        assert row.false_positive_rate == 0

    def test_it_calms_down_again_when_the_false_ones_are_a_month_old(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        row = self.taught(make, session, config, 40)
        self.alerts(make, session, row.id, "FALSE_POSITIVE")
        tuning.tune(tenant_id=make.tenant_id, now=AT)

        later = tuning.tune(tenant_id=make.tenant_id, now=AT + dt.timedelta(days=31))

        assert [(one.old_threshold, one.new_threshold) for one in later] == [(4.0, 3.0)]

    def test_tuning_twice_changes_nothing_twice(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        row = self.taught(make, session, config, 40)
        self.alerts(make, session, row.id, "FALSE_POSITIVE")

        assert len(tuning.tune(tenant_id=make.tenant_id, now=AT)) == 1
        assert tuning.tune(tenant_id=make.tenant_id, now=AT) == []

    def test_a_pinned_threshold_stays_until_it_is_let_go(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        row, user = self.taught(make, session, config, 40), make.user("admin")
        tuning.pin(row.id, 2.0, user_id=user.id, reason="Loud site", now=AT)
        self.alerts(make, session, row.id, "FALSE_POSITIVE")

        assert tuning.tune(tenant_id=make.tenant_id, now=AT) == []
        tuning.pin(row.id, None, user_id=user.id, reason="Quiet again", now=AT)

        kept = session.scalars(select(BaselineChange).order_by(BaselineChange.id)).all()
        assert [(one.action, one.old_threshold, one.new_threshold) for one in kept] == [
            ("pinned", 3.0, 2.0),
            ("unpinned", 2.0, 4.0),
        ]
        assert {one.user_id for one in kept} == {user.id}

    def test_reset_forgets_and_says_what(
        self, make: Make, session: Session, config: Settings
    ) -> None:
        row = self.taught(make, session, config, 40)

        tuning.reset(row.id, user_id=None, reason="New client", now=AT)

        assert (row.sample_count, row.mean, row.std_dev, row.is_stable) == (0, 0, 0, False)
        (change,) = session.scalars(select(BaselineChange)).all()
        assert change.reason.startswith("New client (forgotten: 40 samples, mean 10")


def test_slots_of_a_zone() -> None:
    sunday_night = dt.datetime(2026, 11, 15, 23, 30, tzinfo=dt.UTC)
    assert slots(sunday_night, ZoneInfo("UTC")) == {
        "hour_of_week": 167, "hour_of_day": 23, "all": 0,
    }  # fmt: skip
    assert slots(sunday_night, ZoneInfo("Europe/Berlin"))["hour_of_week"] == 0

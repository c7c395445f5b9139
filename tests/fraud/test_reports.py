"""What people look at: the latest scores, a person's, the heatmap, and how well it all does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.database.tenancy import tenant_context
from noc.extensions import settings
from noc.fraud import reports
from noc.fraud.heatmap import heatmap as by_cell
from noc.fraud.intervals import wilson
from noc.fraud.labels import label_punches
from noc.fraud.performance import performance
from noc.fraud.profiles import refresh_profiles
from noc.identity import tenants
from noc.rest.problems import Problem
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, newcomer, score, settled

HOUR = dt.timedelta(hours=1)
NOW = SHIFT_START + 2 * HOUR


def live(make: Make, min_score: float = 0.5, **kwargs: Any) -> list[dict[str, Any]]:
    return reports.live(min_score, tenant_id=make.tenant_id, now=NOW, **kwargs)


def heatmap(make: Make, days: int = 7, site_id: int | None = None, **kwargs: Any) -> dict[str, Any]:
    return by_cell(days, site_id, tenant_id=make.tenant_id, now=NOW, **kwargs)


def history(make: Make, person_id: int, days: int = 30, **kwargs: Any) -> dict[str, Any]:
    return reports.history(person_id, days, tenant_id=make.tenant_id, now=NOW, **kwargs)


def test_live_has_what_is_high_enough_latest_first(make: Make) -> None:
    guard = settled(make)
    score(guard.punch(SHIFT_START))
    early = score(guard.punch(SHIFT_START + HOUR / 2, mock_location=True))
    late = score(guard.punch(SHIFT_START + HOUR, mock_location=True))

    rows = live(make)

    assert [row["punch_id"] for row in rows] == [late.punch_id, early.punch_id]
    assert rows[0]["person_name"] == guard.person.name
    assert rows[0]["site_name"] == guard.site.name
    assert rows[0]["reasons"][0]["rule"] == "GPS_SPOOFING"
    assert len(live(make, 0.0)) == 3


def test_live_continues_after_a_row(make: Make) -> None:
    guard = settled(make)
    scores = [score(guard.punch(SHIFT_START + n * HOUR / 9, mock_location=True)) for n in range(3)]

    rest = live(make, before=(scores[1].occurred_at, scores[1].punch_id))

    assert [row["punch_id"] for row in rest] == [scores[0].punch_id]


def test_live_forgets_yesterday_and_voided_punches(make: Make, session: Session) -> None:
    guard = settled(make)
    score(guard.punch(NOW - 25 * HOUR, mock_location=True))
    voided = guard.punch(SHIFT_START, mock_location=True)
    score(voided)
    voided.voided_at = NOW
    session.flush()

    assert live(make) == []


def test_a_person_limited_to_a_site_sees_only_that_site(make: Make) -> None:
    mine, other = settled(make), settled(make)
    score(mine.punch(SHIFT_START, mock_location=True))
    score(other.punch(SHIFT_START, mock_location=True))
    only = frozenset({mine.site.id})

    assert [row["site_id"] for row in live(make, site_ids=only)] == [mine.site.id]
    assert [site["site_id"] for site in heatmap(make, site_ids=only)["sites"]] == [mine.site.id]
    with pytest.raises(Problem, match="person"):
        history(make, other.person.id, site_ids=only)
    with pytest.raises(Problem, match="site"):
        heatmap(make, site_id=other.site.id, site_ids=only)


def test_history_tells_scores_reasons_and_habits(make: Make) -> None:
    guard = settled(make)
    score(guard.punch(SHIFT_START - 24 * HOUR))
    scored = score(guard.punch(SHIFT_START, biometric_quality_score=0.4))
    refresh_profiles(tenant_id=make.tenant_id, now=NOW)

    told = history(make, guard.person.id)

    assert told["scores"][0]["fraud_score"] == scored.fraud_score
    assert told["scores"][0]["reasons"] == scored.reasons
    assert told["summary"]["punches"] == 2
    assert told["summary"]["by_risk_level"]["MINIMAL"] == 1
    assert told["summary"]["max_score"] == scored.fraud_score
    assert sum(told["habits"]["hour_histogram"]) == 30
    assert told["habits"]["hour_histogram"][8] + told["habits"]["hour_histogram"][7] == 30
    assert told["habits"]["weekday_histogram"][5:] == [0, 1]


def test_a_person_without_scores_has_an_empty_history(make: Make) -> None:
    told = history(make, make.person(make.site()).id)

    assert told["scores"] == []
    assert told["summary"]["mean_score"] is None
    assert told["habits"] is None


def test_the_heatmap_is_in_the_sites_own_time(make: Make) -> None:
    """Monday 02:30 UTC is Monday 08:00 in Mumbai and Sunday evening in New York."""
    mumbai = settled(make)
    york = settled(make, make.site(timezone="America/New_York", lat=40.7, lon=-74))
    score(mumbai.punch(SHIFT_START, mock_location=True))
    score(mumbai.punch(SHIFT_START + HOUR / 6))
    clean = score(york.punch(SHIFT_START))

    cells = {site["site_id"]: site for site in heatmap(make)["sites"]}

    here = cells[mumbai.site.id]
    assert here["count"][8] == 2
    assert here["share"][8] == 0.5
    assert 0.3 < here["mean"][8] < 0.5
    assert cells[york.site.id]["count"][6 * 24 + 21] == 1
    assert cells[york.site.id]["mean"][6 * 24 + 21] == pytest.approx(clean.fraud_score, abs=1e-4)


def test_an_empty_cell_is_not_a_zero(make: Make) -> None:
    guard = settled(make)
    score(guard.punch(SHIFT_START))

    site = heatmap(make)["sites"][0]

    assert site["mean"][8] is not None
    assert site["count"].count(0) == site["mean"].count(None) == site["share"].count(None) == 167


def test_reports_take_a_constant_number_of_queries(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    guard = settled(make)
    score(guard.punch(SHIFT_START, mock_location=True))

    def all_of_them() -> list[int]:
        make.session.expire_all()
        return [
            query_count(lambda: live(make)),
            query_count(lambda: heatmap(make)),
            query_count(lambda: history(make, guard.person.id)),
        ]

    before = all_of_them()
    for number in range(5):
        other = settled(make, days=2)
        score(other.punch(SHIFT_START + HOUR, mock_location=True))
        score(guard.punch(SHIFT_START + (number + 1) * HOUR / 10))

    assert all_of_them() == before


class TestPerformance:
    def test_without_labels_it_claims_nothing(self, make: Make) -> None:
        score(settled(make).punch(SHIFT_START, mock_location=True))

        told = performance(tenant_id=make.tenant_id, now=NOW, config=settings())

        assert told["active_model"] is None
        assert told["speaking"] == "rules"
        assert told["explanation"].startswith("No model yet")
        assert (told["scored"], told["anomalies"]) == (1, 1)
        assert told["rules"]["precision"] is None
        assert told["rules"]["recall"] is None

    def test_precision_counts_only_what_was_reviewed(self, make: Make) -> None:
        guard = settled(make)
        ids = [
            score(guard.punch(SHIFT_START + n * HOUR / 9, mock_location=True)).punch_id
            for n in range(5)
        ]
        verdicts = {ids[0]: True, ids[1]: True, ids[2]: True, ids[3]: False}
        label_punches(
            verdicts, tenant_id=make.tenant_id, source="review", labelled_by=None, now=NOW
        )

        told = performance(tenant_id=make.tenant_id, now=NOW, config=settings())

        assert told["rules"]["reviewed"] == 4
        assert told["rules"]["precision"] == 0.75
        low, high = told["rules"]["precision_interval_90"]
        assert low < 0.75 < high
        assert told["labels"]["by_source"] == {"review": {"fraud": 3, "genuine": 1}}

    def test_the_interval_is_wilsons(self) -> None:
        """Newcombe (1998), table I: 81 of 263 at 95 % gives .2553 to .3662."""
        assert wilson(81 / 263, 263, z=1.96) == pytest.approx((0.2553, 0.3662), abs=5e-5)


class TestProfiles:
    def test_refreshing_twice_is_the_same_as_once(self, make: Make, session: Session) -> None:
        guard = settled(make)

        first = refresh_profiles(tenant_id=make.tenant_id, now=NOW)
        second = refresh_profiles(tenant_id=make.tenant_id, now=NOW)

        assert (first, second) == (1, 0)
        assert history(make, guard.person.id)["habits"]["sites"] == {str(guard.site.id): 56}

    def test_only_who_changed_is_made_anew(self, make: Make, session: Session) -> None:
        calm, busy, late = settled(make), settled(make), settled(make)
        settled(make, days=60)
        refresh_profiles(tenant_id=make.tenant_id, now=NOW)

        def made(now: dt.datetime) -> int:
            return refresh_profiles(tenant_id=make.tenant_id, now=now)

        busy.punch(NOW + HOUR, received_at=NOW + HOUR)
        assert made(NOW + 2 * HOUR) == 1
        # Sent days after it was made, and voided since.
        late.punch(NOW - 50 * HOUR, received_at=NOW + 3 * HOUR)
        gone = session.scalars(
            select(AttendanceEvent).where(AttendanceEvent.person_id == calm.person.id)
        ).first()
        assert gone is not None
        gone.voided_at, gone.void_reason = NOW + 3 * HOUR, "A mistake."
        session.flush()
        assert made(NOW + 26 * HOUR) == 2
        assert history(make, calm.person.id)["habits"]["punches"] == 55
        assert history(make, busy.person.id)["habits"]["as_of"] == (NOW + 26 * HOUR).isoformat()

    def test_who_has_a_punch_that_became_too_old_is_made_anew(self, make: Make) -> None:
        guard, _ = settled(make, days=89), settled(make, days=40)
        refresh_profiles(tenant_id=make.tenant_id, now=NOW)
        before = history(make, guard.person.id)["habits"]["punches"]

        assert refresh_profiles(tenant_id=make.tenant_id, now=NOW + 72 * HOUR) == 1
        assert history(make, guard.person.id)["habits"]["punches"] < before

    def test_times_go_round_the_clock(self, make: Make) -> None:
        guard = newcomer(make)
        # 23:50 and 00:10 in Mumbai, five of each, and twenty seconds less each.
        midnight = dt.datetime(2026, 11, 5, 18, 30, tzinfo=dt.UTC)
        for day in range(5):
            for minutes in (-10, 10):
                guard.punch(midnight + dt.timedelta(days=day, minutes=minutes, seconds=-20))
        refresh_profiles(tenant_id=make.tenant_id, now=NOW)

        clock = history(make, guard.person.id)["habits"]["metrics"]["clock_in"]
        assert (clock["minute"], clock["count"]) == (0, 10)
        assert clock["concentration"] == pytest.approx(0.999, abs=1e-3)

    def test_a_newcomer_is_usual_like_the_site_and_an_old_hand_like_himself(
        self, make: Make
    ) -> None:
        old = settled(make)
        new = newcomer(make, old.site)
        new.punch(NOW - HOUR, biometric_quality_score=0.5)
        refresh_profiles(tenant_id=make.tenant_id, now=NOW)

        def usual(person_id: int) -> dict[str, Any]:
            found: dict[str, Any] = history(make, person_id)["habits"]["metrics"]
            return found["biometric_quality_score"]

        own, site = usual(old.person.id), (0.92 * 56 + 0.5) / 57
        assert own["usual"] == pytest.approx(own["mean"], abs=0.005)
        assert usual(new.person.id)["mean"] == 0.5
        assert usual(new.person.id)["usual"] == pytest.approx((0.5 + 10 * site) / 11, abs=0.01)

    def test_an_older_run_that_ends_later_changes_nothing(self, make: Make) -> None:
        guard = settled(make)
        refresh_profiles(tenant_id=make.tenant_id, now=NOW)

        refresh_profiles(tenant_id=make.tenant_id, now=NOW - 48 * HOUR)

        assert history(make, guard.person.id)["habits"]["as_of"] == NOW.isoformat()

    def test_who_no_longer_punches_has_no_habits(self, make: Make) -> None:
        guard = settled(make)
        refresh_profiles(tenant_id=make.tenant_id, now=NOW)

        refresh_profiles(tenant_id=make.tenant_id, now=NOW + dt.timedelta(days=120))

        assert history(make, guard.person.id)["habits"] is None


def test_another_tenant_has_reports_of_its_own(make: Make, session: Session) -> None:
    guard = settled(make)
    score(guard.punch(SHIFT_START, mock_location=True))
    rival = tenants.create_tenant("rival", "Rival Guarding")

    with tenant_context(session, rival.id):
        assert reports.live(0.0, tenant_id=rival.id, now=NOW) == []
        assert by_cell(7, tenant_id=rival.id, now=NOW)["sites"] == []
        with pytest.raises(Problem, match="person"):
            reports.history(guard.person.id, tenant_id=rival.id, now=NOW)

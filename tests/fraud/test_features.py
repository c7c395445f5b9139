"""The twelve features are those of the moment of the punch, whenever they are computed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from noc.database.partitions import ensure_partitions
from noc.database.tenancy import tenant_context
from noc.fraud.features import FEATURES, collect
from noc.fraud.labels import label_punches
from noc.fraud.rules import assess
from noc.fraud.scoring import score_punches
from noc.identity import tenants
from noc.telemetry.models import Checkpoint, JobNeed, LocationUpdate
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, Guard, at, newcomer, payload, settled

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def features(make: Make, punch_id: int) -> dict[str, float]:
    frame = collect([punch_id], tenant_id=make.tenant_id)
    return dict(zip(FEATURES, frame.values[0].tolist(), strict=True))


def test_the_order_of_the_features_is_the_blueprints() -> None:
    assert FEATURES == (
        "biometric_quality_score",
        "gps_accuracy",
        "geofence_distance_meters",
        "time_of_day_anomaly_score",
        "day_of_week_pattern_score",
        "velocity_kmh",
        "historical_fraud_rate",
        "consecutive_violations",
        "tour_completion_rate",
        "phone_signal_strength",
        "battery_level",
        "location_update_frequency",
    )


def test_what_the_phone_did_not_report_is_missing_and_not_zero(make: Make) -> None:
    measured = (
        "lat",
        "lon",
        "gps_accuracy",
        "biometric_quality_score",
        "mock_location",
        "device_id",
        "phone_signal_strength",
        "battery_level",
    )
    nothing = dict.fromkeys(measured)
    punch = newcomer(make).punch(**nothing)

    values = features(make, punch.id)

    assert values.pop("consecutive_violations") == 0
    assert all(np.isnan(value) for value in values.values())


def test_the_phones_own_figures_pass_through(make: Make) -> None:
    punch = newcomer(make).punch(
        biometric_quality_score=0.87, gps_accuracy=9, phone_signal_strength=-71, battery_level=44
    )

    values = features(make, punch.id)

    assert values["biometric_quality_score"] == 0.87
    assert values["gps_accuracy"] == 9
    assert values["phone_signal_strength"] == -71
    assert values["battery_level"] == 44


def test_the_distance_is_counted_from_the_fence(make: Make) -> None:
    guard = newcomer(make)
    inside = guard.punch(**at(guard.site, north=140))
    outside = guard.punch(SHIFT_START + HOUR, **at(guard.site, north=450))

    assert features(make, inside.id)["geofence_distance_meters"] == 0
    assert features(make, outside.id)["geofence_distance_meters"] == pytest.approx(300, rel=0.01)


def test_velocity_counts_from_the_previous_located_punch_at_any_site(make: Make) -> None:
    guard = newcomer(make)
    far = make.site(lat=guard.site.lat + 0.9, lon=guard.site.lon)
    exact = {"gps_accuracy": 0.0}
    guard.punch(SHIFT_START - HOUR, at_site=far, **at(far, 0), **exact)
    guard.punch(SHIFT_START - HOUR / 2, lat=None, lon=None)

    values = features(make, guard.punch(SHIFT_START, **at(guard.site, 0), **exact).id)

    assert values["velocity_kmh"] == pytest.approx(100.0, rel=0.01)


def test_a_person_standing_still_has_no_velocity(make: Make) -> None:
    guard = newcomer(make)
    guard.punch(SHIFT_START - HOUR / 60, **at(guard.site, 0), gps_accuracy=20.0)

    punch = guard.punch(SHIFT_START, **at(guard.site, 30), gps_accuracy=20.0)

    assert features(make, punch.id)["velocity_kmh"] == 0


def test_hours_are_those_of_the_sites_clock_across_a_change_of_summer_time(make: Make) -> None:
    """08:00 in London is 07:00 UTC in October and 08:00 UTC in November."""
    guard = newcomer(make, make.site(timezone="Europe/London", lat=51.5, lon=-0.12))
    changed = dt.datetime(2026, 10, 25, tzinfo=dt.UTC)
    for ago in range(1, 61):
        day = dt.datetime(2026, 11, 16, tzinfo=dt.UTC) - ago * DAY
        guard.punch(day + (7 if day < changed else 8) * HOUR)

    values = features(make, guard.punch(dt.datetime(2026, 11, 16, 8, tzinfo=dt.UTC)).id)
    at_night = features(make, guard.punch(dt.datetime(2026, 11, 16, 1, tzinfo=dt.UTC)).id)

    assert values["time_of_day_anomaly_score"] == 0
    assert at_night["time_of_day_anomaly_score"] > 0.8


def test_a_sunday_does_not_fit_a_guard_of_weekdays(make: Make) -> None:
    guard = settled(make, days=90)

    monday = features(make, guard.punch(SHIFT_START).id)
    sunday = features(make, guard.punch(SHIFT_START - DAY).id)

    assert monday["day_of_week_pattern_score"] == 1
    assert sunday["day_of_week_pattern_score"] < 0.3


def test_a_presence_confirmation_has_no_habits_of_its_own(make: Make) -> None:
    values = features(make, settled(make).punch(kind="presence").id)

    assert np.isnan(values["time_of_day_anomaly_score"])
    assert np.isnan(values["day_of_week_pattern_score"])


def test_completion_counts_checkpoints_scanned_in_time_last_week(make: Make) -> None:
    guard = newcomer(make)
    walked(guard, SHIFT_START - 2 * DAY, scanned=3, late=1, missed=1)
    walked(guard, SHIFT_START - 9 * DAY, scanned=0, late=0, missed=5)
    walked(guard, SHIFT_START + HOUR, scanned=0, late=0, missed=5)

    assert features(make, guard.punch(SHIFT_START).id)["tour_completion_rate"] == pytest.approx(0.6)


def test_fixes_are_counted_by_the_hour_over_two_hours(make: Make, session: Session) -> None:
    guard = newcomer(make)
    for minutes in (5, 25, 45, 65, 85, 105, 130, 600):
        located(session, guard, SHIFT_START - dt.timedelta(minutes=minutes))

    assert features(make, guard.punch(SHIFT_START).id)["location_update_frequency"] == 3


def test_a_phone_known_to_report_that_fell_silent_is_zero(make: Make, session: Session) -> None:
    guard = newcomer(make)
    located(session, guard, SHIFT_START - 30 * HOUR)

    assert features(make, guard.punch(SHIFT_START).id)["location_update_frequency"] == 0


class TestVerdicts:
    def test_a_person_nobody_reviewed_has_no_rate(self, make: Make) -> None:
        assert np.isnan(features(make, settled(make).punch().id)["historical_fraud_rate"])

    def test_the_rate_is_shrunk_to_the_base_rate(self, make: Make) -> None:
        guard = newcomer(make)
        judged(guard, SHIFT_START - 5 * DAY, fraud=True)
        judged(guard, SHIFT_START - 4 * DAY, fraud=False)

        values = features(make, guard.punch(SHIFT_START).id)

        assert values["historical_fraud_rate"] == pytest.approx((1 + 5 * 0.01) / (2 + 5))

    def test_violations_count_back_to_the_last_genuine_punch(self, make: Make) -> None:
        guard = newcomer(make)
        for day, fraud in ((6, True), (5, False), (4, True), (3, True)):
            judged(guard, SHIFT_START - day * DAY, fraud=fraud)

        assert features(make, guard.punch(SHIFT_START).id)["consecutive_violations"] == 2

    def test_a_verdict_of_the_very_moment_is_not_known_yet(self, make: Make) -> None:
        guard = newcomer(make)
        judged(guard, SHIFT_START - DAY, fraud=True, at=SHIFT_START)

        assert features(make, guard.punch(SHIFT_START).id)["consecutive_violations"] == 0


@pytest.mark.parametrize("seed", range(6))
def test_nothing_that_came_after_a_punch_changes_its_features(
    make: Make, session: Session, seed: int
) -> None:
    chance = random.Random(seed)
    site = make.site()
    guard, other = settled(make, site, days=20), settled(make, site, days=5)
    happenings(session, chance, guard, other, before=True)
    punch = guard.punch(SHIFT_START, device_id=chance.choice((guard.phone.id, other.phone.id)))
    before = collect([punch.id], tenant_id=make.tenant_id)

    happenings(session, chance, guard, other, before=False)
    after = collect([punch.id], tenant_id=make.tenant_id)

    np.testing.assert_array_equal(before.values, after.values)
    np.testing.assert_array_equal(
        assess(before.evidence).strengths, assess(after.evidence).strengths
    )
    assert not np.isnan(before.values[0, FEATURES.index("historical_fraud_rate")])


def test_a_punch_has_the_same_features_alone_and_in_any_batch(make: Make, session: Session) -> None:
    chance = random.Random(7)
    site = make.site()
    guards = [settled(make, site, days=days) for days in (3, 12, 30)]
    happenings(session, chance, guards[0], guards[1], before=True)
    punches = [
        guard.punch(SHIFT_START - ago * DAY, kind=kind)
        for guard in guards
        for ago, kind in ((0, "in"), (0.3, "presence"), (15, "out"), (45, "in"))
    ]
    ids = [punch.id for punch in punches]

    together = collect(ids, tenant_id=make.tenant_id)
    alone = [collect([punch_id], tenant_id=make.tenant_id) for punch_id in ids]

    np.testing.assert_array_equal(together.values, np.vstack([one.values for one in alone]))
    np.testing.assert_array_equal(
        assess(together.evidence).strengths,
        np.vstack([assess(one.evidence).strengths for one in alone]),
    )


def test_the_number_of_queries_does_not_grow_with_the_batch(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    guards = [settled(make, days=4) for _ in range(6)]
    ids = [guard.punch().id for guard in guards]

    one = query_count(lambda: collect(ids[:1], tenant_id=make.tenant_id))
    six = query_count(lambda: collect(ids, tenant_id=make.tenant_id))

    assert one == six == 9


def test_voided_and_unknown_punches_are_left_out(make: Make) -> None:
    guard = settled(make, days=3)
    good, voided = guard.punch(), guard.punch(SHIFT_START + HOUR)
    voided.voided_at = SHIFT_START
    make.session.flush()

    frame = collect([good.id, voided.id, 10**12], tenant_id=make.tenant_id)

    assert frame.punch_ids.tolist() == [good.id]
    assert frame.values[0, FEATURES.index("battery_level")] == good.battery_level


def test_a_voided_punch_is_no_previous_punch(make: Make) -> None:
    guard = newcomer(make)
    far = make.site(lat=guard.site.lat + 3)
    wrong = guard.punch(SHIFT_START - HOUR, at_site=far, **payload(far))
    wrong.voided_at = SHIFT_START
    make.session.flush()

    assert np.isnan(features(make, guard.punch(SHIFT_START).id)["velocity_kmh"])


def test_another_tenants_punches_are_nobodys_business(make: Make, session: Session) -> None:
    punch_id = newcomer(make).punch().id
    rival = tenants.create_tenant("rival", "Rival Guarding")

    with tenant_context(session, rival.id):
        assert len(collect([punch_id], tenant_id=rival.id)) == 0
        assert len(collect([punch_id], tenant_id=make.tenant_id)) == 0


def happenings(
    session: Session, chance: random.Random, guard: Guard, other: Guard, *, before: bool
) -> None:
    """Punches, verdicts, fixes and rounds of everybody, at random, all on one side of 08:00."""

    def moment(hours: float = 100.0) -> dt.datetime:
        gap = dt.timedelta(hours=chance.uniform(0.001, hours))
        return SHIFT_START - gap if before else SHIFT_START + gap

    for _ in range(6):
        who = chance.choice((guard, other))
        kind = chance.choice(("in", "out", "presence"))
        who.punch(moment(), kind=kind, device_id=chance.choice((guard, other)).phone.id)
    guard.punch(SHIFT_START - DAY if before else SHIFT_START, external_id=f"same{before}")
    for _ in range(4):
        punched = guard.punch(SHIFT_START - chance.uniform(1, 9) * DAY) if before else None
        known = [punched] if punched else [guard.punch(moment())]
        judged_punch(known[0], fraud=chance.random() < 0.5, at=moment(20))
        located(session, guard, moment(3))
        located(session, guard, moment(0.5))
    due = (SHIFT_START - 2 * DAY if before else SHIFT_START) + chance.uniform(0, 20) * HOUR
    walked(guard, due + dt.timedelta(seconds=1), scanned=2, late=1, missed=1)


def judged(guard: Guard, when: dt.datetime, *, fraud: bool, at: dt.datetime | None = None) -> None:
    judged_punch(guard.punch(when), fraud=fraud, at=at or when + HOUR)


def judged_punch(punch: Any, *, fraud: bool, at: dt.datetime) -> None:
    score_punches([punch.id], tenant_id=punch.tenant_id, now=punch.occurred_at)
    label_punches(
        {punch.id: fraud}, tenant_id=punch.tenant_id, source="review", labelled_by=None, now=at
    )


def located(session: Session, guard: Guard, moment: dt.datetime) -> None:
    ensure_partitions(session, [moment])
    values = {"external_id": f"fix{moment.isoformat()}", "person_id": guard.person.id}
    guard.make.row(
        LocationUpdate, values | {"occurred_at": moment, "accuracy": 12.0, **at(guard.site, 20)}
    )


def walked(guard: Guard, due: dt.datetime, *, scanned: int, late: int, missed: int) -> None:
    """A round due at ``due``: checkpoints scanned in time, too late, and not at all."""
    make, site = guard.make, guard.site
    common = {
        "person_id": guard.person.id,
        "site_id": site.id,
        "starts_at": due - HOUR,
        "expires_at": due,
    }
    tour = make.row(JobNeed, common | {"kind": "tour"})
    ends = [due - HOUR / 2] * scanned + [due + HOUR / 2] * late + [None] * missed
    for number, end in enumerate(ends):
        code = f"C{tour.id}-{number}"
        checkpoint = make.row(Checkpoint, {"code": code, "name": code, "site_id": site.id})
        row = {"kind": "checkpoint", "parent_id": tour.id, "checkpoint_id": checkpoint.id}
        make.row(JobNeed, common | row | {"endtime": end})

"""Each typology of attendance fraud is recognised, and its innocent look-alike is not."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.database.partitions import ensure_partitions
from noc.fraud.labels import label_punches
from noc.fraud.scoring import PunchScore
from noc.telemetry.models import LocationUpdate
from tests.factories import Make
from tests.fraud.stories import SHIFT_START, Guard, at, newcomer, payload, score, settled, weight

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


def suspicious_of(scored: PunchScore, anomaly_type: str) -> bool:
    return anomaly_type in scored.anomaly_types and scored.alert_id is not None


def quiet(scored: PunchScore) -> bool:
    return scored.fraud_score < 0.4 and not scored.anomaly_types and scored.alert_id is None


def test_an_ordinary_punch_is_minimal(make: Make) -> None:
    scored = score(settled(make).punch())

    assert scored.risk_level == "MINIMAL"
    assert scored.fraud_score < 0.2
    assert quiet(scored)


class TestGeofence:
    def test_a_punch_from_far_outside(self, make: Make) -> None:
        guard = settled(make)

        scored = score(guard.punch(**at(guard.site, north=900)))

        assert suspicious_of(scored, "GEOFENCE_VIOLATION")
        assert "outside the geofence" in scored.reasons[0]["sentence"]

    def test_jitter_at_the_fence_is_innocent(self, make: Make) -> None:
        guard = settled(make)

        scored = score(guard.punch(**at(guard.site, north=185), gps_accuracy=30.0))

        assert quiet(scored)

    def test_a_polygon_goes_before_the_radius(self, make: Make) -> None:
        site = make.site()
        corners = [(-400, -400), (-400, 400), (400, 400), (400, -400)]
        points = [at(site, north, east) for north, east in corners]
        site.geofence_polygon = [[point["lon"], point["lat"]] for point in points]
        make.session.flush()
        guard = settled(make, site)

        inside = score(guard.punch(**at(site, north=390)))
        outside = score(guard.punch(SHIFT_START + 10 * MINUTE, **at(site, north=1_000)))

        assert quiet(inside)
        assert suspicious_of(outside, "GEOFENCE_VIOLATION")
        assert outside.reasons[0]["value"] == pytest.approx(600, rel=0.01)


class TestSpoofing:
    def test_the_mock_flag(self, make: Make) -> None:
        scored = score(settled(make).punch(mock_location=True))

        assert suspicious_of(scored, "GPS_SPOOFING")
        assert scored.risk_level == "HIGH"
        assert scored.ticket_id is None

    def test_a_mocked_position_in_the_very_centre(self, make: Make) -> None:
        guard = settled(make)
        centre = {"lat": guard.site.lat, "lon": guard.site.lon, "gps_accuracy": 3.0}

        scored = score(guard.punch(mock_location=True, **centre))

        assert scored.risk_level == "CRITICAL"
        assert scored.ticket_id is not None

    def test_the_phone_itself_was_elsewhere(self, make: Make, session: Session) -> None:
        guard = settled(make)
        fix_at(session, guard, north=40_000, minutes_before=5)

        scored = score(guard.punch(SHIFT_START))

        assert suspicious_of(scored, "GPS_SPOOFING")
        assert "km away 5 min before" in scored.reasons[0]["sentence"]

    def test_a_phone_on_its_way_to_work_is_innocent(self, make: Make, session: Session) -> None:
        guard = settled(make)
        fix_at(session, guard, north=4_000, minutes_before=8)

        assert quiet(score(guard.punch(SHIFT_START)))

    def test_a_precise_fix_is_innocent(self, make: Make) -> None:
        guard = settled(make)

        assert quiet(score(guard.punch(**at(guard.site, north=6, east=-4), gps_accuracy=4.0)))

    def test_coordinates_repeated_to_the_last_digit(self, make: Make) -> None:
        guard = settled(make)
        spot = {"lat": guard.site.lat + 0.000123456, "lon": guard.site.lon - 0.000234567}
        for day in range(1, 9):
            guard.punch(SHIFT_START - dt.timedelta(days=day) + 3 * HOUR, **spot)

        assert weight(score(guard.punch(**spot)), "GPS_SPOOFING") >= 0.4

    def test_a_phone_that_rounds_its_coordinates_is_innocent(self, make: Make) -> None:
        guard = settled(make)
        spot = {"lat": round(guard.site.lat, 5), "lon": round(guard.site.lon, 5)}
        for day in range(1, 9):
            guard.punch(SHIFT_START - dt.timedelta(days=day), **spot)

        assert quiet(score(guard.punch(**spot)))


class TestTravel:
    def test_two_cities_within_the_hour(self, make: Make) -> None:
        guard = settled(make)
        far = make.site(lat=guard.site.lat + 3, lon=guard.site.lon)
        guard.punch(SHIFT_START - HOUR, at_site=far, kind="out", **payload(far))

        scored = score(guard.punch(SHIFT_START))

        assert suspicious_of(scored, "IMPOSSIBLE_TRAVEL")
        assert "km/h" in scored.reasons[0]["sentence"]

    def test_a_bus_between_two_posts_is_innocent(self, make: Make) -> None:
        guard = settled(make)
        other = make.site(lat=guard.site.lat + 0.12, lon=guard.site.lon)
        guard.punch(SHIFT_START - 25 * MINUTE, at_site=other, kind="out", **payload(other))

        assert quiet(score(guard.punch(SHIFT_START)))


class TestBuddies:
    def test_a_colleagues_phone_a_minute_later(self, make: Make) -> None:
        ali, binu = pair(make)
        ali.punch(SHIFT_START)

        scored = score(binu.punch(SHIFT_START + MINUTE, device_id=ali.phone.id))

        assert suspicious_of(scored, "BUDDY_PUNCHING")
        assert scored.fraud_type == "BUDDY_PUNCHING"
        assert ali.person.name in scored.reasons[0]["sentence"]

    def test_with_another_face_it_is_critical(self, make: Make) -> None:
        ali, binu = pair(make)
        ali.punch(SHIFT_START)

        scored = score(
            binu.punch(SHIFT_START + MINUTE, device_id=ali.phone.id, biometric_quality_score=0.41)
        )

        assert scored.risk_level == "CRITICAL"
        assert scored.anomaly_types[:2] == ["BUDDY_PUNCHING", "BIOMETRIC_MISMATCH"]
        assert scored.ticket_id is not None

    def test_a_new_phone_is_innocent(self, make: Make) -> None:
        guard = settled(make)

        assert quiet(score(guard.punch(device_id=make.device().id)))

    def test_a_phone_of_the_post_that_all_use_is_innocent(self, make: Make) -> None:
        site, kiosk = make.site(), make.device()
        guards = [settled(make, site, days=5) for _ in range(4)]
        for day in range(1, 6):
            for number, guard in enumerate(guards):
                moment = SHIFT_START - dt.timedelta(days=day) + number * 3 * MINUTE
                guard.punch(moment, device_id=kiosk.id)
        guards[0].punch(SHIFT_START, device_id=kiosk.id)

        assert quiet(score(guards[1].punch(SHIFT_START + 2 * MINUTE, device_id=kiosk.id)))

    def test_the_colleague_of_an_hour_ago_is_innocent(self, make: Make) -> None:
        ali, binu = pair(make)
        shared = make.device()
        ali.punch(SHIFT_START - HOUR, device_id=shared.id)

        assert quiet(score(binu.punch(SHIFT_START, device_id=shared.id)))


class TestSites:
    def test_at_a_strange_site_while_rostered_elsewhere(self, make: Make) -> None:
        guard, strange = settled(make), make.site()
        guard.roster(0)

        scored = score(guard.punch(SHIFT_START + HOUR, at_site=strange, **payload(strange)))

        assert suspicious_of(scored, "UNAUTHORIZED_SITE")

    def test_a_swapped_shift_is_innocent(self, make: Make) -> None:
        ali, binu = settled(make), settled(make)
        ali.roster(5)
        shift = make.shift(binu.person, binu.site, SHIFT_START)
        shift.swapped_with_id = ali.person.id
        make.session.flush()

        assert quiet(score(ali.punch(SHIFT_START, at_site=binu.site, **payload(binu.site))))

    def test_on_duty_at_two_sites_at_once(self, make: Make) -> None:
        guard = settled(make)
        other = make.site(lat=guard.site.lat + 0.1)
        guard.roster(0)
        guard.punch(SHIFT_START)

        scored = score(guard.punch(SHIFT_START + 2 * HOUR, at_site=other, **payload(other)))

        assert suspicious_of(scored, "OVERLAPPING_SHIFT")

    def test_a_forgotten_clock_out_is_innocent(self, make: Make) -> None:
        guard = settled(make)
        other = make.site(lat=guard.site.lat + 0.1)
        guard.roster(0)
        guard.roster(1, site=other, starts=8)
        guard.punch(SHIFT_START - 15 * HOUR, at_site=other, **payload(other))

        assert quiet(score(guard.punch(SHIFT_START)))


class TestTimes:
    def test_an_hour_never_worked(self, make: Make) -> None:
        guard = settled(make, days=90)

        scored = score(guard.punch(SHIFT_START - 5 * HOUR - 24 * HOUR))

        assert suspicious_of(scored, "UNUSUAL_TIME")
        assert "usually around 0" in scored.reasons[0]["sentence"]

    def test_a_rostered_night_is_innocent(self, make: Make) -> None:
        guard = settled(make, days=90)
        guard.roster(0, starts=-5)

        assert quiet(score(guard.punch(SHIFT_START - 5 * HOUR)))

    def test_the_first_week_of_a_new_guard_is_innocent(self, make: Make) -> None:
        guard = newcomer(make)
        for day, hour in ((1, 0), (2, 8), (3, 16)):
            guard.punch(SHIFT_START - dt.timedelta(days=day) + hour * HOUR)

        assert quiet(score(guard.punch(SHIFT_START + 4 * HOUR)))

    def test_a_late_bus_is_innocent(self, make: Make) -> None:
        assert quiet(score(settled(make, days=90).punch(SHIFT_START + 95 * MINUTE)))

    def test_on_approved_leave(self, make: Make) -> None:
        guard = settled(make)
        make.absence(guard.person, SHIFT_START - HOUR)

        scored = score(guard.punch(SHIFT_START))

        assert suspicious_of(scored, "UNUSUAL_TIME")
        assert "approved leave" in scored.reasons[0]["sentence"]


class TestFaces:
    def test_another_face(self, make: Make) -> None:
        scored = score(settled(make).punch(biometric_quality_score=0.42))

        assert suspicious_of(scored, "BIOMETRIC_MISMATCH")
        assert scored.reasons[0]["usual"] == pytest.approx(0.92, abs=0.03)

    def test_bad_light_is_innocent(self, make: Make) -> None:
        assert quiet(score(settled(make).punch(biometric_quality_score=0.72)))

    def test_a_camera_that_is_always_poor_is_innocent(self, make: Make) -> None:
        guard = newcomer(make)
        for day in range(1, 15):
            guard.punch(SHIFT_START - dt.timedelta(days=day), biometric_quality_score=0.55)

        assert quiet(score(guard.punch(biometric_quality_score=0.54)))

    def test_no_biometric_score_is_no_evidence(self, make: Make) -> None:
        assert quiet(score(settled(make).punch(biometric_quality_score=None)))


class TestReplays:
    @pytest.mark.parametrize("kind", ["in", "presence"])
    def test_an_earlier_payload_again(self, make: Make, kind: str) -> None:
        guard = settled(make)
        recorded = payload(guard.site)
        guard.punch(SHIFT_START - 26 * HOUR, kind=kind, **recorded)

        scored = score(guard.punch(kind=kind, **recorded))

        assert suspicious_of(scored, "REPLAYED_PUNCH")
        assert scored.risk_level == "CRITICAL"

    def test_a_clock_in_of_two_months_ago_again(self, make: Make) -> None:
        guard = settled(make)
        recorded = payload(guard.site)
        guard.punch(SHIFT_START - dt.timedelta(days=60), **recorded)

        assert suspicious_of(score(guard.punch(**recorded)), "REPLAYED_PUNCH")

    def test_the_same_place_with_another_face_score_is_innocent(self, make: Make) -> None:
        guard = settled(make)
        recorded = payload(guard.site)
        guard.punch(SHIFT_START - 26 * HOUR, **recorded)

        again = recorded | {"biometric_quality_score": 0.8711}
        assert quiet(score(guard.punch(**again)))

    def test_a_phone_without_network_for_a_day_is_innocent(self, make: Make) -> None:
        guard = settled(make)

        assert quiet(score(guard.punch(SHIFT_START, received_at=SHIFT_START + 30 * HOUR)))


def test_a_confirmed_past_alone_never_raises_a_clean_punch(make: Make) -> None:
    guard = settled(make)
    convict(guard.punch(SHIFT_START - 20 * HOUR), SHIFT_START - 10 * HOUR)

    assert score(guard.punch()).fraud_score < 0.2


def test_a_confirmed_past_strengthens_what_speaks_against_a_punch(make: Make) -> None:
    innocent, guilty = settled(make), settled(make)
    for hours in (60, 40, 20):
        convict(guilty.punch(SHIFT_START - hours * HOUR), SHIFT_START - 10 * HOUR)

    clean = score(innocent.punch(biometric_quality_score=0.42))
    known = score(guilty.punch(biometric_quality_score=0.42))

    assert known.fraud_score > clean.fraud_score + 0.03
    assert "3 of 3 reviewed punches" in " ".join(r["sentence"] for r in known.reasons)


def convict(punch: AttendanceEvent, when: dt.datetime) -> None:
    score(punch)
    verdict = {punch.id: True}
    label_punches(verdict, tenant_id=punch.tenant_id, source="review", labelled_by=None, now=when)


def pair(make: Make) -> tuple[Guard, Guard]:
    site = make.site()
    return settled(make, site), settled(make, site)


def fix_at(session: Session, guard: Guard, north: float, minutes_before: int) -> None:
    moment = SHIFT_START - minutes_before * MINUTE
    ensure_partitions(session, [moment])
    guard.make.row(
        LocationUpdate,
        {
            "external_id": f"fix{moment.isoformat()}",
            "person_id": guard.person.id,
            "occurred_at": moment,
            "accuracy": 15.0,
            **at(guard.site, north),
        },
    )

"""All rules once an hour: activity, movement, rounds; and who is excused."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.audit.models import Finding
from noc.workforce.models import Shift
from tests.audit.conftest import AT, HOUR, MINUTE, Post, cycle, found, on_post
from tests.factories import Make


def findings(session: Session, finding_type: str) -> list[Finding]:
    session.expire_all()
    query = select(Finding).where(Finding.finding_type == finding_type)
    return list(session.scalars(query.order_by(Finding.id)))


class TestActivity:
    def test_ordinary_work_is_no_finding(self, make: Make, post: Post) -> None:
        post.busy()

        assert found(cycle(make, "comprehensive")) == []

    def test_a_phone_that_is_heard_but_never_used_is_one(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.hear(*range(0, 180, 10))

        assert found(cycle(make, "comprehensive")) == ["LOW_ACTIVITY"]
        (finding,) = findings(session, "LOW_ACTIVITY")
        assert finding.severity == "MEDIUM"
        assert finding.escalation_ticket_id is None
        assert finding.evidence["signals"]["phone_events_count"] == 0

    def test_it_is_said_once_and_is_over_when_there_is_activity(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.hear(*range(-60, 180, 10))
        cycle(make, "comprehensive")
        cycle(make, "comprehensive", at=AT + 30 * MINUTE)
        assert len(findings(session, "LOW_ACTIVITY")) == 1
        post.hear(-40, -45, -50, kind="phone_event", event_type="call")

        cycle(make, "comprehensive", at=AT + HOUR)

        assert [finding.resolution for finding in findings(session, "LOW_ACTIVITY")] == ["EXPIRED"]

    def test_whoever_is_silent_is_not_called_idle_too(self, make: Make, post: Post) -> None:
        assert found(cycle(make, "comprehensive")) == ["DEVICE_SILENT"]

    def test_nobody_is_judged_before_two_hours_on_duty(self, make: Make) -> None:
        late = on_post(make, since=AT - 119 * MINUTE)
        late.hear(*range(0, 110, 10))

        assert found(cycle(make, "comprehensive")) == []


class TestMovement:
    def test_somebody_with_a_round_who_does_not_move_is_a_finding(
        self, make: Make, post: Post
    ) -> None:
        post.busy_in_place()
        post.round(30)

        assert "NO_MOVEMENT" in found(cycle(make, "comprehensive"))

    def test_a_desk_is_for_sitting_at(self, make: Make, post: Post) -> None:
        post.busy_in_place()

        assert found(cycle(make, "comprehensive")) == []


class TestRounds:
    def test_one_that_nobody_walked_is_missed(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.busy()
        job, _ = post.round(20)

        cycle(make, "comprehensive")

        (finding,) = findings(session, "TOUR_MISSED")
        assert finding.severity == "HIGH"
        assert finding.escalated_to_ticket
        assert finding.evidence["tour_job_id"] == job.id
        assert (finding.window_start, finding.window_end) == (job.starts_at, job.expires_at)

    def test_one_walked_in_time_is_none(self, make: Make, post: Post) -> None:
        post.busy()
        _, tags = post.round(20)
        for n, tag in enumerate(tags):
            post.scan(tag, 40 - n)

        assert found(cycle(make, "comprehensive")) == []

    def test_one_walked_in_part_is_not_finished(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.busy()
        _, tags = post.round(20)
        post.scan(tags[0], 40)

        cycle(make, "comprehensive")

        (finding,) = findings(session, "TOUR_MISSED")
        assert finding.severity == "MEDIUM"
        assert "1 of 3 checkpoints" in finding.evidence_summary

    def test_one_walked_after_its_time_is_late(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.busy()
        _, tags = post.round(20)
        for tag in tags:
            post.scan(tag, 10)

        cycle(make, "comprehensive")

        assert findings(session, "TOUR_MISSED") == []
        assert "3 of 3 checkpoints" in findings(session, "TOUR_LATE")[0].evidence_summary

    def test_scans_that_arrive_an_hour_late_but_were_made_in_time_take_it_back(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.busy()
        _, tags = post.round(20)
        cycle(make, "comprehensive")
        for tag in tags:
            post.scan(tag, 30)
        post.hear(-55, -60, kind="phone_event", event_type="call")

        cycle(make, "comprehensive", at=AT + HOUR)

        (finding,) = findings(session, "TOUR_MISSED")
        assert (finding.status, finding.resolution) == ("RESOLVED", "EXPIRED")
        assert "walked in time" in (finding.resolution_note or "")

    def test_a_round_just_over_is_given_a_quarter_of_an_hour(self, make: Make, post: Post) -> None:
        post.busy()
        post.round(14)

        assert "TOUR_MISSED" not in found(cycle(make, "comprehensive"))

    @pytest.mark.parametrize("excuse", ["leave", "swap", "no shift"])
    def test_whoever_was_not_on_duty_missed_nothing(
        self, make: Make, session: Session, post: Post, excuse: str
    ) -> None:
        guard = post.person
        post.round(20)
        if excuse == "leave":
            make.absence(guard, AT - HOUR, days=1 / 24)
        elif excuse == "swap":
            shift = session.scalars(select(Shift)).one()
            shift.swapped_with_id = make.person(post.site).id
            session.flush()
        else:
            session.delete(session.scalars(select(Shift)).one())
            session.flush()

        assert "TOUR_MISSED" not in found(cycle(make, "comprehensive"))

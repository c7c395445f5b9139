"""The pulse of those on duty: missed once it is a finding, back again it is over."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.audit.models import Finding
from noc.events.models import EventLog
from noc.identity.models import TenantSetting
from noc.tickets.models import Ticket
from noc.workforce.models import Shift
from tests.audit.conftest import AT, HOUR, MINUTE, Post, cycle, found, on_post
from tests.factories import Make


def findings(session: Session) -> list[Finding]:
    session.expire_all()
    return list(session.scalars(select(Finding).order_by(Finding.id)))


class TestSilence:
    def test_a_guard_of_whom_nothing_is_heard_is_a_finding_with_a_ticket(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.hear(20)

        outcome = cycle(make)

        assert found(outcome) == ["DEVICE_SILENT"]
        (finding,) = findings(session)
        assert (finding.severity, finding.category) == ("HIGH", "DEVICE_HEALTH")
        assert finding.window_start == AT - 20 * MINUTE
        assert "for 20 minutes" in finding.evidence_summary
        ticket = session.scalars(select(Ticket)).one()
        assert ticket.title == f"[AUTO] DEVICE_SILENT: {post.site.name}"
        assert ticket.assignee_id == post.site.noc_supervisor_id
        assert finding.escalation_ticket_id == ticket.id
        assert finding.escalated_to_ticket

    def test_one_heard_within_the_pulse_is_none(self, make: Make, post: Post) -> None:
        post.hear(14.9)

        assert found(cycle(make)) == []

    @pytest.mark.parametrize("kind", ["phone_event", "task_completed", "punch"])
    def test_any_sign_of_life_counts(self, make: Make, post: Post, kind: str) -> None:
        if kind == "punch":
            make.punch(post.person, post.site, occurred_at=AT - 5 * MINUTE)
        else:
            post.hear(5, kind=kind)

        assert found(cycle(make)) == []

    def test_a_shift_that_has_just_begun_has_time_to_be_heard(self, make: Make) -> None:
        on_post(make, since=AT - 14 * MINUTE)
        late = on_post(make, since=AT - 15 * MINUTE)

        outcome = cycle(make)

        assert [draft.person_id for draft in outcome.drafts] == [late.person.id]
        assert "in this shift" in outcome.drafts[0].summary

    def test_it_is_said_once_however_long_it_lasts(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.hear(20)
        for minutes in (0, 5, 10, 200):
            cycle(make, at=AT + minutes * MINUTE)

        assert len(findings(session)) == 1
        events = select(func.count()).select_from(EventLog)
        session.commit()
        created = session.scalar(events.where(EventLog.event_type == "finding_created"))
        assert created == 1

    def test_it_closes_itself_when_the_pulse_returns_and_may_begin_anew(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.hear(20)
        cycle(make)
        post.hear(-4)

        outcome = cycle(make, at=AT + 5 * MINUTE)

        (first,) = findings(session)
        assert (first.status, first.resolution) == ("RESOLVED", "EXPIRED")
        assert first.resolution_note == "Heard of again at 09:04 UTC."
        assert outcome.drafts == []
        cycle(make, at=AT + 30 * MINUTE)
        assert [finding.status for finding in findings(session)] == ["RESOLVED", "NEW"]

    def test_what_a_phone_sends_late_closes_it_too(
        self, make: Make, session: Session, post: Post
    ) -> None:
        cycle(make)
        late = [post.signal(minutes) for minutes in range(120, 0, -5)]
        post.send(late, now=AT + MINUTE)

        cycle(make, at=AT + 5 * MINUTE)

        assert [finding.resolution for finding in findings(session)] == ["EXPIRED"]

    def test_whoever_stays_silent_to_the_end_of_the_shift_stays_on_the_list(
        self, make: Make, session: Session, post: Post
    ) -> None:
        cycle(make)

        outcome = cycle(make, at=AT + 6 * HOUR)

        assert outcome.on_duty == 0
        assert [finding.status for finding in findings(session)] == ["NEW"]

    def test_the_site_says_how_often_it_wants_to_hear(self, make: Make, post: Post) -> None:
        post.hear(20)
        name, site_id = "audit_pulse_minutes", post.site.id
        make.row(TenantSetting, {"name": name, "value": 30, "site_id": site_id})

        assert found(cycle(make)) == []


class TestWhoIsExpected:
    def test_nobody_on_approved_leave(self, make: Make, post: Post) -> None:
        make.absence(post.person, AT - HOUR)

        assert cycle(make).on_duty == 0

    def test_after_a_swap_the_other_one(self, make: Make, session: Session, post: Post) -> None:
        other = make.person(post.site)
        shift = post.make.session.scalars(select(Shift)).one()
        shift.swapped_with_id = other.id
        session.flush()

        outcome = cycle(make)

        assert [draft.person_id for draft in outcome.drafts] == [other.id]

    def test_nobody_who_has_left_and_nobody_where_nothing_is_watched(
        self, make: Make, session: Session, post: Post
    ) -> None:
        closed = on_post(make)
        post.person.active, closed.site.active = False, False
        session.flush()

        assert cycle(make).on_duty == 0

    def test_nobody_before_or_after_their_shift(self, make: Make, post: Post) -> None:
        assert cycle(make, at=AT - 4 * HOUR).on_duty == 0
        assert cycle(make, at=AT + 5 * HOUR).on_duty == 0

    def test_only_those_of_the_sites_asked_about(self, make: Make, post: Post) -> None:
        elsewhere = on_post(make)

        outcome = cycle(make, site_ids=[elsewhere.site.id])

        assert [draft.person_id for draft in outcome.drafts] == [elsewhere.person.id]


class TestAbandonedPosts:
    def test_fixes_that_agree_on_being_far_away_are_a_finding(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.fixes(5, 20, north=800)

        outcome = cycle(make)

        assert found(outcome) == ["POST_ABANDONED"]
        (finding,) = findings(session)
        assert finding.severity == "CRITICAL"
        assert session.scalars(select(Ticket)).one().priority == "HIGH"
        assert "640 m outside" in finding.evidence_summary

    @pytest.mark.parametrize(
        ("north", "accuracy"), [(340, 10), (800, 500), (0, 10)], ids=["near", "vague", "there"]
    )
    def test_near_or_vague_fixes_are_none(
        self, make: Make, post: Post, north: float, accuracy: float
    ) -> None:
        post.fixes(5, 20, north=north, accuracy=accuracy)

        assert found(cycle(make)) == []

    def test_one_fix_thrown_off_is_none(self, make: Make, post: Post) -> None:
        post.fixes(20)
        post.fixes(5, north=2000)

        assert found(cycle(make)) == []

    def test_the_way_to_work_is_none(self, make: Make) -> None:
        late = on_post(make, since=AT - 14 * MINUTE)
        late.fixes(12, 25, 40, north=3000)

        assert found(cycle(make)) == []

    def test_it_is_over_when_they_are_back(self, make: Make, session: Session, post: Post) -> None:
        post.fixes(5, 20, north=800)
        cycle(make)
        post.fixes(-4)

        cycle(make, at=AT + 5 * MINUTE)

        (finding,) = findings(session)
        assert finding.resolution_note == "Back at the post by 09:04 UTC."


def test_a_moment_long_past_is_looked_at_without_tickets_and_without_closing(
    make: Make, session: Session, post: Post
) -> None:
    cycle(make, now=AT + dt.timedelta(days=3))

    (finding,) = findings(session)
    assert finding.detected_at == AT
    assert not finding.self_closing
    assert finding.escalation_ticket_id is None
    assert session.scalars(select(Ticket.id)).all() == []


def test_a_dry_run_stores_nothing(make: Make, session: Session, post: Post) -> None:
    assert found(cycle(make, dry_run=True)) == ["DEVICE_SILENT"]
    assert findings(session) == []


def test_the_number_of_queries_does_not_grow_with_the_guards(
    make: Make, query_count: object, session: Session
) -> None:
    site = make.site()
    for _ in range(2):
        on_post(make, site).busy()
    few = query_count(lambda: cycle(make, "comprehensive", dry_run=True))  # type: ignore[operator]
    for _ in range(10):
        on_post(make, site).busy()
    many = query_count(lambda: cycle(make, "comprehensive", dry_run=True))  # type: ignore[operator]

    assert many == few <= 14


def test_many_silent_guards_cost_as_many_queries_as_few(
    make: Make, query_count: object, session: Session
) -> None:
    def of(guards: int) -> int:
        site = make.site(noc_supervisor_id=make.user("operator").id)
        for _ in range(guards):
            on_post(make, site)
        return query_count(lambda: cycle(make, site_ids=[site.id]))  # type: ignore[operator,no-any-return]

    assert of(2) == of(12)

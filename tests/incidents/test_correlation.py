"""Low signals and the alerts around them become one incident, whoever comes first."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.audit.models import Finding
from noc.events.models import EventLog
from noc.incidents.correlation import correlate
from noc.incidents.investigation import close, investigate, name_root_cause, reopen
from noc.incidents.models import Incident, IncidentAlert
from noc.incidents.queries import find_unresolved_incidents
from noc.incidents.scoring import Signal
from noc.rest.problems import Problem
from tests.audit.conftest import AT, HOUR, MINUTE, Post, cycle, on_post
from tests.factories import Make

_number = itertools.count(1)


def incidents(session: Session) -> list[Incident]:
    session.expire_all()
    return list(session.scalars(select(Incident).order_by(Incident.detected_at, Incident.id)))


def alerts_of(session: Session, incident: Incident) -> list[int]:
    query = select(IncidentAlert.alert_id).where(IncidentAlert.incident_id == incident.id)
    return sorted(session.scalars(query))


def low(post: Post, minutes_ago: float = 0, kind: str = "LOW_ACTIVITY") -> Signal:
    end = AT - minutes_ago * MINUTE
    key = f"finding:{next(_number)}"
    return Signal(key, kind, "MEDIUM", post.site.id, post.person.id, end - 10 * MINUTE, end)


def run(post: Post, *signals: Signal) -> list[Incident]:
    return correlate(signals, tenant_id=post.make.tenant_id, now=AT, window_minutes=15)


class TestWhatBelongsTogether:
    def test_a_silent_phone_and_its_offline_alert_are_one_incident(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.hear(20)
        alert = post.alert(18)

        cycle(make)

        (incident,) = incidents(session)
        (finding,) = session.scalars(select(Finding))
        assert (incident.person_id, incident.site_id) == (post.person.id, post.site.id)
        assert list(incident.signals) == [f"finding:{finding.id}"]
        assert alerts_of(session, incident) == [alert]
        assert incident.combined_severity == "HIGH"
        assert sum(incident.score_parts.values()) == pytest.approx(incident.correlation_score)
        assert incident.correlation_type == "PERSON"

    def test_an_alert_that_comes_after_the_signal_finds_it_in_the_next_cycle(
        self, make: Make, session: Session, post: Post
    ) -> None:
        cycle(make)
        assert incidents(session) == []
        post.alert(-1)

        cycle(make, at=AT + 5 * MINUTE)

        assert len(incidents(session)) == 1

    def test_a_cycle_with_nothing_new_changes_nothing(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.alert()
        cycle(make)
        updated = incidents(session)[0].updated_at
        assert cycle(make, at=AT + 5 * MINUTE).incidents == 0
        assert incidents(session)[0].updated_at == updated

    def test_concurrent_signals_of_one_person_are_one_incident(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.alert()
        run(post, low(post), low(post, 5, "NO_MOVEMENT"))
        run(post, low(post, 2, "DEVICE_SILENT"))

        (incident,) = incidents(session)
        assert len(incident.signals) == 3

    def test_two_people_are_two_incidents(self, make: Make, session: Session, post: Post) -> None:
        other = on_post(make, post.site)
        post.alert()
        other.alert()

        run(post, low(post), low(other))

        assert {one.person_id for one in incidents(session)} == {post.person.id, other.person.id}

    def test_an_alert_of_the_building_belongs_to_everybody_there(
        self, make: Make, session: Session, post: Post
    ) -> None:
        power = post.alert(alert_type="POWER_LOST", person_id=None)

        run(post, low(post))

        (incident,) = incidents(session)
        assert alerts_of(session, incident) == [power]
        assert incident.correlation_type == "SITE"

    def test_the_same_trouble_hours_later_is_another_incident(
        self, make: Make, session: Session, post: Post
    ) -> None:
        post.alert()
        run(post, low(post))
        post.alert(120)
        run(post, low(post, 120))

        assert len(incidents(session)) == 2

    def test_a_false_positive_tells_nothing(self, make: Make, session: Session, post: Post) -> None:
        alert = session.get_one(Alert, (make.tenant_id, post.alert()))
        alert.status, alert.resolution = "RESOLVED", "FALSE_POSITIVE"
        session.flush()

        assert run(post, low(post)) == []

    def test_the_feed_is_told(self, make: Make, session: Session, post: Post) -> None:
        first = post.alert()
        run(post, low(post))
        second = post.alert(3)
        run(post, low(post, 1))
        session.commit()

        query = select(EventLog).where(EventLog.incident_id.is_not(None)).order_by(EventLog.seq)
        events = session.scalars(query).all()
        assert [event.event_type for event in events] == [
            "correlation_identified",
            "incident_updated",
        ]
        assert events[1].payload["alert_ids"] == sorted([first, second])
        assert events[0].payload["person_name"] == post.person.name


class TestOrder:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        steps=st.permutations(["alert", "alert", "door", "low", "low", "silent"]),
        together=st.booleans(),
    )
    def test_whoever_comes_first_the_incident_is_the_same(
        self, make: Make, session: Session, steps: list[str], together: bool
    ) -> None:
        """Everything within minutes of each other, in any order, at once or one by one."""
        session.execute(delete(IncidentAlert))
        session.execute(delete(Incident))
        post = on_post(make)
        offsets = iter((0.0, 6.0))
        lows = iter((0.0, 4.0))
        signals: list[Signal] = []
        for step in steps:
            if step == "alert":
                post.alert(next(offsets))
            elif step == "door":
                post.alert(9, alert_type="DOOR_FORCED", person_id=None, severity="CRITICAL")
            else:
                ago = 2.0 if step == "silent" else next(lows)
                signals.append(low(post, ago, "DEVICE_SILENT" if step == "silent" else "LOW"))
            if not together:
                run(post, *signals)
        run(post, *signals)
        run(post, *signals)

        (incident,) = incidents(session)
        assert sorted(one["kind"] for one in incident.signals.values()) == [
            "DEVICE_SILENT", "LOW", "LOW",
        ]  # fmt: skip
        assert len(alerts_of(session, incident)) == 3
        assert incident.combined_severity == "CRITICAL"
        assert incident.correlation_score == pytest.approx(0.9062)
        span = (incident.window_start, incident.window_end)
        assert span == (AT - 14 * MINUTE, AT)


class TestInvestigation:
    @pytest.fixture
    def incident(self, make: Make, session: Session, post: Post) -> Incident:
        post.alert()
        run(post, low(post))
        return incidents(session)[0]

    def test_notes_cause_and_end_are_kept_with_who_and_when(
        self, make: Make, session: Session, incident: Incident
    ) -> None:
        user = make.user("operator")
        who = {"user_id": user.id}
        investigate(incident.id, "Called the guard.", now=AT, **who)
        assert incident.status == "INVESTIGATING"
        name_root_cause(incident.id, "Battery was flat.", now=AT + MINUTE, **who)
        close(incident.id, note=None, now=AT + HOUR, **who)

        assert incident.status == "CLOSED"
        assert incident.root_cause_identified
        assert incident.root_cause_description == "Battery was flat."
        assert (incident.investigated_by, incident.investigated_at) == (user.id, AT + HOUR)
        assert [note["text"] for note in incident.investigation_notes] == [
            "Called the guard.",
            "Root cause: Battery was flat.",
            "Closed",
        ]

    def test_a_closed_one_swallows_no_new_alert_and_its_own_open_no_other(
        self, make: Make, session: Session, post: Post, incident: Incident
    ) -> None:
        close(incident.id, note=None, user_id=None, now=AT)
        assert run(post, low(post, 1)) == []
        later = post.alert(2)

        run(post, low(post, 1))

        first, second = sorted(incidents(session), key=lambda one: one.status == "OPEN")
        assert (first.status, second.status) == ("CLOSED", "OPEN")
        assert alerts_of(session, second) == [later]
        assert len(alerts_of(session, first)) == 1

    def test_a_closed_one_is_not_worked_on_until_it_is_reopened(self, incident: Incident) -> None:
        who = {"user_id": None, "now": AT}
        close(incident.id, note=None, **who)
        with pytest.raises(Problem, match="closed"):
            investigate(incident.id, "More", **who)
        with pytest.raises(Problem, match="closed"):
            name_root_cause(incident.id, "More", **who)
        reopen(incident.id, note="Again", **who)
        investigate(incident.id, "More", **who)
        assert incident.status == "INVESTIGATING"

    def test_what_nobody_has_closed_is_found_oldest_first(
        self, make: Make, session: Session, post: Post, incident: Incident
    ) -> None:
        other = on_post(make)
        other.alert()
        correlate([low(other)], tenant_id=make.tenant_id, now=AT + HOUR, window_minutes=15)

        def unresolved(hours: float) -> list[int | None]:
            rows = find_unresolved_incidents(
                now=AT + 2 * HOUR, older_than=dt.timedelta(hours=hours)
            )
            return [row["person_id"] for row in rows]

        assert unresolved(0) == [post.person.id, other.person.id]
        assert unresolved(1.5) == [post.person.id]
        close(incident.id, note=None, user_id=None, now=AT)
        assert unresolved(0) == [other.person.id]

    def test_an_incident_of_another_site_is_not_there(self, incident: Incident) -> None:
        with pytest.raises(Problem, match="no such incident"):
            close(incident.id, note=None, user_id=None, now=AT, site_ids=[0])


def test_nothing_is_asked_where_there_is_no_signal(make: Make, session: Session) -> None:
    assert correlate([], tenant_id=make.tenant_id, now=AT, window_minutes=15) == []
    assert session.scalar(select(func.count()).select_from(Incident)) == 0

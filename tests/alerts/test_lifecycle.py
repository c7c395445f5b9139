"""What people do with alerts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts import lifecycle
from noc.alerts.models import RESOLUTIONS, STATUSES, Alert, AlertChange
from noc.alerts.signals import alert_resolved
from noc.alerts.steps import Outcome, take
from noc.alerts.transitions import TRANSITIONS, Action, Step
from noc.rest.problems import Problem
from tests.alerts.conftest import Raise, Told
from tests.factories import NOW, Make
from tests.signed_in import limit_to

HOUR = dt.timedelta(hours=1)
PATHS: dict[str, list[Action]] = {
    "NEW": [],
    "ACKNOWLEDGED": ["acknowledge"],
    "ASSIGNED": ["assign"],
    "SHELVED": ["shelve"],
    "RESOLVED": ["resolve"],
}
"""How a new alert gets into each status."""


def step(action: Action, user_id: int, now: dt.datetime = NOW) -> Step:
    """The action with what it needs."""
    return Step(
        action,
        now,
        user_id,
        note="Looked into it",
        assignee_id=user_id if action == "assign" else None,
        until=now + HOUR if action == "shelve" else None,
        resolution="FIXED" if action == "resolve" else None,
    )


def act(action: Action, alert: Alert, user_id: int, now: dt.datetime = NOW) -> Outcome:
    (outcome,) = take(step(action, user_id, now), [alert.id])
    return outcome


def history(session: Session, alert_id: int) -> list[AlertChange]:
    query = select(AlertChange).where(AlertChange.alert_id == alert_id).order_by(AlertChange.id)
    return list(session.scalars(query))


@contextmanager
def listening() -> Iterator[list[dict[str, Any]]]:
    """What ``alert_resolved`` is sent with."""
    heard: list[dict[str, Any]] = []

    def listen(_: Any, **news: Any) -> None:
        heard.append(news)

    with alert_resolved.connected_to(listen):
        yield heard


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", TRANSITIONS)
def test_an_action_is_taken_where_the_table_has_it_and_nowhere_else(
    make: Make, raised: Raise, status: str, action: Action
) -> None:
    user_id, alert = make.user().id, raised()
    for before in PATHS[status]:
        assert act(before, alert, user_id).changed
    outcome = act(action, alert, user_id, NOW + HOUR)
    after = TRANSITIONS[action].get(status)
    if after is None:
        assert outcome.problem is not None
        assert outcome.problem.status == 409
        assert outcome.problem.members["current_status"] == status
        assert action not in outcome.problem.members["allowed"]
        assert alert.status == status
    else:
        assert outcome.problem is None
        assert alert.status == after


def test_acknowledging_says_who_and_when(session: Session, make: Make, raised: Raise) -> None:
    user, alert = make.user(), raised()
    lifecycle.acknowledge(alert.id, user_id=user.id, now=NOW, note="On it")
    assert (alert.status, alert.acknowledged_by, alert.acknowledged_at) == (
        "ACKNOWLEDGED",
        user.id,
        NOW,
    )
    change = history(session, alert.id)[-1]
    assert (change.action, change.user_id, change.note) == ("acknowledge", user.id, "On it")


def test_acknowledging_twice_keeps_the_first(
    session: Session, make: Make, raised: Raise, told: Told
) -> None:
    first, second, alert = make.user().id, make.user().id, raised()
    lifecycle.acknowledge(alert.id, user_id=first, now=NOW)
    steps, events = len(history(session, alert.id)), len(told())
    lifecycle.acknowledge(alert.id, user_id=second, now=NOW + HOUR)
    assert (alert.acknowledged_by, alert.acknowledged_at) == (first, NOW)
    assert (len(history(session, alert.id)), len(told())) == (steps, events)


def test_each_step_is_told_to_the_feed(make: Make, raised: Raise, told: Told) -> None:
    guard = make.person(name="Ravi")
    user, alert = make.user(), raised(person_id=guard.id)
    for action in ("acknowledge", "assign", "shelve", "resolve", "reopen"):
        act(action, alert, user.id)
    frames = [payload for event_type, payload in told() if event_type == "alert_updated"]
    statuses = [frame["status"] for frame in frames]
    assert statuses == ["ACKNOWLEDGED", "ASSIGNED", "SHELVED", "RESOLVED", "NEW"]
    assert {frame["person_name"] for frame in frames} == {"Ravi"}


def test_resolving_is_announced_once_with_its_resolution(make: Make, raised: Raise) -> None:
    user, alert = make.user(), raised()
    with listening() as heard:
        lifecycle.resolve(alert.id, resolution="FALSE_POSITIVE", user_id=user.id, now=NOW)
        with pytest.raises(Problem, match="RESOLVED cannot be treated so"):
            lifecycle.resolve(alert.id, resolution="FIXED", user_id=user.id, now=NOW)
    assert heard == [
        {"alert": alert, "resolution": "FALSE_POSITIVE", "user_id": user.id, "now": NOW}
    ]
    assert (alert.resolution, alert.resolved_by, alert.resolved_at) == (
        "FALSE_POSITIVE",
        user.id,
        NOW,
    )


def test_a_reopened_alert_is_as_new_but_remembers_whose_it_was(make: Make, raised: Raise) -> None:
    user, alert = make.user(), raised()
    for action in ("acknowledge", "assign", "resolve", "reopen"):
        act(action, alert, user.id)
    assert alert.status == "NEW"
    assert alert.assignee_id == user.id
    gone = (alert.resolution, alert.resolved_at, alert.resolved_by, alert.acknowledged_at)
    assert gone == (None, None, None, None)


def test_reopening_is_refused_while_the_same_trouble_has_another_open_alert(
    session: Session, make: Make, raised: Raise, told: Told
) -> None:
    user, first = make.user(), raised()
    act("resolve", first, user.id)
    second = raised()
    steps, events = len(history(session, first.id)), len(told())
    with pytest.raises(Problem, match=f"Alert {second.id} of the same trouble") as caught:
        lifecycle.reopen(first.id, user_id=user.id, now=NOW)
    assert caught.value.status == 409
    assert caught.value.members["open_alert_id"] == second.id
    assert (first.status, first.resolution) == ("RESOLVED", "FIXED")
    assert (len(history(session, first.id)), len(told())) == (steps, events)

    act("resolve", second, user.id)
    assert lifecycle.reopen(first.id, user_id=user.id, now=NOW).status == "NEW"


def test_of_two_resolved_alerts_of_one_trouble_only_one_is_reopened(
    make: Make, raised: Raise
) -> None:
    user = make.user()
    alerts = []
    for _ in range(2):
        alert = raised()
        act("resolve", alert, user.id)
        alerts.append(alert)
    first, second = take(Step("reopen", NOW, user.id), [alert.id for alert in alerts])
    assert first.changed
    assert second.problem is not None
    assert second.problem.members["open_alert_id"] == first.alert_id


def test_a_shelved_alert_comes_back_when_its_time_is_over(
    session: Session, make: Make, raised: Raise, told: Told
) -> None:
    alert, other = raised(), raised(dedup_key="other")
    lifecycle.shelve(alert.id, until=NOW + HOUR, user_id=None, now=NOW)
    lifecycle.shelve(other.id, until=NOW + 2 * HOUR, user_id=None, now=NOW)
    assert lifecycle.expire_shelved(now=NOW + HOUR - dt.timedelta(seconds=1)) == 0
    assert lifecycle.expire_shelved(now=NOW + HOUR) == 1
    assert lifecycle.expire_shelved(now=NOW + HOUR) == 0
    assert (alert.status, alert.shelved_until) == ("NEW", None)
    assert other.status == "SHELVED"
    assert history(session, alert.id)[-1].action == "unshelve"
    assert told()[-1][1]["alert_id"] == alert.id


@pytest.mark.parametrize("off", [dt.timedelta(0), -HOUR, dt.timedelta(days=30, seconds=1)])
def test_nothing_is_shelved_until_the_past_or_for_longer_than_a_month(
    raised: Raise, off: dt.timedelta
) -> None:
    alert = raised()
    with pytest.raises(Problem) as caught:
        lifecycle.shelve(alert.id, until=NOW + off, user_id=None, now=NOW)
    assert caught.value.status == 422
    assert caught.value.errors[0]["field"] == "until"
    assert alert.status == "NEW"


def test_a_note_is_kept_whatever_the_status(session: Session, make: Make, raised: Raise) -> None:
    user, alert = make.user(), raised()
    act("resolve", alert, user.id)
    lifecycle.add_note(alert.id, "The lock was replaced", user_id=user.id, now=NOW)
    last = history(session, alert.id)[-1]
    assert (last.action, last.old_status, last.new_status, last.note) == (
        "note",
        "RESOLVED",
        "RESOLVED",
        "The lock was replaced",
    )


def test_an_empty_note_is_refused(raised: Raise) -> None:
    with pytest.raises(Problem, match="note"):
        lifecycle.add_note(raised().id, "", user_id=None, now=NOW)


def test_a_resolution_there_is_not_is_refused(raised: Raise) -> None:
    with pytest.raises(Problem) as caught:
        lifecycle.resolve(raised().id, resolution="GONE", user_id=None, now=NOW)
    assert caught.value.errors == [
        {"field": "resolution", "reason": f"must be one of {', '.join(RESOLUTIONS)}"}
    ]


@pytest.mark.parametrize(
    ("role", "active", "reason"),
    [("viewer", True, "is a viewer"), ("operator", False, "is not an active user")],
)
def test_work_is_given_only_to_who_can_do_it(
    make: Make, raised: Raise, role: str, active: bool, reason: str
) -> None:
    user, alert = make.user(role, active=active), raised()
    with pytest.raises(Problem) as caught:
        lifecycle.assign(alert.id, assignee_id=user.id, user_id=None, now=NOW)
    assert caught.value.status == 422
    assert reason in caught.value.errors[0]["reason"]


def test_work_is_given_only_to_who_sees_its_site(make: Make, raised: Raise) -> None:
    here, there = make.site(), make.site()
    user = limit_to(make, make.user("operator"), here.id)
    assigned = raised(site_id=here.id)
    lifecycle.assign(assigned.id, assignee_id=user.id, user_id=None, now=NOW)
    assert assigned.assignee_id == user.id
    for alert in (raised(site_id=there.id), raised()):
        with pytest.raises(Problem, match="cannot be given"):
            lifecycle.assign(alert.id, assignee_id=user.id, user_id=None, now=NOW)


def test_another_tenants_alert_does_not_exist(rivals_alert: int) -> None:
    with pytest.raises(Problem) as caught:
        lifecycle.acknowledge(rivals_alert, user_id=None, now=NOW)
    assert caught.value.status == 404


def test_the_number_of_statements_does_not_grow_with_that_of_alerts(
    session: Session,
    make: Make,
    raised: Raise,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    guard_id, user_id = make.person().id, make.user().id
    ids = [raised(dedup_key=f"k{n}", person_id=guard_id).id for n in range(60)]

    def resolve(which: list[int]) -> None:
        assert all(outcome.changed for outcome in take(step("resolve", user_id), which))
        session.commit()

    session.commit()
    few, many = ids[:2], ids[2:]
    assert query_count(lambda: resolve(few)) == query_count(lambda: resolve(many))


MOVES = st.lists(st.sampled_from(list(TRANSITIONS)), max_size=12)


@given(MOVES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_sequence_of_actions_leads_astray(
    session: Session, make: Make, raised: Raise, actions: list[Action]
) -> None:
    user_id = make.user().id
    alert = raised(dedup_key=f"run-{user_id}")
    expected = [("created", None, "NEW")]
    for number, action in enumerate(actions):
        before = alert.status
        outcome = act(action, alert, user_id, NOW + number * dt.timedelta(minutes=1))
        allowed = before in TRANSITIONS[action]
        assert (outcome.problem is None) == allowed
        assert alert.status == (TRANSITIONS[action][before] if allowed else before)
        if outcome.changed:
            expected.append((action, before, alert.status))
        else:
            assert not allowed or alert.status == before
        assert (alert.status == "RESOLVED") == (alert.resolution is not None)
        assert (alert.status == "RESOLVED") == (alert.resolved_at is not None)
        assert (alert.status == "SHELVED") == (alert.shelved_until is not None)
        assert alert.status != "NEW" or alert.acknowledged_at is None
        assert alert.status != "ASSIGNED" or alert.assignee_id == user_id
    kept = [(row.action, row.old_status, row.new_status) for row in history(session, alert.id)]
    assert kept == expected, "the history is complete"

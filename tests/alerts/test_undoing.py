"""The last step is taken back: what was before is so again, unless somebody did more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert, AlertChange
from noc.alerts.steps import Outcome, take
from noc.alerts.transitions import TRANSITIONS, UNDOABLE, Action, Step
from noc.alerts.undoing import undo
from noc.identity.models import User
from tests.alerts.conftest import Raise, Told
from tests.alerts.test_lifecycle import HOUR, PATHS, act, history, step
from tests.conftest import ApiClient
from tests.factories import NOW, Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

LATER = NOW + dt.timedelta(seconds=30)
COLUMNS = (
    "status", "assignee_id", "acknowledged_at", "acknowledged_by", "shelved_until", "resolved_at",
    "resolved_by", "resolution",
)  # fmt: skip


def standing(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in COLUMNS}


def back(done: Outcome, user_id: int | None = None, now: dt.datetime = LATER) -> Outcome:
    assert done.change_id is not None
    (outcome,) = undo({done.alert_id: done.change_id}, user_id=user_id, now=now)
    return outcome


STEPS = [
    (action, status)
    for action in sorted(UNDOABLE)
    for status in TRANSITIONS[action]  # type: ignore[index]
    if not (action == status == "acknowledge")
]


@pytest.mark.parametrize(("action", "status"), STEPS)
def test_a_step_taken_back_leaves_everything_as_it_was(
    raised: Raise, make: Make, session: Session, action: Action, status: str
) -> None:
    maya, olga = make.user("operator"), make.user("operator")
    alert = raised()
    for earlier in PATHS[status]:
        act(earlier, alert, olga.id)
    before = standing(alert)
    taken = step(action, maya.id, NOW + HOUR)
    (done,) = take(taken, [alert.id])
    if not done.changed:  # Acknowledged a second time: the first one stands, nothing to take back.
        assert done.change_id is None
        return
    assert standing(alert) != before
    outcome = back(done, maya.id, NOW + HOUR + HOUR)
    assert outcome.changed
    assert standing(alert) == before
    session.refresh(alert)
    assert standing(alert) == before
    last = history(session, alert.id)[-1]
    assert (last.action, last.user_id, last.new_status) == ("undo", maya.id, status)
    assert last.detail == {"undone": done.change_id, "action": action}


def test_the_feed_hears_of_it_and_once_more_changes_nothing(
    raised: Raise, make: Make, session: Session, told: Told
) -> None:
    alert, user = raised(), make.user("operator")
    done = act("assign", alert, user.id)
    assert back(done).changed
    _, frame = told()[-1]
    assert (frame["status"], frame["assignee_id"]) == ("NEW", None)
    entries = len(history(session, alert.id))
    again = back(done)
    assert (again.changed, again.problem) == (False, None)
    assert len(history(session, alert.id)) == entries


def test_what_somebody_did_since_stands_and_is_told(
    raised: Raise, make: Make, session: Session
) -> None:
    maya, olga = make.user("operator"), make.user("operator", name="Olga Petrova")
    alert = raised()
    done = act("acknowledge", alert, maya.id)
    act("assign", alert, olga.id)
    before = standing(alert)
    problem = back(done, maya.id).problem
    assert problem is not None
    assert problem.status == 409
    assert problem.detail == "Olga Petrova assigned it since: it stays as it is."
    assert problem.members["current_status"] == "ASSIGNED"
    assert standing(alert) == before
    take(Step("unshelve", NOW), [alert.id])
    shelved = act("shelve", alert, maya.id)
    take(Step("unshelve", NOW + HOUR), [alert.id])
    problem = back(shelved).problem
    assert problem is not None
    assert problem.detail == "It came back from the shelf since: it stays as it is."


def test_a_note_since_does_not_stand_in_the_way(raised: Raise, make: Make) -> None:
    alert, user = raised(), make.user("operator")
    done = act("resolve", alert, user.id)
    act("note", alert, user.id)
    assert back(done).changed
    assert alert.status == "NEW"


def test_only_steps_of_people_and_only_the_alerts_own_are_taken_back(
    raised: Raise, make: Make, session: Session
) -> None:
    alert, other, user = raised(), raised(dedup_key="other"), make.user("operator")
    created = history(session, alert.id)[-1]
    problem = undo({alert.id: created.id}, user_id=user.id, now=LATER)[0].problem
    assert problem is not None
    assert (problem.status, problem.detail) == (409, "That cannot be taken back: created.")
    theirs = act("assign", other, user.id)
    act("assign", alert, user.id)
    assert theirs.change_id is not None
    (outcome,) = undo({alert.id: theirs.change_id}, user_id=user.id, now=LATER)
    assert outcome.problem is not None
    assert alert.status == "ASSIGNED"


def test_an_entry_from_before_the_history_kept_what_was_is_refused(
    raised: Raise, make: Make, session: Session
) -> None:
    alert = raised()
    done = act("assign", alert, make.user("operator").id)
    entry = session.scalars(select(AlertChange).where(AlertChange.id == done.change_id)).one()
    entry.detail = {"assignee_id": alert.assignee_id}
    session.flush()
    assert back(done).problem is not None
    assert alert.status == "ASSIGNED"


def test_one_who_was_deleted_since_does_not_get_it_back(
    raised: Raise, make: Make, session: Session
) -> None:
    alert, gone, maya = raised(), make.user("operator"), make.user("operator")
    act("assign", alert, gone.id)
    done = act("assign", alert, maya.id)
    session.execute(delete(User).where(User.id == gone.id))
    assert back(done, maya.id).changed
    session.refresh(alert)
    assert (alert.status, alert.assignee_id) == ("ASSIGNED", None)


def test_a_resolved_one_stays_so_where_the_same_trouble_is_open_again(
    raised: Raise, make: Make
) -> None:
    maya = make.user("operator")
    first, free = raised(dedup_key="door"), raised(dedup_key="gate")
    done = take(step("resolve", maya.id), [first.id, free.id])
    second = raised(dedup_key="door")
    outcomes = undo({one.alert_id: one.change_id or 0 for one in done}, user_id=maya.id, now=LATER)
    assert outcomes[0].problem is not None
    assert outcomes[0].problem.members["open_alert_id"] == second.id
    assert (first.status, free.status) == ("RESOLVED", "NEW")


def test_many_are_taken_back_with_as_many_statements_as_few(
    raised: Raise, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    maya, olga = make.user("operator"), make.user("operator")

    def asked(number: int) -> int:
        alerts = [raised(dedup_key=f"{number}-{n}") for n in range(number)]
        take(step("assign", olga.id), [alert.id for alert in alerts[::2]])
        done = take(step("assign", maya.id), [alert.id for alert in alerts])
        changes = {one.alert_id: one.change_id or 0 for one in done}

        def work() -> None:
            outcomes = undo(changes, user_id=maya.id, now=LATER)
            assert [one.alert_id for one in outcomes if one.changed] == [one.id for one in alerts]

        sent = query_count(work)
        held = [alert.assignee_id for alert in alerts]
        assert held == [None if n % 2 else olga.id for n in range(number)]
        return sent

    assert asked(4) == asked(40)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(sorted(UNDOABLE)), max_size=6))
def test_only_the_last_of_several_steps_is_taken_back_and_that_one_whole(
    raised: Raise, make: Make, actions: list[Action]
) -> None:
    make.session.expire_all()
    alert, user = raised(dedup_key=str(actions)), make.user("operator")
    taken: list[tuple[Outcome, dict[str, Any]]] = []
    for action in actions:
        before = standing(alert)
        if (outcome := act(action, alert, user.id)).change_id is not None:
            taken.append((outcome, before))
    for outcome, _ in taken[:-1]:
        assert back(outcome).problem is not None
    for outcome, before in taken[-1:]:
        assert back(outcome).changed
        assert standing(alert) == before


# -- over REST -------------------------------------------------------------------------------


def test_a_step_is_taken_back_over_rest_by_its_entry(
    api: ApiClient, raised: Raise, make: Make
) -> None:
    alert, maya = raised(), make.user("operator")
    api.post(f"alerts/{alert.id}/assign/", json={"assignee_id": maya.id})
    entry = api.get(f"alerts/{alert.id}/").get_json()["data"]["history"][-1]
    body = {"change_id": entry["id"], "note": "The wrong one"}
    shown = api.post(f"alerts/{alert.id}/undo/", json=body)
    assert shown.status_code == 200, shown.text
    data = shown.get_json()["data"]
    assert (data["status"], data["assignee_id"]) == ("NEW", None)
    assert data["history"][-1]["action"] == "undo"
    assert data["history"][-1]["note"] == "The wrong one"
    api.post(f"alerts/{alert.id}/acknowledge/")
    refused = api.post(f"alerts/{alert.id}/undo/", json=body | {"change_id": entry["id"] + 10**9})
    assert_problem(refused, 409)
    assert_problem(api.post(f"alerts/{alert.id}/undo/", json={}), 422, change_id="")


def test_many_are_taken_back_over_rest(api: ApiClient, raised: Raise, make: Make) -> None:
    alerts, maya = [raised(dedup_key=str(n)) for n in range(3)], make.user("operator")
    keys = [alert.id for alert in alerts]
    body = {"action": "assign", "ids": keys, "assignee_id": maya.id}
    done = api.post("alerts/bulk/", json=body).get_json()["data"]["items"]
    changes = [item["change_id"] for item in done]
    api.post(f"alerts/{keys[1]}/resolve/", json={"resolution": "FIXED"})
    wanted = {"action": "undo", "ids": keys, "change_ids": changes}
    told = api.post("alerts/bulk/", json=wanted).get_json()["data"]
    assert [item["status"] for item in told["items"]] == ["done", "refused", "done"]
    assert [alert.status for alert in alerts] == ["NEW", "RESOLVED", "NEW"]
    short = wanted | {"change_ids": changes[:2]}
    assert_problem(api.post("alerts/bulk/", json=short), 422, change_ids="one for each")


def test_who_is_limited_to_some_sites_takes_back_nothing_elsewhere(
    app: Any, raised: Raise, make: Make
) -> None:
    here, there = make.site(), make.site()
    limited = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    alert = raised(site_id=there.id)
    done = act("assign", alert, make.user("operator").id)
    path = f"alerts/{alert.id}/undo/"
    assert_problem(limited.post(path, json={"change_id": done.change_id}), 404)
    assert alert.status == "ASSIGNED"

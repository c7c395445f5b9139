"""What nobody answers is told to the next, and the next, until somebody does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from jobs import on_call as jobs
from noc.alerts import lifecycle
from noc.alerts.lapsing import expire_stale, lapse_acknowledgements
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert, process_alerts
from noc.alerts.steps import take
from noc.alerts.suppression import windows
from noc.alerts.suppression.schemas import SuppressionIn
from noc.alerts.suppression.unmuting import unmute
from noc.alerts.transitions import Step
from noc.alerts.undoing import undo
from noc.database.tenancy import tenant_context
from noc.extensions import queue
from noc.identity import tenants
from noc.identity.models import Tenant, User
from noc.monitoring import metrics
from noc.notifications import routes
from noc.notifications.models import NotificationDelivery, NotificationRoute
from noc.oncall import escalation, policies, schedules
from noc.oncall.models import EscalationPolicy, OnCallSchedule
from noc.oncall.schemas import OverrideIn, PolicyIn
from tests.factories import NOW, Make
from tests.oncall.conftest import Room, at
from tests.signed_in import limit_to


@pytest.fixture
def ann(make: Make) -> int:
    """Somebody."""
    return make.user("operator", name="Ann").id


@pytest.fixture
def ben(make: Make) -> int:
    """Somebody else."""
    return make.user("operator", name="Ben").id


def test_it_goes_through_every_step_of_every_round_and_comes_to_nothing(
    room: Room, make: Make, ann: int, ben: int
) -> None:
    desk = routes.create(
        {"name": "Desk", "channel": "email", "addresses": ["desk@acme.example"]}, now=NOW
    )
    watch = room.schedule(ann, ben)
    room.policy(
        {"after_minutes": 5, "schedules": [watch]},
        {"after_minutes": 10, "users": [ben], "routes": [desk.id]},
        repeats=1,
        name="Doors",
    )
    alert = room.alert()

    taken = {minute: outcomes for minute in range(60) if (outcomes := room.work(minute))}

    assert taken == {5: ["told"], 15: ["told"], 20: ["told"], 30: ["told"], 35: ["exhausted"]}
    assert room.told() == [
        (ann, "E-mail"), (None, "Desk"), (ben, "E-mail"),
        (ann, "E-mail"), (None, "Desk"), (ben, "E-mail"),
    ]  # fmt: skip
    assert room.history(alert)[1] == {
        "policy": "Doors", "step": 2, "round": 1, "told": ["Ben", "Desk"], "user_ids": [ben],
        "route_ids": [desk.id], "missing": [],
    }  # fmt: skip
    assert room.notes(alert) == [
        "Doors, step 1: told Ann.", "Doors, step 2: told Ben, Desk.",
        "Doors, step 1 of round 2: told Ann.", "Doors, step 2 of round 2: told Ben, Desk.",
        "Doors has come to its end, and nobody answered.",
    ]  # fmt: skip
    (run,) = room.runs()
    assert (run.state, run.round, run.step, run.reason) == ("exhausted", 2, 2, "unanswered")
    assert (run.begun_at, run.last_told_at, run.ended_at) == (NOW, at(30), at(35))
    assert room.history(alert, "escalation_exhausted") == [{"policy": "Doors", "round": 2}]
    assert room.told("escalation_exhausted") == [(None, "Desk")], "and those who ask for it hear"
    assert [event.get("escalation_step") for event in room.events()] == [None, 1, 2, 1, 2, None]


def test_lateness_does_not_add_up_and_a_standstill_is_followed_by_no_burst(
    room: Room, ann: int
) -> None:
    room.policy(*({"after_minutes": 5, "users": [ann]} for _ in range(4)))
    room.alert(minute=0.2)
    # The job comes at about the full minute, now a little sooner and now later.
    jobs_at = [minute + jitter for minute in range(1, 13) for jitter in (0.05 * (minute % 3),)]
    assert [round(one) for one in jobs_at if room.work(one)] == [6, 11]
    assert room.work(60) == ["told"]
    assert room.work(64) == []
    assert room.work(64.5) == ["told"], "half a minute is forgiven"


def test_the_course_that_is_foretold_is_the_one_that_is_taken(room: Room, ann: int) -> None:
    steps = [{"after_minutes": minutes, "users": [ann]} for minutes in (0, 3, 7)]
    policy = room.session.get(EscalationPolicy, (room.make.tenant_id, room.policy(*steps)))
    assert policy is not None
    policy.repeats = 2
    room.alert()
    trial = policies.trial(policy.id, policies.TrialQuery(), now=NOW)
    foretold = [one["at"] for one in trial["steps"]]

    taken = [at(minute) for minute in range(80) for _ in room.work(minute)]

    assert taken == [*foretold, trial["exhausted_at"]]


def test_it_emits_the_alert_as_it_is_and_sends_the_same(room: Room, make: Make, ann: int) -> None:
    site = make.site()
    person = make.person(site, name="Guard One")
    room.policy({"after_minutes": 0, "users": [ann]})
    alert = room.alert("HIGH", site_id=site.id, person_id=person.id)
    room.work(0)
    event = room.events()[-1]
    assert event == {
        "alert_id": alert, "alert_type": "DOOR", "severity": "HIGH", "message": "Door forced",
        "status": "NEW", "person_id": person.id, "person_name": "Guard One", "muted": False,
        "assignee_id": None,
        "escalation_step": 1,
    }  # fmt: skip
    (delivery,) = room.session.query(NotificationDelivery).all()
    assert (delivery.payload, delivery.site_id, delivery.severity) == (event, site.id, "HIGH")
    assert [job.func_name for job in queue("reports").jobs] == ["jobs.notifications.deliver"]


@pytest.mark.parametrize(
    ("values", "alert", "taken"),
    [
        ({"min_severity": "HIGH"}, {"severity": "HIGH"}, True),
        ({"min_severity": "HIGH"}, {"severity": "MEDIUM"}, False),
        ({"alert_types": ["DOOR", "GATE"]}, {}, True),
        ({"alert_types": ["GATE"]}, {}, False),
        ({"active": False}, {}, False),
    ],
)
def test_a_policy_takes_what_it_is_about(
    room: Room, ann: int, values: dict[str, Any], alert: dict[str, Any], taken: bool
) -> None:
    key = room.policy({"after_minutes": 0, "users": [ann]}, **values)
    room.alert(**alert)
    assert room.states() == (["active"] if taken else [])
    policy = room.session.get(EscalationPolicy, (room.make.tenant_id, key))
    assert policy is not None
    asked = {"alert_type": "DOOR", "severity": alert.get("severity", "CRITICAL")}
    assert policies.takes(policy, policies.TrialQuery(**asked)) == taken


def test_a_policy_of_some_sites_takes_no_others_and_the_first_position_is_taken(
    room: Room, make: Make, ann: int
) -> None:
    here, there = make.site(), make.site()
    step = {"after_minutes": 0, "users": [ann]}
    last = room.policy(step, position=9)
    first = room.policy(step, position=1, site_ids=[here.id])
    for site in (here.id, there.id, None):
        room.alert(site_id=site)
    assert [run.policy_id for run in room.runs()] == [first, last, last]


WAYS_TO_ANSWER: list[tuple[str, Callable[[int, Any], Any], str]] = [
    ("acknowledge", lambda key, who: lifecycle.acknowledge(key, **who), "answered"),
    (
        "assign",
        lambda key, who: lifecycle.assign(key, assignee_id=who["user_id"], **who),
        "answered",
    ),
    ("shelve", lambda key, who: lifecycle.shelve(key, until=at(60), **who), "answered"),
    ("resolve", lambda key, who: lifecycle.resolve(key, resolution="FIXED", **who), "answered"),
]


@pytest.mark.parametrize(("action", "answer", "state"), WAYS_TO_ANSWER)
def test_whoever_sees_to_it_ends_it_in_the_same_transaction(
    room: Room, ann: int, action: str, answer: Callable[[int, Any], Any], state: str
) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    answered, other = room.alert(), room.alert()
    answer(answered, {"user_id": ann, "now": at(0.5)})
    run = next(one for one in room.runs() if one.alert_id == answered)
    assert (run.state, run.reason, run.answered_by, run.ended_at) == (state, action, ann, at(0.5))
    room.session.commit()
    assert room.work(5) == ["told"]
    assert room.history(answered) == []
    assert len(room.history(other)) == 1


def test_an_answer_that_is_rolled_back_was_none(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    alert = room.alert()
    lifecycle.acknowledge(alert, user_id=ann, now=at(0.5))
    room.session.rollback()
    assert room.states() == ["active"]
    assert room.work(1) == ["told"]


def test_a_note_is_no_answer(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    lifecycle.add_note(room.alert(), "Seen", user_id=ann, now=at(0.5))
    room.session.commit()
    assert room.states() == ["active"]


def test_what_time_or_a_monitor_ends_was_answered_by_nobody(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 1440, "users": [ann]})
    lifecycle.resolve(room.alert(), resolution="FIXED", user_id=None, now=at(1))
    room.alert()
    expire_stale(now=NOW + dt.timedelta(days=30))
    room.session.commit()
    assert [(run.state, run.reason) for run in room.runs()] == [("ended", "resolve")] * 2


def test_what_ended_behind_its_back_is_told_to_nobody(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    alerts = [room.alert() for _ in range(3)]
    values: list[dict[str, Any]] = [
        {"status": "ACKNOWLEDGED"},
        {"status": "RESOLVED", "resolution": "FIXED"},
        {"muted_until": at(60)},
    ]
    for key, value in zip(alerts, values, strict=True):
        room.session.execute(update(Alert).where(Alert.id == key).values(**value))
    room.session.commit()
    assert room.work(1) == ["ended"] * 3
    assert {run.reason for run in room.runs()} == {"acknowledged", "resolved", "muted"}
    assert room.told() == []


def test_what_is_reopened_or_comes_back_begins_anew(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    alert = room.alert()
    who: dict[str, Any] = {"user_id": ann}
    lifecycle.resolve(alert, resolution="FIXED", now=at(1), **who)
    room.session.commit()
    lifecycle.reopen(alert, now=at(2), **who)
    room.session.commit()
    lifecycle.acknowledge(alert, now=at(3), **who)
    room.session.commit()
    lapse_acknowledgements(now=at(600))
    room.session.commit()
    lifecycle.shelve(alert, until=at(700), now=at(610), **who)
    room.session.commit()
    lifecycle.expire_shelved(now=at(701))
    room.session.commit()

    assert room.states() == ["answered"] * 3 + ["active"]
    assert [run.begun_at for run in room.runs()] == [NOW, at(2), at(600), at(701)]
    assert room.work(702) == ["told"]


def test_what_answered_it_and_is_taken_back_begins_anew(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    alert = room.alert()
    (done,) = take(Step("assign", at(1), ann, assignee_id=ann), [alert])
    room.session.commit()
    assert room.states() == ["answered"]
    undo({alert: done.change_id or 0}, user_id=ann, now=at(2))
    room.session.commit()
    assert room.states() == ["answered", "active"]
    assert room.work(3) == ["told"]


def test_what_is_muted_begins_when_it_is_heard_of(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    body = SuppressionIn(
        name="Works", reason="Works", starts_at=NOW, ends_at=at(30), include_critical=True
    )
    windows.create(body, user_id=None, now=NOW)
    room.alert()
    assert room.states() == []
    unmute(now=at(31))
    room.session.commit()
    assert [run.begun_at for run in room.runs()] == [at(31)]


def test_what_opened_and_was_answered_in_one_transaction_begins_nothing(
    room: Room, ann: int, session: Session
) -> None:
    room.policy({"after_minutes": 1, "users": [ann]})
    report = AlertInput("DOOR", "HIGH", "x", NOW, dedup_key="d")
    lifecycle.acknowledge(process_alert(report, now=NOW).id, user_id=ann, now=NOW)
    session.commit()
    assert room.states() == []


def test_what_gets_worse_goes_over_to_the_policy_that_takes_it_then(room: Room, ann: int) -> None:
    grave = room.policy({"after_minutes": 2, "users": [ann]}, min_severity="CRITICAL", position=1)
    usual = room.policy({"after_minutes": 30, "users": [ann]}, min_severity="HIGH", position=2)
    room.alert("LOW", dedup_key="door")
    assert room.states() == []
    room.alert("HIGH", dedup_key="door", minute=1)
    assert [(run.policy_id, run.next_at) for run in room.runs()] == [(usual, at(31))]
    room.alert("CRITICAL", dedup_key="door", minute=10)
    assert [(run.policy_id, run.next_at) for run in room.runs()] == [(grave, at(12))]
    room.alert("CRITICAL", dedup_key="door", minute=11)
    assert [run.next_at for run in room.runs()] == [at(12)], "the same again changes nothing"


def test_what_came_to_nothing_and_gets_worse_begins_only_with_another_policy(
    room: Room, ann: int
) -> None:
    grave = room.policy({"after_minutes": 2, "users": [ann]}, min_severity="CRITICAL", position=1)
    room.policy({"after_minutes": 0, "users": [ann]}, position=2)
    room.alert("LOW", dedup_key="door")
    assert room.work(0) + room.work(5) == ["told", "exhausted"]
    room.alert("HIGH", dedup_key="door", minute=6)
    assert room.states() == ["exhausted"]
    room.alert("CRITICAL", dedup_key="door", minute=7)
    assert [(run.state, run.policy_id) for run in room.runs()][1:] == [("active", grave)]


def test_a_step_that_reaches_nobody_is_passed_over_at_once_and_says_so(
    room: Room, make: Make, ann: int, ben: int
) -> None:
    gone = make.user("operator", name="Gone").id
    watch = room.schedule(gone)
    room.policy(
        {"after_minutes": 5, "schedules": [watch], "users": [gone]},
        {"after_minutes": 60, "users": [ann]},
        {"after_minutes": 5, "users": [ben]},
    )
    room.session.execute(update(User).where(User.id == gone).values(active=False))
    alert = room.alert()
    assert room.work(5) == ["told"]
    assert room.people_told() == [ann]
    first, second = room.history(alert)
    assert (first["told"], first["missing"]) == ([], [f"user {gone}", "Schedule 1"])
    assert second["told"] == ["Ann"]
    assert [run.next_at for run in room.runs()] == [at(10)]


def test_when_nobody_at_all_is_left_it_ends_all_the_same(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 0, "users": [ann]}, {"after_minutes": 1, "users": [ann]})
    room.session.execute(update(User).values(active=False))
    alert = room.alert()
    assert room.work(0) + room.work(5) == ["nobody", "exhausted"]
    assert [one["told"] for one in room.history(alert)] == [[], []]
    assert [run.last_told_at for run in room.runs()] == [None]


def test_whoever_does_not_see_the_site_or_may_not_act_is_passed_over(
    room: Room, make: Make, ann: int
) -> None:
    here, there = make.site(), make.site()
    local = limit_to(make, make.user("operator"), here.id).id
    looker = make.user("viewer").id
    watch = room.schedule(local, ann)
    room.policy({"after_minutes": 0, "schedules": [watch]})
    room.session.execute(
        update(OnCallSchedule).values(members=[looker, local, ann])  # a viewer since
    )
    for site in (here.id, there.id, None):
        room.alert(site_id=site)
    assert room.work(0) == ["told"] * 3
    assert room.people_told() == [local, ann, ann]


def test_an_override_is_told_in_place_of_whose_turn_it_is(room: Room, ann: int, ben: int) -> None:
    watch = room.schedule(ann)
    body = OverrideIn(starts_at=at(3), ends_at=at(8))
    schedules.override(watch, body, user_id=ben, created_by=ben, now=NOW)
    room.policy(*({"after_minutes": 5, "schedules": [watch]} for _ in range(2)))
    room.alert()
    assert room.work(5) + room.work(10) == ["told", "told"]
    assert room.people_told() == [ben, ann]


def test_whoever_is_named_twice_is_told_once(room: Room, ann: int) -> None:
    watch, other = room.schedule(ann), room.schedule(ann)
    room.policy({"after_minutes": 0, "users": [ann], "schedules": [watch, other]})
    room.alert()
    room.work(0)
    assert room.people_told() == [ann]


def test_a_person_is_reached_as_they_wish(room: Room, make: Make, ann: int) -> None:
    room.policy({"after_minutes": 0, "users": [ann]})
    room.alert()
    room.work(0)
    phone = routes.create(
        {"name": "Phone", "user_id": ann, "channel": "webhook", "url": "https://p.example/x"},
        now=NOW,
    )
    pager = routes.create(
        {"name": "Pager", "user_id": ann, "channel": "email", "addresses": ["p@acme.example"]},
        now=NOW,
    )
    room.alert()
    room.work(0)
    phone.active = False
    room.alert()
    room.work(0)
    pager.active = False
    room.alert()
    room.work(0)
    assert [name for _, name in room.told()] == ["E-mail", "Phone", "Pager", "Pager", "E-mail"]


def test_who_has_switched_everything_off_cannot_be_reached(room: Room, ann: int) -> None:
    room.policy({"after_minutes": 0, "users": [ann]})
    routes.create({"name": "Mail", "user_id": ann, "channel": "email", "active": False}, now=NOW)
    alert = room.alert()
    assert room.work(0) == ["nobody"]
    assert room.history(alert)[0]["missing"] == ["Ann"]


def test_personal_routes_take_no_news(room: Room, ann: int) -> None:
    routes.create({"name": "Mail", "user_id": ann, "channel": "email"}, now=NOW)
    room.alert()
    assert room.session.query(NotificationDelivery).count() == 0


def test_a_route_of_other_sites_and_one_that_is_gone_are_missing(
    room: Room, make: Make, ann: int
) -> None:
    here, there = make.site(), make.site()
    values = {"channel": "email", "addresses": ["d@acme.example"]}
    desk = routes.create({"name": "Desk", "site_ids": [here.id], **values}, now=NOW)
    gone = routes.create({"name": "Gone", **values}, now=NOW)
    room.policy({"after_minutes": 0, "routes": [desk.id, gone.id]})
    routes.remove(gone.id, now=NOW)
    here_alert, there_alert = room.alert(site_id=here.id), room.alert(site_id=there.id)
    assert room.work(0) == ["told", "nobody"]
    assert room.history(here_alert)[0]["missing"] == [f"route {gone.id}"]
    assert room.history(there_alert)[0]["missing"] == [f"route {desk.id}", f"route {gone.id}"]


def test_a_policy_that_is_changed_holds_from_then_on(room: Room, ann: int, ben: int) -> None:
    step = {"after_minutes": 5, "users": [ann]}
    key = room.policy(step, step, step, name="Doors")
    room.alert()
    room.work(5)
    shorter = PolicyIn(
        name="Doors", position=1, min_severity="INFO", steps=[step | {"users": [ben]}]
    )
    policies.change(key, shorter, now=at(6))
    assert room.work(10) == ["exhausted"]
    assert room.people_told() == [ann]


@pytest.mark.parametrize("way", ["off", "removed", "lost"])
def test_a_policy_that_holds_no_more_ends_what_went_by_it(room: Room, ann: int, way: str) -> None:
    key = room.policy({"after_minutes": 5, "users": [ann]})
    room.alert()
    if way == "off":
        room.session.execute(update(EscalationPolicy).values(active=False))
    elif way == "lost":
        room.session.execute(delete(EscalationPolicy))
    else:
        policies.remove(key, now=at(1))
    room.session.commit()
    assert room.work(5) == ([] if way == "removed" else ["ended"])
    assert room.states() == ["ended"]
    assert room.told() == []


def test_a_simulated_company_is_told_in_its_history_alone(room: Room, make: Make, ann: int) -> None:
    room.session.execute(
        update(Tenant).where(Tenant.id == make.tenant_id).values(simulated={"complete": True})
    )
    room.policy({"after_minutes": 0, "users": [ann]})
    alert = room.alert()
    assert room.work(0) == ["told"]
    assert room.history(alert)[0]["told"] == ["Ann"]
    assert room.session.query(NotificationDelivery).count() == 0
    assert queue("reports").count == 0


def test_a_tenants_people_are_told_of_its_own_alerts_alone(
    room: Room, make: Make, session: Session, ann: int
) -> None:
    room.policy({"after_minutes": 0, "users": [ann]})
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        theirs = Room(Make(session, rival.id), session)
        theirs.alert()
        assert theirs.states() == []
        assert theirs.work(5) == []
    room.alert()
    with tenant_context(session, rival.id):
        assert theirs.work(5) == []
        assert theirs.runs() == []
    assert room.work(5) == ["told"]


def test_the_job_works_for_every_tenant_and_one_that_fails_holds_up_no_other(
    room: Room, ann: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room.policy({"after_minutes": 0, "users": [ann]})
    broken, whole = room.alert(), room.alert()
    tell = escalation._tell

    def fail(run: Any, *rest: Any) -> bool:
        if run.id == broken:
            raise LookupError("no luck")
        return tell(run, *rest)

    failures = metrics.FAILURES.labels("escalation")._value
    before, told = failures.get(), metrics.ESCALATIONS.labels("told")._value
    counted = told.get()
    with monkeypatch.context() as luckless:
        luckless.setattr(escalation, "_tell", fail)
        assert jobs.escalate() == 1
    assert (failures.get() - before, told.get() - counted) == (1, 1)
    assert (len(room.history(broken)), len(room.history(whole))) == (0, 1)
    assert jobs.escalate() >= 1
    assert len(room.history(broken)) == 1


def test_a_commit_that_fails_holds_up_no_other(
    room: Room, ann: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room.policy({"after_minutes": 0, "users": [ann]})
    broken, whole = room.alert(), room.alert()
    tell = escalation._tell

    def spoil(run: Any, *rest: Any) -> bool:
        told = tell(run, *rest)
        if run.id == broken:
            # Found out by the commit alone, when what was added is written.
            room.session.add(NotificationRoute(tenant_id=room.make.tenant_id, name="x"))
        return told

    with monkeypatch.context() as luckless:
        luckless.setattr(escalation, "_tell", spoil)
        luckless.setattr(room.session, "autoflush", False)
        assert jobs.escalate() == 1
    assert (len(room.history(broken)), len(room.history(whole))) == (0, 1)


def test_what_takes_too_long_is_left_to_the_next_minute(
    room: Room, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.policy({"after_minutes": 0, "users": [ann]})
    room.alert()
    with monkeypatch.context() as short:
        short.setattr(jobs, "SECONDS_A_TENANT", 0.0)
        assert jobs.escalate() == 0
    assert jobs.escalate() == 1


def test_a_batch_costs_one_statement_however_many_and_whatever_the_policies(
    room: Room, session: Session, ann: int, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    def commit_of(prefix: str, alerts: int) -> int:
        reports = [
            AlertInput("DOOR", "HIGH", "x", NOW, dedup_key=f"{prefix}-{n}") for n in range(alerts)
        ]
        process_alerts(reports, now=NOW)
        return query_count(session.commit)

    # The routes that are told, whether there is a policy, the log.
    assert commit_of("none", 1) == 3
    room.policy({"after_minutes": 0, "users": [ann]})
    room.policy({"after_minutes": 0, "users": [ann]})
    assert commit_of("one", 1) == commit_of("many", 200) == 4
    assert len(room.runs()) == 201


def test_what_is_no_news_of_an_alert_costs_nothing(
    room: Room, session: Session, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    alert = room.alert()
    lifecycle.add_note(alert, "x", user_id=None, now=NOW)
    assert query_count(session.commit) == 0
    lifecycle.acknowledge(alert, user_id=None, now=NOW)
    assert query_count(session.commit) == 1, "the log"


def test_a_step_costs_the_same_with_many_people(
    room: Room, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    def step_of(people: int) -> int:
        users = [make.user("operator").id for _ in range(people)]
        room.policy(
            {"after_minutes": 0, "users": users, "schedules": [room.schedule(*users)]}, position=0
        )
        room.alert()
        return query_count(lambda: room.work(0))

    few = step_of(1)
    room.session.execute(delete(EscalationPolicy))
    assert step_of(20) == few
    assert len(room.session.query(NotificationRoute).all()) == 21

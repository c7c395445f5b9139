"""The page about who is on call: what it says, to whom, and what people do there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboards import queries
from dashboards.oncall import forms, phrases, strips
from noc.alerts import lifecycle
from noc.database.base import utcnow
from noc.notifications import routes
from noc.oncall import schedules
from noc.oncall.models import AlertEscalation, EscalationPolicy, OnCallOverride, OnCallSchedule
from noc.oncall.schemas import OverrideIn
from noc.oncall.timelines import timelines
from tests.dashboards.conftest import Reader
from tests.dashboards.on_call import (
    alert,
    arrange,
    cards,
    draft_of,
    page,
    policy,
    press,
    runs,
    schedule,
    trial,
    turns,
)
from tests.dashboards.test_hostile_calls import JUNK, body_of, named, server_side
from tests.factories import Make
from tests.signed_in import limit_to

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def admin(app: APIFlask, make: Make) -> Reader:
    """An administrator of ``acme``."""
    return Reader(app, make, make.user("admin", name="Ada Admin"))


@pytest.fixture
def ann(make: Make) -> int:
    """Somebody who may act on alerts."""
    return make.user("operator", name="Ann Archer").id


@pytest.fixture
def ben(make: Make) -> int:
    """Somebody else."""
    return make.user("operator", name="Ben Okafor").id


def test_cards_say_who_until_when_and_who_is_next(viewer: Reader, ann: int, ben: int) -> None:
    assert "Nobody is on call" in cards(viewer).text
    schedule(ann, ben)
    text = cards(viewer).text
    assert "Night desk" in text
    assert '"children":"Ann Archer"' in text
    monday = utcnow().date() + dt.timedelta(days=7 - utcnow().weekday())
    assert f'"dateTime":"{monday}T00:00:00+00:00"' in text
    assert '"Then ",{"props":{"children":"Ben Okafor"' in text
    assert "Take over" not in text, "a viewer acts on nothing"


def test_one_member_alone_has_nobody_to_hand_over_to(reader: Reader, ann: int) -> None:
    schedule(ann)
    text = cards(reader).text
    assert "nobody to hand over to" in text
    assert "Nobody is next" in text


def test_a_turn_is_taken_over_until_the_handover_or_for_hours_and_given_back(
    app: APIFlask, make: Make, session: Session, ann: int, ben: int
) -> None:
    reader = Reader(app, make, make.user("operator", name="Olga Petrova"))
    key = schedule(ann, ben)
    asked = press(reader, "ask", key).text
    assert "You are on call at Night desk from now on instead of Ann Archer" in asked
    assert all(word in asked for word in ("The handover", "4 h, until", "8 h", "12 h"))
    assert session.scalar(select(func.count()).select_from(OnCallOverride)) == 0

    taken = press(reader, "4", key).text
    assert '"children":"Olga Petrova"' in taken
    assert ", instead of Ann Archer" in taken
    assert "Give it back" in taken
    one = session.scalars(select(OnCallOverride)).one()
    assert one.ends_at - one.starts_at == 4 * HOUR
    assert one.created_by == one.user_id

    back = press(reader, "back", key).text
    assert "Give it back" not in back
    assert session.scalar(select(func.count()).select_from(OnCallOverride)) == 0
    assert "nothing to give back" in press(reader, "back", key).text

    press(reader, "handover", key)
    monday = utcnow().date() + dt.timedelta(days=7 - utcnow().weekday())
    ends_at = session.scalars(select(OnCallOverride.ends_at)).one()
    assert ends_at.isoformat() == f"{monday}T00:00:00+00:00"


def test_what_somebody_else_took_over_is_not_theirs_to_give_back(
    reader: Reader, session: Session, ann: int, ben: int
) -> None:
    key = schedule(ann)
    now = utcnow()
    body = OverrideIn(user_id=None, starts_at=now, ends_at=now + HOUR)
    schedules.override(key, body, user_id=ben, created_by=ben, now=now)
    assert "Give it back" not in cards(reader).text
    assert "nothing to give back" in press(reader, "back", key).text
    assert session.scalar(select(func.count()).select_from(OnCallOverride)) == 1


def test_a_viewer_takes_nothing_over(viewer: Reader, ann: int, session: Session) -> None:
    key = schedule(ann)
    for step in ("ask", "4", "handover", "back"):
        assert press(viewer, step, key).status_code == 403
    assert session.scalar(select(func.count()).select_from(OnCallOverride)) == 0


def test_strips_mark_own_turns_and_what_was_taken_over(app: APIFlask, make: Make, ann: int) -> None:
    olga = make.user("operator", name="Olga Petrova")
    reader, own = Reader(app, make, olga), olga.id
    key = schedule(ann, own)
    now = utcnow()
    body = OverrideIn(user_id=None, starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    schedules.override(key, body, user_id=own, created_by=own, now=now)
    text = turns(reader).text
    assert "seg seg-mine seg-taken" in text
    assert '"className":"seg seg-mine' in text
    assert "instead of Ann Archer: " in text
    assert "oncall-now-line" in text
    assert "Night desk, the next 14 days" in text
    assert "Instead of Ann Archer" in text, "the table says so too"
    for days, shown in (("7", 7), ("28", 28), ("9", 14), ("x", 14)):
        assert turns(reader, days).text.count("oncall-tick") - 1 == shown


def test_days_are_those_of_the_schedules_clock(ann: int, ben: int) -> None:
    schedule(
        ann, ben, timezone="Europe/Berlin", rotation="daily", handover_weekday=None,
        handover_time="08:00", starts_on="2026-03-20",
    )  # fmt: skip
    now = dt.datetime(2026, 3, 27, 23, 30, tzinfo=dt.UTC)  # 00:30 on the 28th there
    (line,) = timelines(now, 3)
    assert [day.isoformat() for day in line.days] == [
        "2026-03-27T23:00:00+00:00", "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00",
    ]  # fmt: skip
    assert line.until.isoformat() == "2026-03-30T22:00:00+00:00"
    assert [turn.user_name for turn in line.turns] == [
        "Ben Okafor", "Ann Archer", "Ben Okafor", "Ann Archer",
    ]  # fmt: skip
    assert (line.turns[0].starts_at, line.turns[-1].ends_at) == (line.since, line.until)
    # The clocks go forward on the 29th: that night's turn is 23 hours long, of 71 in all.
    assert line.turns[1].ends_at - line.turns[1].starts_at == 23 * HOUR
    assert strips.share(line, line.days[1]) == pytest.approx(24 / 71)
    assert strips.share(line, now - 9 * HOUR) == 0


def test_one_person_s_turns_in_a_row_are_one(ann: int, ben: int) -> None:
    key = schedule(ann, rotation="daily", handover_weekday=None)
    now = utcnow()
    body = OverrideIn(user_id=None, starts_at=now + 20 * HOUR, ends_at=now + 70 * HOUR)
    schedules.override(key, body, user_id=ben, created_by=ben, now=now)
    (line,) = timelines(now, 7)
    assert [(turn.user_name, turn.instead_of) for turn in line.turns] == [
        ("Ann Archer", ()), ("Ben Okafor", ("Ann Archer",)), ("Ann Archer", ()),
    ]  # fmt: skip


def test_reads_are_as_many_with_one_as_with_many(
    query_count: Callable[[Callable[[], Any]], int], reader: Reader, ann: int, ben: int
) -> None:
    def grow(number: int) -> None:
        key = schedule(ann, ben, name=f"Desk {number}")
        policy({"after_minutes": 1, "schedules": [key]}, name=f"P{number}", position=number)
        alert(2, f"Alert {number}")

    def counts() -> list[int]:
        def answered(ask: Any) -> None:
            assert ask(reader).status_code == 200

        return [query_count(partial(answered, ask)) for ask in (cards, turns, runs)]

    grow(1)
    before = counts()
    for number in range(2, 8):
        grow(number)
    assert counts() == before


def test_escalations_are_told_in_words(
    reader: Reader, session: Session, make: Make, ann: int, ben: int
) -> None:
    assert "Nothing has been escalated" in runs(reader).text
    key = schedule(ann, name="Night desk")
    pager = routes.create(
        {"name": "Pager", "channel": "email", "addresses": ["x@acme.example"]}, now=utcnow()
    )
    policy(
        {"after_minutes": 5, "schedules": [key]},
        {"after_minutes": 10, "users": [ben], "routes": [pager.id]},
        repeats=1,
    )
    alert(2, "Fresh")
    alert(6, "Told once")
    alert(16, "Told twice")
    alert(40, "To the end")
    answered = alert(9, "Seen to")
    lifecycle.acknowledge(answered, user_id=ben, now=utcnow())
    session.flush()
    text = runs(reader).text
    assert "Nobody told yet" in text
    assert '"Step 1 of 2: ",{"props":{"children":"Ann Archer"}' in text
    assert '", next ",{"props":{"children":"Ben Okafor and Pager"}' in text
    assert '", then all of it again: ",{"props":{"children":"Night desk"}' in text
    assert '"Nobody answered"' in text
    assert ": gone through twice, 35 min" in text
    assert '"Answered by ",{"props":{"children":"Ben Okafor"}' in text
    assert " after 9 min" in text
    assert f'"data-open":"alert:{answered}"' in text
    assert text.index("To the end") > text.index("Fresh"), "what is on its way comes first"

    assert "Seen to" in runs(reader, "answered").text
    assert "Fresh" not in runs(reader, "answered").text
    assert "To the end" in runs(reader, "exhausted").text
    assert "None was over by itself" in runs(reader, "ended").text
    assert "Fresh" in runs(reader, "no such state").text


def test_older_escalations_are_turned_to_each_once_and_the_clock_stays_there(
    reader: Reader, make: Make, ann: int
) -> None:
    policy({"after_minutes": 0, "users": [ann]})
    began = utcnow() - dt.timedelta(days=2)
    for number in range(120):
        # Three begin at a time: the order of those is told by their ids.
        at = began - dt.timedelta(hours=number // 3)
        key = alert(1, f"Ended {number:03}.", severity="LOW")
        ended = {"state": "ended", "ended_at": at, "reason": "resolve"}
        make.row(AlertEscalation, {"alert_id": key, "begun_at": at} | ended)
    alert(1, "Under way")
    first = runs(reader)
    assert "Under way" in first.text
    assert first.json["response"]["oncall-runs-first"]["hidden"] is True
    seen, answer, turns = ended_in(first), first, 1
    while not answer.json["response"]["oncall-runs-older"]["hidden"]:
        where = places(answer)
        answer = turned(reader, "oncall-runs-older.n_clicks", where)
        again = turned(reader, "oncall-clock.n_intervals", places(answer))
        assert ended_in(again) == ended_in(answer), "the clock leads away from what is read"
        assert answer.json["response"]["oncall-runs-first"]["hidden"] is False
        seen += ended_in(answer)
        turns += 1
    assert turns == 3
    assert sorted(seen) == sorted(set(seen)) == [f"{number:03}" for number in range(120)]
    back = turned(reader, "oncall-runs-first.n_clicks", places(answer))
    assert back.text == first.text
    filtered = turned(
        reader, "oncall-state.value", places(answer) | {"oncall-state.value": "ended"}
    )
    assert ended_in(filtered)[:3] == ["002", "001", "000"]


def ended_in(answer: Any) -> list[str]:
    """What has ended, in the order of the list."""
    return re.findall(r'"children":"Ended (\d{3})[.]"', answer.text)


def places(answer: Any) -> dict[str, Any]:
    """Where the list stands, as the browser keeps it."""
    told = answer.json["response"]
    return {
        f"oncall-runs-{name}.data": told[f"oncall-runs-{name}"]["data"]
        for name in ("after", "next")
    }


def turned(reader: Reader, changed: str, values: dict[str, Any]) -> Any:
    return reader.call("oncall-runs.children", changed, values=values)


def test_whoever_is_limited_to_a_site_sees_its_escalations_alone(
    app: APIFlask, make: Make, ann: int
) -> None:
    near, far = make.site(name="Near"), make.site(name="Far")
    policy({"after_minutes": 0, "users": [ann]})
    alert(1, "Here", site_id=near.id)
    alert(1, "Elsewhere", site_id=far.id)
    alert(1, "Of no site")
    limited = Reader(app, make, limit_to(make, make.user("operator"), near.id))
    for state in ("", "active"):
        text = runs(limited, state).text
        assert "Here" in text
        assert "Elsewhere" not in text
        assert "Of no site" not in text


def test_a_policy_of_other_sites_by_now_is_not_told_of_to_whoever_is_limited(
    app: APIFlask, make: Make, session: Session, reader: Reader, ann: int
) -> None:
    near, far = make.site(name="Near"), make.site(name="Far")
    policy({"after_minutes": 5, "users": [ann]})
    alert(1, "Here", site_id=near.id)
    plan = session.scalars(select(EscalationPolicy)).one()
    plan.name, plan.site_ids = "Vault drill", [far.id]
    session.commit()
    limited = Reader(app, make, limit_to(make, make.user("operator"), near.id))
    text = runs(limited, "active").text
    assert "A policy of other sites" in text
    assert ", goes on " in text
    assert plan.name not in text
    assert "Ann" not in text
    assert plan.name in runs(reader, "active").text


def test_only_admins_of_the_whole_tenant_arrange(
    app: APIFlask, make: Make, reader: Reader, admin: Reader, session: Session, ann: int
) -> None:
    key = schedule(ann)
    limited = Reader(app, make, limit_to(make, make.user("admin"), make.site().id))
    assert "oncall-arrange" in page(admin).text.replace("oncall-arranged", "")
    for who in (reader, limited):
        assert "Schedules and policies" not in page(who).text
        for step in ("new", "edit", "ask", "delete"):
            assert arrange(who, step, "schedule", key).status_code == 403
        assert trial(who, severity="CRITICAL").status_code == 403
    assert session.get(OnCallSchedule, (make.tenant_id, key)) is not None


def test_a_schedule_is_made_by_the_form(
    admin: Reader, session: Session, ann: int, ben: int
) -> None:
    opened = arrange(admin, "new", "schedule")
    draft = draft_of(opened)
    assert draft == {"kind": "schedule", "key": None, "members": [], "steps": 1, "turn": 0}
    fields: dict[Any, Any] = {
        ("name", 0): " Night  desk ", ("timezone", 0): "Asia/Kolkata", ("rotation", 0): "daily",
        ("handover_weekday", 0): "monday", ("handover_time", 0): "25:00", ("starts_on", 0): "",
    }  # fmt: skip
    for member in (ann, ben):
        draft = draft_of(
            arrange(admin, "add-member", draft=draft, fields=fields | {("add", 0): str(member)})
        )
    assert draft["members"] == [ann, ben]
    moved = arrange(admin, "up", n=1, draft=draft, fields=fields)
    draft = draft_of(moved)
    assert draft["members"] == [ben, ann]
    assert '"data-focus":"down-0-3"' in moved.text, "the keyboard stays with who was moved"

    refused = arrange(admin, "save", draft=draft, fields=fields)
    assert '"error":"Must be a time of day, such as 08:00"' in refused.text
    assert draft_of(refused)["members"] == [ben, ann]
    assert session.scalar(select(func.count()).select_from(OnCallSchedule)) == 0

    saved = arrange(admin, "save", draft=draft, fields=fields | {("handover_time", 0): "20:00"})
    assert "Saved." in saved.text
    assert "A day each, handover at 20:00 (Asia/Kolkata)." in saved.text
    made = session.scalars(select(OnCallSchedule)).one()
    assert (made.members, made.rotation, made.handover_weekday) == ([ben, ann], "daily", None)

    again = arrange(admin, "edit", "schedule", made.id)
    draft = draft_of(again)
    assert draft["key"] == made.id
    draft = draft_of(arrange(admin, "drop", n=0, draft=draft, fields=fields))
    fields |= {("rotation", 0): "weekly", ("handover_time", 0): "08:00"}
    assert "Saved." in arrange(admin, "save", draft=draft, fields=fields).text
    session.expire_all()
    assert (made.members, made.handover_weekday) == ([ann], "monday")


def test_a_name_that_is_taken_and_a_member_who_left_are_told_at_their_fields(
    admin: Reader, make: Make, ann: int
) -> None:
    schedule(ann, name="Night desk")
    vera = make.user("viewer", name="Vera Lind").id
    fields: dict[Any, Any] = {
        ("name", 0): "Night desk", ("timezone", 0): "UTC", ("rotation", 0): "weekly",
        ("handover_weekday", 0): "monday", ("handover_time", 0): "08:00",
    }  # fmt: skip
    draft = {"kind": "schedule", "members": [ann]}
    assert (
        '"error":"Another schedule has this name"'
        in arrange(admin, "save", draft=draft, fields=fields).text
    )
    refused = arrange(admin, "save", draft={"kind": "schedule", "members": [vera]}, fields=fields)
    assert "Vera Lind is not an active user who may act on alerts" in refused.text
    nobody = arrange(admin, "save", draft={"kind": "schedule", "members": []}, fields=fields)
    assert "Is needed: at least one" in nobody.text


def test_a_policy_is_made_tried_changed_and_deleted(
    admin: Reader, session: Session, make: Make, ann: int, ben: int
) -> None:
    site = make.site(name="Harbour", timezone="UTC")
    key = schedule(ann, name="Night desk")
    draft = draft_of(arrange(admin, "new", "policy"))
    fields: dict[Any, Any] = {
        ("name", 0): "Doors", ("position", 0): 1, ("min_severity", 0): "HIGH",
        ("site_ids", 0): [str(site.id)], ("alert_types", 0): ["DOOR"], ("active", 0): "on",
        ("repeats", 0): 1, ("after_minutes", 0): 5, ("schedules", 0): [str(key)],
    }  # fmt: skip
    draft = draft_of(arrange(admin, "add-step", draft=draft, fields=fields))
    assert draft["steps"] == 2
    refused = arrange(admin, "save", draft=draft, fields=fields | {("after_minutes", 1): 0})
    assert "Must be at least 1 after the first step" in refused.text
    nobody = arrange(admin, "save", draft=draft, fields=fields | {("after_minutes", 1): 10})
    assert "Names nobody: users, schedules or routes" in nobody.text
    odd = arrange(admin, "save", draft=draft, fields=fields | {("after_minutes", 1): "soon"})
    assert "Must be a whole number" in odd.text
    fields |= {("after_minutes", 1): 10, ("users", 1): [str(ben)]}
    saved = arrange(admin, "save", draft=draft, fields=fields).text
    assert (
        "High and above at Harbour, only Door: after 5 min whoever is on call at Night desk; "
        "10 min later Ben Okafor; gone through twice." in saved
    )
    row = session.scalars(select(EscalationPolicy)).one()

    tried = trial(admin, severity="HIGH", type="DOOR", site=str(site.id)).text
    assert '"Taken by ",{"props":{"children":"Doors"}' in tried
    for told in ("after 5 min", "Ann Archer", "after 15 min", "Ben Okafor", "after 35 min"):
        assert told in tried
    assert "No policy takes it" in trial(admin, severity="MEDIUM", site=str(site.id)).text

    opened = arrange(admin, "edit", "policy", row.id)
    draft = draft_of(opened)
    assert (draft["key"], draft["steps"]) == (row.id, 2)
    draft = draft_of(arrange(admin, "drop-step", n=0, draft=draft, fields=fields))
    assert draft["steps"] == 1
    moved = forms.without_step(fields, 0, 2)
    assert moved[("users", 0)] == [str(ben)]
    fields = moved | {("active", 0): "off"}
    assert "Saved." in arrange(admin, "save", draft=draft, fields=fields).text
    session.expire_all()
    assert (len(row.steps), row.steps[0]["users"], row.active) == (1, [ben], False)

    asked = arrange(admin, "ask", "policy", row.id).text
    assert "Delete Doors? Whom it was still to tell is told nothing." in asked
    assert session.scalar(select(func.count()).select_from(EscalationPolicy)) == 1
    assert "Deleted." in arrange(admin, "delete", "policy", row.id).text
    assert session.scalar(select(func.count()).select_from(EscalationPolicy)) == 0


def test_a_schedule_that_a_policy_names_stays(admin: Reader, session: Session, ann: int) -> None:
    key = schedule(ann)
    policy({"after_minutes": 5, "schedules": [key]}, name="Doors")
    refused = arrange(admin, "delete", "schedule", key).text
    assert "The escalation policy 'Doors' calls whoever is on call by it." in refused
    assert session.scalar(select(func.count()).select_from(OnCallSchedule)) == 1
    assert "It was deleted meanwhile." in arrange(admin, "edit", "policy", 10**12).text


def test_no_more_than_ten_steps(admin: Reader) -> None:
    draft = {"kind": "policy", "steps": 10}
    assert draft_of(arrange(admin, "add-step", draft=draft))["steps"] == 10
    assert arrange(admin, "save", draft=draft | {"steps": 11}).status_code == 422


@pytest.mark.parametrize("field", ["name", "position", "site_ids", "users", "add", "starts_on"])
def test_no_field_s_value_is_a_fault(admin: Reader, ann: int, field: str) -> None:
    body: Any
    for value in JUNK:
        for draft in (
            {"kind": "policy", "steps": 1},
            {"kind": "schedule", "members": [ann]},
        ):
            for step in ("save", "add-member", "drop-step"):
                answer = arrange(admin, step, draft=draft, fields={(field, 0): value})
                assert answer.status_code in (200, 204, 422), (field, value)
        body = body_of(named(server_side(admin), "oncall-arrange.children"), value)
        assert admin.post("_dash-update-component", json=body).status_code < 500


def test_words_of_policies() -> None:
    assert phrases.span(0) == "0 min"
    assert phrases.span(60) == "1 h"
    assert phrases.span(95) == "1 h 35 min"
    assert phrases.listed([]) == ""
    assert phrases.listed(["A", "B", "C"]) == "A, B and C"
    step = {"after_minutes": 0, "users": [1], "schedules": [], "routes": [9]}
    row = EscalationPolicy(
        name="x", position=1, min_severity="INFO", site_ids=[], alert_types=[], steps=[step],
        repeats=2,
    )  # fmt: skip
    names = queries.on_call.Names(users={1: "Ann"})
    assert phrases.takes(row, names) == "Every alert at every site"
    assert (
        phrases.course(row, names)
        == "at once Ann and the route somebody or something deleted; gone through 3 times"
    )


def test_the_address_chooses_period_and_state(viewer: Reader) -> None:
    shown = page(viewer, "?days=28&state=exhausted").json["response"]["page"]["children"]
    found: dict[str, Any] = {}

    def look(part: Any) -> None:
        if isinstance(part, list):
            for one in part:
                look(one)
        elif isinstance(part, dict) and "props" in part:
            found[str(part["props"].get("id"))] = part["props"].get("value")
            look(list(part["props"].values()))

    look(shown)
    assert (found["oncall-days"], found["oncall-state"]) == ("28", "exhausted")

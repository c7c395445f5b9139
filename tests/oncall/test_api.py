"""On-call over REST: who may, what is shown, what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts import lifecycle
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.identity import tenants, tokens
from noc.identity.capabilities import OPERATE, VIEW
from noc.oncall import duty, queries, schemas
from noc.oncall.models import EscalationPolicy
from tests.conftest import ApiClient
from tests.factories import Make
from tests.oncall.conftest import MINUTE, NOW, Room
from tests.problems import assert_problem
from tests.signed_in import CSRF, UserClient, limit_to

SCHEDULES = "on-call/schedules/"
POLICIES = "on-call/policies/"
WEEKLY: dict[str, Any] = {
    "name": "Night desk",
    "timezone": "Asia/Kolkata",
    "rotation": "weekly",
    "handover_time": "08:00",
    "handover_weekday": "monday",
    "starts_on": "2026-11-16",
}


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def delete(client: FlaskClient, api: ApiClient, path: str) -> Any:
    return client.delete(f"/api/v2/noc/{path}", headers=api.headers)


@pytest.fixture
def staff(make: Make) -> list[int]:
    """Three who can be on call."""
    return [make.user("operator", name=name).id for name in ("Ann", "Ben", "Cem")]


def test_a_schedule_is_made_shown_changed_and_deleted(
    api: ApiClient, client: FlaskClient, staff: list[int]
) -> None:
    body = WEEKLY | {"members": staff}
    made = data(api.post(SCHEDULES, json=body), 201)
    path = f"{SCHEDULES}{made['id']}/"
    assert data(api.get(path)) == made
    assert made["starts_on"] == "2026-11-16"
    assert made["members"][0] == {"user_id": staff[0], "user_name": "Ann", "able": True}
    listed = data(api.get(SCHEDULES))
    assert listed == [{name: value for name, value in made.items() if name != "overrides"}]

    daily = {name: value for name, value in body.items() if name != "handover_weekday"}
    changed = data(api.put(path, json=daily | {"rotation": "daily", "starts_on": None}))
    assert (changed["rotation"], changed["handover_weekday"]) == ("daily", None)
    assert changed["starts_on"] == "2026-11-16", "turns stay where they were"
    assert_problem(api.post(SCHEDULES, json=body), 422, name="another schedule")
    assert data(api.get(f"{SCHEDULES}?name=Night%20desk")) == data(api.get(SCHEDULES))
    assert data(api.get(f"{SCHEDULES}?name=Other")) == []

    assert data(delete(client, api, path)) == {"id": made["id"], "deleted": True}
    for response in (api.get(path), delete(client, api, path), api.put(path, json=body)):
        assert_problem(response, 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Nowhere/City"}, "timezone"),
        ({"handover_time": "24:00"}, "handover_time"),
        ({"handover_time": "08:00\n"}, "handover_time"),
        ({"handover_weekday": None}, "handover_weekday"),
        ({"rotation": "daily"}, "handover_weekday"),
        ({"members": []}, "members"),
        ({"members": [987654321]}, "members"),
        ({"starts_on": "2020-01-01"}, "starts_on"),
        ({"starts_on": 20261116}, "starts_on"),
        ({"name": " "}, "name"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    api: ApiClient, staff: list[int], change: dict[str, Any], field: str
) -> None:
    response = api.post(SCHEDULES, json=WEEKLY | {"members": staff} | change)
    assert_problem(response, 422, **{field: ""})


@pytest.mark.parametrize("why", ["disabled", "viewer", "elsewhere"])
def test_whoever_cannot_be_on_call_is_no_member(
    api: ApiClient, make: Make, session: Session, why: str
) -> None:
    if why == "elsewhere":
        rival = tenants.create_tenant("rival", "Rival")
        with tenant_context(session, rival.id):
            user = Make(session, rival.id).user("operator").id
    else:
        role = "viewer" if why == "viewer" else "operator"
        user = make.user(role, active=why != "disabled").id
    response = api.post(SCHEDULES, json=WEEKLY | {"members": [user]})
    assert_problem(response, 422, members=f"user {user} is not an active user")


def test_shifts_are_told_with_overrides(api: ApiClient, make: Make, staff: list[int]) -> None:
    body = WEEKLY | {"members": staff, "handover_time": "00:00", "timezone": "UTC"}
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    begin = today - dt.timedelta(days=today.weekday())
    body["starts_on"] = f"{begin:%Y-%m-%d}"
    key = data(api.post(SCHEDULES, json=body), 201)["id"]
    week = dt.timedelta(days=7)
    over = {
        "user_id": staff[2],
        "starts_at": (begin + week).isoformat(),
        "ends_at": (begin + week + dt.timedelta(days=2)).isoformat(),
    }
    made = data(api.post(f"{SCHEDULES}{key}/overrides/", json=over), 201)
    assert (made["user_name"], made["created_by"]) == ("Cem", None)
    assert data(api.get(f"{SCHEDULES}{key}/"))["overrides"] == [made]

    period = {"from": begin.isoformat(), "until": (begin + 3 * week).isoformat()}
    shifts = data(api.get(f"{SCHEDULES}{key}/shifts/", query_string=period))
    assert [(one["user_name"], one["override_id"]) for one in shifts] == [
        ("Ann", None), ("Cem", made["id"]), ("Ben", None), ("Cem", None),
    ]  # fmt: skip
    assert [one["ends_at"] for one in shifts[:-1]] == [one["starts_at"] for one in shifts[1:]]
    usual = data(api.get(f"{SCHEDULES}{key}/shifts/"))
    assert len(usual) in (3, 4)

    (now,) = data(api.get("on-call/now/"))
    assert (now["schedule_id"], now["user_name"]) == (key, "Ann")
    assert dt.datetime.fromisoformat(now["until"]) == begin + week


@pytest.mark.parametrize("days", [-1, 0, 93])
def test_shifts_are_told_of_a_quarter_at_most(api: ApiClient, staff: list[int], days: int) -> None:
    key = data(api.post(SCHEDULES, json=WEEKLY | {"members": staff}), 201)["id"]
    period = {"from": NOW.isoformat(), "until": (NOW + dt.timedelta(days=days)).isoformat()}
    response = api.get(f"{SCHEDULES}{key}/shifts/", query_string=period)
    assert_problem(response, 422, until="by at most 92 days")
    period["until"] = (NOW + dt.timedelta(days=92)).isoformat()
    assert len(data(api.get(f"{SCHEDULES}{key}/shifts/", query_string=period))) == 14


def test_an_operator_takes_over_for_themselves_and_an_admin_for_anybody(
    app: APIFlask, api: ApiClient, client: FlaskClient, make: Make, staff: list[int]
) -> None:
    key = data(api.post(SCHEDULES, json=WEEKLY | {"members": staff}), 201)["id"]
    path = f"{SCHEDULES}{key}/overrides/"
    operator, other = make.user("operator", name="Op"), make.user("operator")
    mine = UserClient(app, make, operator)
    local = UserClient(app, make, limit_to(make, make.user("admin"), make.site().id))
    now = utcnow()
    span = {"starts_at": now.isoformat(), "ends_at": (now + dt.timedelta(hours=8)).isoformat()}

    own = data(mine.post(path, json=span), 201)
    assert (own["user_id"], own["created_by"]) == (operator.id, operator.id)
    assert data(mine.get("on-call/now/"))[0]["user_name"] == "Op"
    assert_problem(mine.post(path, json=span | {"user_id": other.id}), 403)
    assert_problem(local.post(path, json=span | {"user_id": other.id}), 403)
    assert_problem(api.post(path, json=span), 422, user_id="a token is nobody")
    theirs = data(api.post(path, json=span | {"user_id": other.id}), 201)

    def remove(by: UserClient, override_id: int) -> Any:
        return by._client.delete(f"/api/v2/noc/{path}{override_id}/", headers={"X-CSRFToken": CSRF})

    assert_problem(remove(mine, theirs["id"]), 403)
    assert data(remove(mine, own["id"])) == {"id": own["id"], "deleted": True}
    assert_problem(remove(mine, own["id"]), 404)
    assert data(delete(client, api, f"{path}{theirs['id']}/"))["deleted"] is True


@pytest.mark.parametrize(
    ("begin", "end", "field"),
    [(2, 1, "ends_at"), (1, 1, "ends_at"), (-2, -1, "ends_at"), (1, 3000, "ends_at"),
     (9000, 9001, "starts_at")],
)  # fmt: skip
def test_an_override_for_a_time_that_cannot_be_is_refused(
    api: ApiClient, staff: list[int], begin: int, end: int, field: str
) -> None:
    key = data(api.post(SCHEDULES, json=WEEKLY | {"members": staff}), 201)["id"]
    now, hour = utcnow(), dt.timedelta(hours=1)
    body = {
        "user_id": staff[0],
        "starts_at": (now + begin * hour).isoformat(),
        "ends_at": (now + end * hour).isoformat(),
    }
    path = f"{SCHEDULES}{key}/overrides/"
    assert_problem(api.post(path, json=body), 422, **{field: ""})


def policy(users: list[int], **values: Any) -> dict[str, Any]:
    steps = [{"after_minutes": 5, "users": users}]
    return {"name": "P", "position": 1, "min_severity": "HIGH", "steps": steps} | values


def test_a_policy_is_made_shown_changed_and_deleted(
    api: ApiClient, client: FlaskClient, make: Make, staff: list[int]
) -> None:
    site = make.site().id
    body = policy(staff, site_ids=[site, site], alert_types=["B", "A"], repeats=2)
    made = data(api.post(POLICIES, json=body), 201)
    path = f"{POLICIES}{made['id']}/"
    assert data(api.get(path)) == made
    assert data(api.get(POLICIES)) == [made]
    assert (made["site_ids"], made["alert_types"]) == ([site], ["A", "B"])
    assert made["steps"] == [{"after_minutes": 5, "users": staff, "schedules": [], "routes": []}]
    assert_problem(api.post(POLICIES, json=body), 422, name="another policy")
    changed = data(api.put(path, json=policy(staff, active=False)))
    assert (changed["active"], changed["site_ids"], changed["repeats"]) == (False, [], 0)
    assert data(api.get(f"{POLICIES}?active=true")) == []
    assert data(delete(client, api, path)) == {"id": made["id"], "deleted": True}
    for response in (api.get(path), delete(client, api, path), api.put(path, json=body)):
        assert_problem(response, 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [{"after_minutes": 5}] * 11}, "steps"),
        ({"steps": [{"after_minutes": 5}]}, "steps.0"),
        ({"steps": [{"after_minutes": -1, "users": [1]}]}, "steps.0.after_minutes"),
        ({"steps": [{"after_minutes": 1.5, "users": [1]}]}, "steps.0.after_minutes"),
        ({"steps": [{"after_minutes": 1441, "users": [1]}]}, "steps.0.after_minutes"),
        ({"steps": [{"after_minutes": 5, "users": [987654321]}]}, "steps.0.users"),
        ({"steps": [{"after_minutes": 5, "schedules": [987654321]}]}, "steps.0.schedules"),
        ({"steps": [{"after_minutes": 5, "routes": [987654321]}]}, "steps.0.routes"),
        ({"repeats": 6}, "repeats"),
        ({"position": -1}, "position"),
        ({"min_severity": "BAD"}, "min_severity"),
        ({"site_ids": [987654321]}, "site_ids"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_the_field(
    api: ApiClient, staff: list[int], change: dict[str, Any], field: str
) -> None:
    assert_problem(api.post(POLICIES, json=policy(staff) | change), 422, **{field: ""})


def test_a_later_step_waits(api: ApiClient, staff: list[int]) -> None:
    steps = [{"after_minutes": 0, "users": staff}, {"after_minutes": 0, "users": staff}]
    response = api.post(POLICIES, json=policy(staff, steps=steps))
    assert_problem(response, 422, **{"steps.1.after_minutes": "at least 1"})


def test_a_schedule_that_a_policy_names_is_kept(
    api: ApiClient, client: FlaskClient, staff: list[int]
) -> None:
    key = data(api.post(SCHEDULES, json=WEEKLY | {"members": staff}), 201)["id"]
    steps = [{"after_minutes": 0, "users": staff}, {"after_minutes": 5, "schedules": [key]}]
    data(api.post(POLICIES, json=policy(staff, steps=steps)), 201)
    problem = assert_problem(delete(client, api, f"{SCHEDULES}{key}/"), 409)
    assert "'P'" in problem["detail"]


def test_a_trial_says_who_would_be_told_when_and_tells_nobody(
    api: ApiClient, make: Make, room: Room, staff: list[int]
) -> None:
    here, there = make.site().id, make.site().id
    limit_to(make, make.session.get_one(type(make.user()), (make.tenant_id, staff[0])), there)
    key = data(api.post(SCHEDULES, json=WEEKLY | {"members": staff}), 201)["id"]
    steps = [{"after_minutes": 5, "schedules": [key]}, {"after_minutes": 10, "users": staff[:1]}]
    made = data(api.post(POLICIES, json=policy(staff, steps=steps, repeats=1)), 201)
    path = f"{POLICIES}{made['id']}/test/"

    trial = data(api.get(path, query_string={"severity": "HIGH", "site_id": here}))
    assert trial["taken"] is True
    assert trial["taken_by"] == {"id": made["id"], "name": "P"}
    assert [(one["round"], one["step"]) for one in trial["steps"]] == [
        (1, 1), (1, 2), (2, 1), (2, 2),
    ]  # fmt: skip
    assert staff[0] not in [user["id"] for one in trial["steps"] for user in one["users"]]
    assert trial["steps"][1]["missing"] == [f"user {staff[0]}"]
    assert data(api.get(path, query_string={"severity": "LOW"}))["taken_by"] is None
    assert_problem(api.get(path, query_string={"site_id": 987654321}), 422, site_id="no site")
    assert_problem(api.get(path, query_string={"severity": "BAD"}), 422, severity="")
    assert (room.runs(), room.told()) == ([], [])


def test_escalations_are_listed_for_those_who_see_the_site(
    app: APIFlask, api: ApiClient, make: Make, room: Room, staff: list[int]
) -> None:
    here, there = make.site().id, make.site().id
    unheard = room.alert()
    assert data(api.get(f"alerts/{unheard}/"))["escalation"] is None
    room.policy({"after_minutes": 5, "users": staff}, name="Doors")
    first, second = room.alert(site_id=here), room.alert(site_id=there, minute=1)
    lifecycle.acknowledge(first, user_id=staff[1], now=NOW + MINUTE)
    make.session.commit()

    listed = data(api.get("on-call/escalations/"))
    assert [(one["alert_id"], one["state"]) for one in listed] == [
        (second, "active"), (first, "answered"),
    ]  # fmt: skip
    assert (listed[1]["answered_by_name"], listed[1]["reason"]) == ("Ben", "acknowledge")
    assert listed[0]["policy_name"] == "Doors"
    active = data(api.get("on-call/escalations/?state=active"))
    assert [one["alert_id"] for one in active] == [second]
    of_one = data(api.get(f"on-call/escalations/?alert_id={first}"))
    assert [one["alert_id"] for one in of_one] == [first]
    page = api.get("on-call/escalations/?limit=1").get_json()
    cursor = page["pagination"]["next_cursor"]
    rest = data(api.get(f"on-call/escalations/?limit=1&cursor={cursor}"))
    assert [one["alert_id"] for one in (*page["data"], *rest)] == [second, first]

    shown = data(api.get(f"alerts/{first}/"))["escalation"]
    assert (shown["state"], shown["answered_by_name"]) == ("answered", "Ben")

    local = UserClient(app, make, limit_to(make, make.user("viewer"), here))
    assert [one["alert_id"] for one in data(local.get("on-call/escalations/"))] == [first]
    assert data(local.get(f"on-call/escalations/?alert_id={second}")) == []


def test_a_policy_that_is_for_other_sites_by_now_has_no_name_for_who_is_limited(
    app: APIFlask, api: ApiClient, make: Make, room: Room, staff: list[int]
) -> None:
    here, there, beyond = make.site().id, make.site().id, make.site().id
    room.policy({"after_minutes": 5, "users": staff}, name="Doors")
    alert = room.alert(site_id=here)
    make.session.commit()
    local = UserClient(app, make, limit_to(make, make.user("viewer"), here, beyond))

    def told(who: Any) -> list[tuple[Any, ...]]:
        (listed,) = data(who.get("on-call/escalations/"))
        shown = data(who.get(f"alerts/{alert}/"))["escalation"]
        keys = ("policy_id", "policy_name", "policy_hidden")
        return [tuple(one[key] for key in keys) for one in (listed, shown)]

    plan = make.session.scalars(select(EscalationPolicy)).one()
    named, hidden = (plan.id, "Doors", False), (None, None, True)
    assert told(local) == [named] * 2
    for sites, for_local in (([there], hidden), ([there, beyond], named), ([], named)):
        plan.site_ids = sites
        make.session.commit()
        assert told(local) == [for_local] * 2, sites
        assert told(api) == [named] * 2
    make.session.delete(plan)
    make.session.commit()
    assert told(local) == [(None, None, False)] * 2


def test_admins_of_the_whole_tenant_write_and_viewers_read(
    app: APIFlask, client: FlaskClient, make: Make, api: ApiClient, staff: list[int]
) -> None:
    key = data(api.post(SCHEDULES, json=WEEKLY | {"members": staff}), 201)["id"]
    plan = data(api.post(POLICIES, json=policy(staff)), 201)["id"]
    _, secret = tokens.create(make.tenant_id, "reader", {VIEW, OPERATE})
    reader = ApiClient(client, secret)
    local = UserClient(app, make, limit_to(make, make.user("admin"), make.site().id))
    body = WEEKLY | {"members": staff, "name": "Other"}
    for who in (reader, local):
        for path in (SCHEDULES, f"{SCHEDULES}{key}/", f"{SCHEDULES}{key}/shifts/", "on-call/now/"):
            assert who.get(path).status_code == 200
        for path in (POLICIES, f"{POLICIES}{plan}/", f"{POLICIES}{plan}/test/"):
            assert_problem(who.get(path), 403)
        assert_problem(who.post(SCHEDULES, json=body), 403)
        assert_problem(who.put(f"{SCHEDULES}{key}/", json=body), 403)
        assert_problem(who.post(POLICIES, json=policy(staff, name="Other")), 403)
        assert_problem(who.put(f"{POLICIES}{plan}/", json=policy(staff)), 403)
    for path in (f"{SCHEDULES}{key}/", f"{POLICIES}{plan}/"):
        assert_problem(delete(client, reader, path), 403)


def test_another_tenant_sees_nothing_of_it(
    client: FlaskClient, api: ApiClient, staff: list[int], session: Session
) -> None:
    key = data(api.post(SCHEDULES, json=WEEKLY | {"members": staff}), 201)["id"]
    plan = data(api.post(POLICIES, json=policy(staff)), 201)["id"]
    rival = tenants.create_tenant("rival", "Rival")
    with tenant_context(session, rival.id):
        _, secret = tokens.create(rival.id, "tests", {VIEW, OPERATE, "admin"})
        session.commit()
    theirs = ApiClient(client, secret)
    for path in (SCHEDULES, POLICIES, "on-call/now/", "on-call/escalations/"):
        assert data(theirs.get(path)) == []
    for path in (f"{SCHEDULES}{key}/", f"{SCHEDULES}{key}/shifts/", f"{POLICIES}{plan}/"):
        assert_problem(theirs.get(path), 404)
    assert_problem(delete(client, theirs, f"{SCHEDULES}{key}/"), 404)


def test_lists_cost_the_same_however_long(
    api: ApiClient, room: Room, staff: list[int], query_count: Any
) -> None:
    def counts() -> list[int]:
        return [
            query_count(lambda: duty.on_call_now(NOW)),
            query_count(lambda: queries.list_schedules(schemas.ScheduleQuery())),
        ]

    room.schedule(*staff)
    few = counts()
    for _ in range(10):
        room.schedule(*staff)
    assert counts() == few == [3, 3]

"""Suppression windows over REST."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.alerts.suppression import windows
from noc.alerts.suppression.schemas import SuppressionIn
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.identity import tenants, tokens
from tests.conftest import ApiClient
from tests.factories import Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

HOUR = dt.timedelta(hours=1)
PATH = "alerts/suppressions/"
WEEKLY = {"rrule": "FREQ=WEEKLY;BYDAY=SU", "start_time": "01:30", "duration_minutes": 90}


def once(**values: Any) -> dict[str, Any]:
    """A window from now on for an hour."""
    now = utcnow()
    span = {"starts_at": (now - HOUR).isoformat(), "ends_at": (now + HOUR).isoformat()}
    return {"name": "Door works", "reason": "The locksmith is in"} | span | values


def again(**values: Any) -> dict[str, Any]:
    """A window that comes again."""
    recurrence = WEEKLY | values.pop("recurrence", {})
    return {"name": "Power test", "reason": "Monthly", "recurrence": recurrence} | values


def made(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.get_json()["data"]
    return data


def test_a_window_is_made_shown_and_mutes(api: ApiClient, make: Make, session: Session) -> None:
    site = make.site(name="Dock", timezone="Asia/Kolkata")
    window = made(api.post(PATH, json=once(site_id=site.id, alert_types=["DOOR_OPEN"])))
    assert (window["site_name"], window["timezone"], window["active"]) == (
        "Dock",
        "Asia/Kolkata",
        True,
    )
    (time,) = window["occurrences"]
    assert time["local_starts_at"].endswith("+05:30")
    assert dt.datetime.fromisoformat(time["local_starts_at"]) == dt.datetime.fromisoformat(
        time["starts_at"]
    )
    assert window["alert_types"] == ["DOOR_OPEN"]

    answer = api.post(
        "alerts/",
        json={"alert_type": "DOOR_OPEN", "severity": "HIGH", "message": "x", "site_id": site.id},
    )
    alert = api.get(f"alerts/{answer.get_json()['data']['items'][0]['id']}/").get_json()["data"]
    assert (alert["muted"], alert["muted_by"], alert["muted_by_name"]) == (
        True,
        window["id"],
        "Door works",
    )
    for muted, found in (("true", 1), ("false", 0)):
        rows = api.get("alerts/", query_string={"muted": muted}).get_json()["data"]
        assert len(rows) == found


def test_the_next_times_are_told_in_utc_and_by_the_clocks_of_the_site(
    api: ApiClient, make: Make
) -> None:
    site = make.site(timezone="Europe/Berlin")
    window = made(api.post(PATH, json=again(site_id=site.id)))
    assert len(window["occurrences"]) == 5
    shown = api.get(f"{PATH}{window['id']}/?occurrences=30").get_json()["data"]
    times = shown["occurrences"]
    assert len(times) == 30
    local = [dt.datetime.fromisoformat(one["local_starts_at"]) for one in times]
    assert {(one.weekday(), one.hour, one.minute) for one in local} == {(6, 1, 30)}
    assert len({one.utcoffset() for one in local}) == 2, "half a year has both offsets"
    assert [dt.datetime.fromisoformat(one["starts_at"]) for one in times] == local
    assert api.get(f"{PATH}{window['id']}/?occurrences=0").get_json()["data"]["occurrences"] == []
    assert shown["recurrence"]["rrule"] == "FREQ=WEEKLY;BYDAY=SU"
    for wrong in ("-1", "51", "x"):
        assert_problem(api.get(f"{PATH}{window['id']}/?occurrences={wrong}"), 422, occurrences="")


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"name": " "}, "name", "blank"),
        ({"reason": ""}, "reason", ""),
        ({"site_id": 10**12}, "site_id", "no site"),
        ({"timezone": "Mars/Phobos"}, "timezone", "IANA"),
        ({"ends_at": None}, "ends_at", "with starts_at"),
        ({"starts_at": None, "ends_at": None}, "starts_at", "or a recurrence"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at", "later than starts_at"),
        ({"starts_at": "2020-01-01T00:00Z", "ends_at": "2020-01-02T00:00Z"}, "ends_at", "future"),
        ({"ends_at": "2190-01-01T00:00:00Z"}, "ends_at", "90 days"),
        ({"recurrence": WEEKLY}, "recurrence", "cannot go with"),
        ({"least_severity": "HIGH", "most_severity": "LOW"}, "most_severity", "HIGH"),
        ({"least_severity": "CRITICAL"}, "least_severity", "include_critical"),
        ({"alert_types": ["sos"]}, "alert_types", "include_sos"),
        ({"alert_types": ["no type"]}, "alert_types.0", ""),
        ({"alert_types": ["X"] * 51}, "alert_types", "50"),
        ({"nonsense": 1}, "nonsense", ""),
    ],
)
def test_what_does_not_fit_is_told_by_field(
    api: ApiClient, make: Make, values: dict[str, Any], field: str, reason: str
) -> None:
    body = {name: value for name, value in once(**values).items() if value is not None}
    if "recurrence" in values:
        body["timezone"] = "UTC"
    assert_problem(api.post(PATH, json=body), 422, **{field: reason})


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"rrule": "FREQ=MINUTELY"}, "recurrence.rrule", "DAILY"),
        ({"rrule": "FREQ=DAILY;COUNT=1", "starts_on": "2026-01-01"}, "recurrence", ""),
        ({"start_time": "24:00"}, "recurrence.start_time", ""),
        ({"start_time": "٠١:٠٠"}, "recurrence.start_time", ""),
        ({"duration_minutes": 0}, "recurrence.duration_minutes", ""),
        ({"duration_minutes": 10081}, "recurrence.duration_minutes", "10080"),
        ({"duration_minutes": True}, "recurrence.duration_minutes", ""),
        ({"rrule": "FREQ=DAILY", "duration_minutes": 1440}, "recurrence.duration_minutes", "run"),
        ({"starts_on": "1990-01-01"}, "recurrence.starts_on", "366 days"),
        ({"starts_on": 20261116}, "recurrence.starts_on", "text"),
        ({"starts_on": "2026-02-30"}, "recurrence.starts_on", ""),
    ],
)
def test_a_recurrence_that_does_not_fit_is_told_by_field(
    api: ApiClient, make: Make, values: dict[str, Any], field: str, reason: str
) -> None:
    body = again(timezone="UTC", recurrence=values)
    problem = assert_problem(api.post(PATH, json=body), 422)
    (error,) = problem["errors"]
    assert error["field"].startswith(field)
    assert reason in error["reason"]


def test_a_recurrence_without_a_site_needs_a_zone(api: ApiClient, make: Make) -> None:
    assert_problem(api.post(PATH, json=again()), 422, timezone="no site")
    assert made(api.post(PATH, json=again(timezone="UTC")))["site_id"] is None


def test_cancelling_ends_it_and_a_second_time_changes_nothing(
    api: ApiClient, make: Make, app: APIFlask
) -> None:
    user = UserClient(app, make, make.user("operator", name="Asha"))
    window = made(user.post(PATH, json=once()))
    assert (window["created_by_name"], window["cancelled_at"]) == ("Asha", None)
    first = user.post(f"{PATH}{window['id']}/cancel/").get_json()["data"]
    assert (first["active"], first["occurrences"]) == (False, [])
    assert first["cancelled_by"] == window["created_by"]
    second = api.post(f"{PATH}{window['id']}/cancel/").get_json()["data"]
    assert second["cancelled_at"] == first["cancelled_at"]
    assert second["cancelled_by"] == window["created_by"]
    for query, found in (("active=true", 0), ("cancelled=true", 1), ("cancelled=false", 0)):
        assert len(api.get(f"{PATH}?{query}").get_json()["data"]) == found


def test_the_list_is_turned_page_by_page_and_filtered(api: ApiClient, make: Make) -> None:
    site = make.site()
    later = (utcnow() + 2 * HOUR).isoformat()
    end = (utcnow() + 3 * HOUR).isoformat()
    keys = [made(api.post(PATH, json=once(site_id=site.id)))["id"] for _ in range(2)]
    last = once(starts_at=later, ends_at=end, reason="Paint")
    keys.append(made(api.post(PATH, json=last))["id"])
    first = api.get(f"{PATH}?limit=2").get_json()
    cursor = first["pagination"]["next_cursor"]
    second = api.get(PATH, query_string={"limit": 2, "cursor": cursor}).get_json()
    assert [row["id"] for row in first["data"] + second["data"]] == keys[::-1]
    assert second["pagination"]["next_cursor"] is None

    def found(query: str) -> list[int]:
        return [row["id"] for row in api.get(f"{PATH}?{query}").get_json()["data"]]

    assert found("active=true") == keys[1::-1]
    assert found("active=false") == keys[2:]
    assert found(f"site_id={site.id}") == keys[1::-1]
    assert found("search=PAINT") == keys[2:]
    assert found("search=door&active=true") == keys[1::-1]
    assert found("search=%25") == []
    assert_problem(api.get(f"{PATH}?nonsense=1"), 422, nonsense="")


def test_who_is_limited_sees_makes_and_cancels_those_of_their_sites(
    app: APIFlask, api: ApiClient, make: Make
) -> None:
    here, there = make.site(), make.site()
    user = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    elsewhere = made(api.post(PATH, json=once(site_id=there.id)))["id"]
    everywhere = made(api.post(PATH, json=once()))["id"]
    own = made(user.post(PATH, json=once(site_id=here.id)))["id"]

    assert [row["id"] for row in user.get(PATH).get_json()["data"]] == [own]
    for key in (elsewhere, everywhere):
        assert_problem(user.get(f"{PATH}{key}/"), 404)
        assert_problem(user.post(f"{PATH}{key}/cancel/"), 404)
    assert_problem(user.post(PATH, json=once(site_id=there.id)), 422, site_id="no site")
    assert_problem(user.post(PATH, json=once()), 422, site_id="one of the sites")
    assert user.post(f"{PATH}{own}/cancel/").status_code == 200
    assert api.get(f"{PATH}{elsewhere}/").get_json()["data"]["cancelled_at"] is None


def test_another_tenants_window_is_not_there(api: ApiClient, make: Make, session: Session) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        key = windows.create(SuppressionIn.model_validate(once()), user_id=None, now=utcnow())
        session.commit()
    assert_problem(api.get(f"{PATH}{key}/"), 404)
    assert_problem(api.post(f"{PATH}{key}/cancel/"), 404)
    assert api.get(PATH).get_json()["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "capability"),
    [
        ("get", PATH, "noc:view"),
        ("get", f"{PATH}1/", "noc:view"),
        ("post", PATH, "noc:operate"),
        ("post", f"{PATH}1/cancel/", "noc:operate"),
    ],
)
def test_each_call_needs_its_capability(
    client: FlaskClient, make: Make, method: str, path: str, capability: str
) -> None:
    others = {"noc:view", "noc:operate", "noc:ingest"} - {capability}
    _, secret = tokens.create(make.tenant_id, "others", sorted(others))
    limited = ApiClient(client, secret)
    call = limited.get(path) if method == "get" else limited.post(path, json=once())
    problem = assert_problem(call, 403)
    assert problem["capability"] == capability


def test_nothing_muted_is_lost(api: ApiClient, make: Make, session: Session) -> None:
    made(api.post(PATH, json=once()))
    reports = [
        {"alert_type": "X", "severity": "LOW", "message": "x", "dedup_key": f"{n}"}
        for n in range(20)
    ]
    assert api.post("alerts/", json=reports).get_json()["data"]["accepted"] == 20
    assert session.query(Alert).count() == 20

"""Alerts over REST."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.alerts.queries import FACETS, alert_facets, list_alerts
from noc.alerts.schemas import AlertFilters
from noc.identity import tokens
from tests.alerts.conftest import Raise, Told
from tests.conftest import ApiClient
from tests.factories import NOW, Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

MINUTE = dt.timedelta(minutes=1)


def incoming(**values: Any) -> dict[str, Any]:
    """A report as a monitor sends it."""
    return {"alert_type": "DOOR_OPEN", "severity": "HIGH", "message": "Open"} | values


def ids(response: Any) -> list[int]:
    """The ids a list shows."""
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.get_json()["data"]]


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Alert)) or 0


# -- reports ---------------------------------------------------------------------------------


def test_one_report_is_stored(api: ApiClient, session: Session, make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    now = dt.datetime.now(dt.UTC)
    response = api.post(
        "alerts/",
        json=incoming(
            site_id=site.id,
            person_id=guard.id,
            entity_type="door",
            entity_id="D7",
            dedup_key="door-7",
            occurred_at=(now - MINUTE).isoformat(),
            metadata={"seconds": 95},
        ),
    )
    assert response.status_code == 201
    data = response.get_json()["data"]
    assert (data["accepted"], data["duplicates"], data["rejected"]) == (1, 0, [])
    alert = api.get(f"alerts/{data['items'][0]['id']}/").get_json()["data"]
    assert alert["dedup_key"] == "door-7"
    assert alert["metadata"] == {"seconds": 95}
    assert alert["occurred_at"] == (now - MINUTE).isoformat()


def test_sending_a_report_twice_is_safe(api: ApiClient, session: Session) -> None:
    first = api.post("alerts/", json=incoming())
    again = api.post("alerts/", json=incoming())
    assert (first.status_code, again.status_code) == (201, 200)
    item = again.get_json()["data"]["items"][0]
    assert item == {
        "index": 0,
        "id": first.get_json()["data"]["items"][0]["id"],
        "status": "duplicate",
    }
    assert count(session) == 1


def test_a_batch_is_answered_item_by_item(api: ApiClient, session: Session) -> None:
    far = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    batch = [
        incoming(),
        incoming(severity="SEVERE"),
        incoming(),
        incoming(site_id=987654),
        incoming(occurred_at=far),
        "help",
        incoming(dedup_key="other"),
    ]
    response = api.post("alerts/", json=batch)
    assert response.status_code == 200
    data = response.get_json()["data"]
    assert (data["accepted"], data["duplicates"]) == (2, 1)
    assert [item["status"] for item in data["items"]] == [
        "stored",
        "rejected",
        "duplicate",
        "rejected",
        "rejected",
        "rejected",
        "stored",
    ]
    refused = [(item["index"], item["field"]) for item in data["rejected"]]
    assert refused == [(1, "severity"), (3, "site_id"), (4, "occurred_at"), (5, "item")]
    assert count(session) == 2


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"severity": "SEVERE"}, "severity", "'INFO'"),
        ({"severity": None}, "severity", "'INFO'"),
        ({"alert_type": ""}, "alert_type", "pattern"),
        ({"alert_type": "x" * 101}, "alert_type", "pattern"),
        ({"alert_type": 7}, "alert_type", "string"),
        ({"message": ""}, "message", "at least 1"),
        ({"message": "x" * 4001}, "message", "at most 4000"),
        ({"message": "a\x00b"}, "message", "NUL"),
        ({"site_id": "1"}, "site_id", "integer"),
        ({"site_id": True}, "site_id", "integer"),
        ({"site_id": 2**63}, "site_id", "less than"),
        ({"site_id": -1}, "site_id", "greater than 0"),
        ({"person_id": 1.5}, "person_id", "integer"),
        ({"entity_id": "\x00"}, "entity_id", "one line"),
        ({"dedup_key": "k" * 256}, "dedup_key", "at most 255"),
        ({"occurred_at": "yesterday"}, "occurred_at", "ISO 8601"),
        ({"occurred_at": "2026-11-16T09:00:00"}, "occurred_at", "zone"),
        ({"occurred_at": 1763283600}, "occurred_at", "ISO 8601"),
        ({"occurred_at": "2199-12-31T23:59:59Z"}, "occurred_at", "future"),
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "occurred_at", "between 1970 and 2200"),
        ({"occurred_at": "1999-12-31T23:59:59Z"}, "occurred_at", "too old"),
        ({"metadata": [1]}, "metadata", "JSON object"),
        ({"metadata": {"a\x00": 1}}, "metadata", "NUL"),
        ({"metadata": {"a": "x" * 17_000}}, "metadata", "16384 bytes"),
        ({"metadata": {"a": [[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]}}, "metadata", "nested"),
        ({"person_id": 987654}, "person_id", "not a person"),
    ],
)
def test_a_bad_report_is_refused_with_its_field_and_reason(
    api: ApiClient, session: Session, values: dict[str, Any], field: str, reason: str
) -> None:
    assert_problem(api.post("alerts/", json=incoming(**values)), 422, **{field: reason})
    assert count(session) == 0


@pytest.mark.parametrize("missing", ["alert_type", "severity", "message"])
def test_type_severity_and_message_are_required(api: ApiClient, missing: str) -> None:
    body = incoming()
    del body[missing]
    assert_problem(api.post("alerts/", json=body), 422, **{missing: "required"})


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"\\ud800"'])
def test_what_json_does_not_have_is_refused(api: ApiClient, session: Session, value: str) -> None:
    body = '{"alert_type":"A","severity":"LOW","message":"m","metadata":{"a":VALUE}}'
    body = body.replace("VALUE", value)
    response = api.post("alerts/", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert_problem(response, response.status_code)
    assert count(session) == 0


@pytest.mark.parametrize(
    ("body", "status"), [("", 400), ("{", 400), ("3", 422), ('"x"', 422), ("null", 422)]
)
def test_a_body_that_is_no_report_is_refused(api: ApiClient, body: str, status: int) -> None:
    response = api.post("alerts/", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (status, 422)
    assert_problem(response, response.status_code)


def test_a_batch_over_the_limit_is_refused_whole(api: ApiClient, session: Session) -> None:
    assert_problem(api.post("alerts/", json=[incoming()] * 1001), 413)
    assert count(session) == 0


def test_a_thousand_reports_fit_in_a_batch(api: ApiClient) -> None:
    batch = [incoming(dedup_key=f"k{n}") for n in range(1000)]
    response = api.post("alerts/", json=batch)
    assert response.status_code == 201
    assert response.get_json()["data"]["accepted"] == 1000


# -- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "capability"),
    [
        ("get", "alerts/", "noc:view"),
        ("get", "alerts/facets/", "noc:view"),
        ("get", "alerts/1/", "noc:view"),
        ("post", "alerts/", "noc:ingest"),
        ("post", "alerts/bulk/", "noc:operate"),
        *[
            ("post", f"alerts/1/{action}/", "noc:operate")
            for action in ("acknowledge", "assign", "shelve", "resolve", "reopen", "notes")
        ],
    ],
)
def test_each_call_needs_its_capability(
    client: FlaskClient, make: Make, method: str, path: str, capability: str
) -> None:
    others = {"noc:view", "noc:operate", "noc:ingest", "admin"} - {capability}
    _, secret = tokens.create(make.tenant_id, "other", others)
    response = getattr(ApiClient(client, secret), method)(path)
    assert assert_problem(response, 403)["capability"] == capability
    assert_problem(getattr(client, method)(f"/api/v2/noc/{path}"), 401)


@pytest.mark.parametrize(
    "action", ["acknowledge", "assign", "shelve", "resolve", "reopen", "notes"]
)
def test_another_tenants_alert_is_not_found(
    api: ApiClient, make: Make, rivals_alert: int, action: str
) -> None:
    body = {
        "assign": {"assignee_id": make.user().id},
        "shelve": {"until": (dt.datetime.now(dt.UTC) + MINUTE).isoformat()},
        "resolve": {"resolution": "FIXED"},
        "notes": {"note": "x"},
    }.get(action, {})
    assert_problem(api.get(f"alerts/{rivals_alert}/"), 404)
    assert_problem(api.post(f"alerts/{rivals_alert}/{action}/", json=body), 404)
    assert ids(api.get("alerts/")) == []
    assert api.get("alerts/facets/").get_json()["data"]["total"] == 0


@pytest.mark.parametrize("number", ["0", str(2**63), "99999999999999999999999", "abc", "-1"])
def test_an_id_that_cannot_be_is_not_found(api: ApiClient, number: str) -> None:
    assert_problem(api.get(f"alerts/{number}/"), 404)


def test_who_is_limited_to_sites_sees_and_touches_only_those(
    app: APIFlask, make: Make, raised: Raise
) -> None:
    here, there = make.site(), make.site()
    ours, theirs, nowhere = (
        raised(site_id=here.id).id,
        raised(site_id=there.id).id,
        raised().id,
    )
    browser = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    assert ids(browser.get("alerts/")) == [ours]
    assert ids(browser.get(f"alerts/?site_id={there.id}")) == []
    facets = browser.get("alerts/facets/").get_json()["data"]
    assert facets["total"] == 1
    assert [item["value"] for item in facets["site_id"]] == [here.id]
    assert browser.get(f"alerts/{ours}/").status_code == 200
    for alert_id in (theirs, nowhere):
        assert_problem(browser.get(f"alerts/{alert_id}/"), 404)
        assert_problem(browser.post(f"alerts/{alert_id}/acknowledge/"), 404)
    bulk = browser.post(
        "alerts/bulk/", json={"action": "acknowledge", "ids": [theirs, ours, nowhere]}
    ).get_json()["data"]
    assert [item["status"] for item in bulk["items"]] == ["refused", "done", "refused"]
    assert {item["problem"]["status"] for item in bulk["items"] if "problem" in item} == {404}


# -- lists -----------------------------------------------------------------------------------


@pytest.fixture
def many(make: Make, raised: Raise) -> list[Alert]:
    """Alerts of all kinds, one a minute."""
    sites = [make.site(), make.site()]
    guards = [make.person(sites[0]), make.person(sites[1])]
    severities = ["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
    return [
        raised(
            dedup_key=f"k{n}",
            alert_type=["DOOR_OPEN", "SOS"][n % 2],
            severity=severities[n % 5],
            site_id=[sites[0].id, sites[1].id, None][n % 3],
            person_id=[guards[0].id, None, guards[1].id][n % 3],
            occurred_at=NOW + n * MINUTE,
        )
        for n in range(15)
    ]


def test_the_list_is_latest_first_and_shows_names(
    api: ApiClient, make: Make, raised: Raise
) -> None:
    site = make.site(name="Harbour")
    guard = make.person(site, name="Ravi")
    alert = raised(site_id=site.id, person_id=guard.id)
    user = make.user(name="Olga")
    api.post(f"alerts/{alert.id}/assign/", json={"assignee_id": user.id})
    (item,) = api.get("alerts/").get_json()["data"]
    assert (item["site_name"], item["person_name"], item["assignee_name"]) == (
        "Harbour",
        "Ravi",
        "Olga",
    )
    assert "metadata" not in item, "raw detail is for the single alert"


def test_pages_follow_each_other_without_gap_or_repeat(
    api: ApiClient, raised: Raise, many: list[Alert]
) -> None:
    same_moment = [raised(dedup_key=f"s{n}", occurred_at=NOW).id for n in range(4)]
    seen: list[int] = []
    query = "alerts/?limit=4"
    while True:
        body = api.get(query).get_json()
        seen += [item["id"] for item in body["data"]]
        # What comes in meanwhile is newer and must not push anything onto a later page.
        raised(dedup_key=f"late{len(seen)}", occurred_at=NOW + dt.timedelta(days=1))
        cursor = body["pagination"]["next_cursor"]
        if cursor is None:
            break
        query = f"alerts/?limit=4&cursor={cursor}"
    expected = [alert.id for alert in reversed(many[1:])]
    assert seen == [*expected, *sorted([many[0].id, *same_moment], reverse=True)]


def shows(filters: str, keeps: Callable[[Alert], bool]) -> Any:
    return pytest.param(filters, keeps, id=filters)


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        shows("severity=HIGH", lambda a: a.severity == "HIGH"),
        shows("severity=HIGH,INFO", lambda a: a.severity in ("HIGH", "INFO")),
        shows("min_severity=MEDIUM", lambda a: a.severity in ("MEDIUM", "HIGH", "CRITICAL")),
        shows("alert_type=SOS", lambda a: a.alert_type == "SOS"),
        shows("status=NEW,SHELVED", lambda a: a.status == "NEW"),
        shows("status=RESOLVED", lambda a: a.status == "RESOLVED"),
        shows("open=true", lambda a: a.status != "RESOLVED"),
        shows("open=false", lambda a: a.status == "RESOLVED"),
        shows("resolution=FIXED", lambda a: a.resolution == "FIXED"),
        shows("since=2026-11-16T09:05:00Z", lambda a: a.occurred_at >= NOW + 5 * MINUTE),
        shows("until=2026-11-16T14:35:00%2B05:30", lambda a: a.occurred_at < NOW + 5 * MINUTE),
        shows("dedup_key=k3", lambda a: a.dedup_key == "k3"),
        shows(
            "status=NEW&min_severity=HIGH&alert_type=SOS", lambda a: a.dedup_key in ("k9", "k13")
        ),
    ],
)
def test_filters_keep_what_they_name(
    api: ApiClient, many: list[Alert], query: str, keeps: Callable[[Alert], bool]
) -> None:
    for alert in many[:4]:
        api.post(f"alerts/{alert.id}/resolve/", json={"resolution": "FIXED"})
    expected = [alert.id for alert in reversed(many) if keeps(alert)]
    assert expected, "the filter has something to find"
    assert ids(api.get(f"alerts/?{query}")) == expected


def test_lists_narrow_to_a_site_and_a_person(api: ApiClient, many: list[Alert]) -> None:
    site_id, person_id = many[0].site_id, many[0].person_id
    assert ids(api.get(f"alerts/?site_id={site_id}")) == [
        alert.id for alert in reversed(many) if alert.site_id == site_id
    ]
    assert ids(api.get(f"alerts/?person_id={person_id}")) == [
        alert.id for alert in reversed(many) if alert.person_id == person_id
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=OLD", "status"),
        ("severity=high", "severity"),
        ("min_severity=ALL", "min_severity"),
        ("site_id=x", "site_id"),
        ("person_id=0", "person_id"),
        ("since=2026-11-16", "since"),
        ("until=soon", "until"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=WyIyMDI2LTExLTE2VDA5OjAwOjAwKzAwOjAwIiwgIngiXQ", "cursor"),
        ("stauts=NEW", "stauts"),
        ("dedup_key=%00", "dedup_key"),
    ],
)
def test_a_bad_filter_is_named(api: ApiClient, query: str, field: str) -> None:
    body = assert_problem(api.get(f"alerts/?{query}"), 422)
    assert body["errors"][0]["field"].split(".")[0] == field


def test_the_list_takes_one_statement_however_long(
    session: Session, many: list[Alert], query_count: Callable[[Callable[[], Any]], int]
) -> None:
    assert query_count(lambda: list_alerts(AlertFilters(), limit=2)) == 1
    assert query_count(lambda: list_alerts(AlertFilters(), limit=15)) == 1
    assert query_count(lambda: alert_facets(AlertFilters())) == 1


@pytest.mark.parametrize(
    "query",
    ["", "open=true", "severity=HIGH", "min_severity=MEDIUM&alert_type=SOS", "status=NEW,SHELVED"],
)
def test_each_facet_counts_what_the_list_would_show(
    api: ApiClient, many: list[Alert], query: str
) -> None:
    for alert in many[:5]:
        api.post(f"alerts/{alert.id}/acknowledge/")
    facets = api.get(f"alerts/facets/?{query}").get_json()["data"]
    assert facets["total"] == len(ids(api.get(f"alerts/?{query}")))
    given = dict(pair.split("=") for pair in query.split("&") if pair)
    for facet in FACETS:
        counted = {item["value"]: item["count"] for item in facets[facet]}
        for value, number in counted.items():
            if value is None:
                continue
            narrowed = "&".join(f"{k}={v}" for k, v in (given | {facet: value}).items())
            assert len(ids(api.get(f"alerts/?{narrowed}"))) == number
        others = "&".join(f"{k}={v}" for k, v in given.items() if k != facet)
        assert sum(counted.values()) == len(ids(api.get(f"alerts/?{others}"))), (
            "nothing is left out"
        )


# -- actions ---------------------------------------------------------------------------------


def test_an_operator_works_an_alert_from_the_browser(
    app: APIFlask, make: Make, raised: Raise, told: Told
) -> None:
    olga = make.user("operator", name="Olga")
    browser, alert = UserClient(app, make, olga), raised()
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)).isoformat()
    for action, body, status in (
        ("acknowledge", None, "ACKNOWLEDGED"),
        ("assign", None, "ASSIGNED"),
        ("shelve", {"until": until, "note": "The locksmith is coming"}, "SHELVED"),
        ("reopen", None, "NEW"),
        ("notes", {"note": "Door closed"}, "NEW"),
        ("resolve", {"resolution": "FIXED"}, "RESOLVED"),
    ):
        response = browser.post(f"alerts/{alert.id}/{action}/", json=body)
        assert response.status_code == 200, response.text
        assert response.get_json()["data"]["status"] == status
    shown = browser.get(f"alerts/{alert.id}/").get_json()["data"]
    assert [(step["action"], step["user_name"], step["note"]) for step in shown["history"]] == [
        ("created", None, None),
        ("acknowledge", "Olga", None),
        ("assign", "Olga", None),
        ("shelve", "Olga", "The locksmith is coming"),
        ("reopen", "Olga", None),
        ("note", "Olga", "Door closed"),
        ("resolve", "Olga", None),
    ]
    assert shown["resolved_by_name"] == "Olga"
    assert shown["assignee_name"] == "Olga"


def test_an_action_without_any_body_is_taken(api: ApiClient, raised: Raise) -> None:
    assert api.post(f"alerts/{raised().id}/acknowledge/").status_code == 200


def test_what_the_status_does_not_allow_is_a_conflict(api: ApiClient, raised: Raise) -> None:
    alert = raised()
    body = assert_problem(api.post(f"alerts/{alert.id}/reopen/"), 409)
    assert body["current_status"] == "NEW"
    assert body["allowed"] == ["acknowledge", "assign", "shelve", "resolve", "note"]


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("resolve", {}, "resolution"),
        ("resolve", {"resolution": "GONE"}, "resolution"),
        ("resolve", {"resolution": "FIXED", "status": "NEW"}, "status"),
        ("shelve", {}, "until"),
        ("shelve", {"until": "2020-01-01T00:00:00Z"}, "until"),
        ("shelve", {"until": "9999-01-01T00:00:00Z"}, "until"),
        ("assign", {}, "assignee_id"),
        ("assign", {"assignee_id": 987654}, "assignee_id"),
        ("notes", {"note": ""}, "note"),
        ("notes", {}, "note"),
        ("acknowledge", {"note": "\x00"}, "note"),
    ],
)
def test_a_bad_action_names_its_field(
    api: ApiClient, raised: Raise, action: str, body: dict[str, Any], field: str
) -> None:
    alert = raised()
    problem = assert_problem(api.post(f"alerts/{alert.id}/{action}/", json=body), 422)
    assert problem["errors"][0]["field"] == field
    shown = api.get(f"alerts/{alert.id}/").get_json()["data"]
    assert (shown["status"], len(shown["history"])) == ("NEW", 1)


def test_many_are_treated_at_once_each_with_its_answer(
    api: ApiClient, raised: Raise, rivals_alert: int, told: Told
) -> None:
    first, second, third = (raised(dedup_key=key).id for key in "abc")
    api.post(f"alerts/{second}/acknowledge/")
    api.post(f"alerts/{third}/resolve/", json={"resolution": "FIXED"})
    before = len(told())
    response = api.post(
        "alerts/bulk/",
        json={"action": "acknowledge", "ids": [third, first, rivals_alert, second, first]},
    )
    assert response.status_code == 200
    data = response.get_json()["data"]
    assert (data["done"], data["unchanged"], data["refused"]) == (1, 1, 2)
    assert [(item["id"], item["status"]) for item in data["items"]] == [
        (third, "refused"),
        (first, "done"),
        (rivals_alert, "refused"),
        (second, "unchanged"),
    ]
    assert [item["problem"]["status"] for item in data["items"] if "problem" in item] == [409, 404]
    assert len(told()) == before + 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ids": [1]}, "action"),
        ({"action": "delete", "ids": [1]}, "action"),
        ({"action": "acknowledge"}, "ids"),
        ({"action": "acknowledge", "ids": []}, "ids"),
        ({"action": "acknowledge", "ids": list(range(1, 502))}, "ids"),
        ({"action": "acknowledge", "ids": ["1"]}, "ids.0"),
        ({"action": "resolve", "ids": [1]}, "resolution"),
        ({"action": "assign", "ids": [1]}, "assignee_id"),
        ({"action": "shelve", "ids": [1]}, "until"),
        ({"action": "note", "ids": [1]}, "note"),
    ],
)
def test_a_bad_bulk_action_names_its_field(
    api: ApiClient, body: dict[str, Any], field: str
) -> None:
    problem = assert_problem(api.post("alerts/bulk/", json=body), 422)
    assert problem["errors"][0]["field"] == field


def test_the_description_of_the_api_has_every_call(app: APIFlask, client: FlaskClient) -> None:
    paths = client.get("/api/openapi.json").get_json()["paths"]
    described = {path for path in paths if path.startswith("/api/v2/noc/alerts/")}
    assert len(described) == 14

"""Tickets over REST."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.database.tenancy import tenant_context
from noc.identity import tenants, tokens
from noc.tickets.models import Ticket
from noc.tickets.queries import list_tickets
from noc.tickets.schemas import TicketFilters
from noc.tickets.workflow import open_once
from tests.conftest import ApiClient
from tests.factories import NOW, Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to
from tests.tickets.conftest import Open, draft

MINUTE = dt.timedelta(minutes=1)


def ids(response: Any) -> list[int]:
    """The ids a list shows."""
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.get_json()["data"]]


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Ticket)) or 0


# -- opening by hand -------------------------------------------------------------------------


def test_a_ticket_is_opened_by_hand(app: APIFlask, make: Make) -> None:
    site = make.site(name="Harbour")
    guard = make.person(site, name="Ravi")
    punch = make.punch(guard, site)
    olga = make.user("operator", name="Olga")
    response = UserClient(app, make, olga).post(
        "tickets/",
        json={
            "title": "The gate camera is dark",
            "description": "Since this morning.",
            "priority": "HIGH",
            "category": "OPERATIONAL",
            "site_id": site.id,
            "person_id": guard.id,
            "assignee_id": olga.id,
            "due_at": "2026-12-01T09:00:00+05:30",
            "metadata": {"camera": 7},
            "evidence": [{"kind": "punch", "ref": punch.id}],
        },
    )
    assert response.status_code == 201, response.text
    ticket = response.get_json()["data"]
    assert ticket["number"] == "T-000001"
    assert (ticket["status"], ticket["source"]) == ("ASSIGNED", "MANUAL")
    assert (ticket["site_name"], ticket["person_name"]) == ("Harbour", "Ravi")
    assert (ticket["assignee_name"], ticket["created_by_name"]) == ("Olga", "Olga")
    assert ticket["due_at"] == "2026-12-01T03:30:00+00:00"
    assert ticket["metadata"] == {"camera": 7}
    assert [(item["kind"], item["ref"]) for item in ticket["evidence"]] == [
        ("punch", str(punch.id))
    ]
    assert [(step["action"], step["user_name"]) for step in ticket["history"]] == [
        ("opened", "Olga")
    ]


def test_a_repeated_request_opens_no_second_ticket(api: ApiClient, session: Session) -> None:
    key = {"Idempotency-Key": "retry-1"}
    first = api.post("tickets/", json={"title": "Gate"}, headers=key)
    again = api.post("tickets/", json={"title": "Gate"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json()["data"] == first.get_json()["data"]
    assert api.post("tickets/", json={"title": "Fence"}, headers=key).status_code == 201
    assert api.post("tickets/", json={"title": "Gate"}).status_code == 201
    assert count(session) == 3


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_that_cannot_be_kept_is_refused(api: ApiClient, session: Session, key: str) -> None:
    response = api.post("tickets/", json={"title": "Gate"}, headers={"Idempotency-Key": key})
    body = assert_problem(response, 422)
    assert body["errors"][0]["field"] == "Idempotency-Key"
    assert count(session) == 0


def test_a_ticket_is_not_opened_for_who_does_not_see_its_site(api: ApiClient, make: Make) -> None:
    here, there = make.site(), make.site()
    user = limit_to(make, make.user("operator"), here.id)
    body = {"title": "Gate", "assignee_id": user.id}
    refused = api.post("tickets/", json=body | {"site_id": there.id})
    assert_problem(refused, 422, assignee_id="does not see")
    assert api.post("tickets/", json=body | {"site_id": here.id}).status_code == 201


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"title": None}, "title", "string"),
        ({"title": ""}, "title", "at least 1"),
        ({"title": "x" * 201}, "title", "at most 200"),
        ({"title": "\x00"}, "title", "one line"),
        ({"priority": "CRITICAL"}, "priority", "'HIGH'"),
        ({"category": "GARDENING"}, "category", "'SECURITY_FRAUD'"),
        ({"site_id": 987654}, "site_id", "no site"),
        ({"person_id": 987654}, "person_id", "no person"),
        ({"assignee_id": 987654}, "assignee_id", "not an active user"),
        ({"due_at": "tomorrow"}, "due_at", "ISO 8601"),
        ({"metadata": {"a": "x" * 17_000}}, "metadata", "16384 bytes"),
        ({"evidence": [{"kind": "punch", "ref": "987654"}]}, "evidence", "no punch '987654'"),
        ({"evidence": [{"kind": "punch", "ref": "007"}]}, "evidence", "no punch '007'"),
        ({"evidence": [{"kind": "punch", "ref": "9" * 30}]}, "evidence", "no punch"),
        ({"evidence": [{"kind": "alert", "ref": 987654}]}, "evidence", "no alert"),
        ({"evidence": [{"kind": "finding", "ref": 987654}]}, "evidence", "no finding"),
        ({"evidence": [{"kind": "incident", "ref": "1"}]}, "evidence", "no incident"),
        ({"evidence": [{"kind": "incident", "ref": str(uuid.UUID(int=9))}]}, "evidence", "no inc"),
        ({"source": "AUTOMATED_FRAUD"}, "source", "not permitted"),
        ({"number": "T-7"}, "number", "not permitted"),
    ],
)
def test_a_bad_ticket_is_refused_with_its_field_and_reason(
    api: ApiClient, session: Session, values: dict[str, Any], field: str, reason: str
) -> None:
    response = api.post("tickets/", json={"title": "Gate"} | values)
    assert_problem(response, 422, **{field: reason})
    assert count(session) == 0


def test_another_tenants_things_are_no_evidence(
    api: ApiClient, session: Session, make: Make
) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        theirs = Make(session, rival.id)
        site = theirs.site()
        person, punch = theirs.person(site), theirs.punch(theirs.person(site), site)
        site_id, person_id, punch_id = site.id, person.id, punch.id
        session.commit()
    for values, field in (
        ({"site_id": site_id}, "site_id"),
        ({"person_id": person_id}, "person_id"),
        ({"evidence": [{"kind": "punch", "ref": punch_id}]}, "evidence"),
    ):
        assert_problem(api.post("tickets/", json={"title": "Gate"} | values), 422, **{field: "no"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[" * 100_000, 400),
        (b'{"title": "\xff"}', 400),
        ('{"title": "\\ud800"}', 422),
        ("[]", 422),
        ("", 400),
        ("3", 422),
    ],
    ids=["broken", "nested", "not UTF-8", "half a character", "list", "empty", "number"],
)
def test_a_body_that_is_no_ticket_is_refused(
    api: ApiClient, body: str | bytes, status: int
) -> None:
    response = api.post("tickets/", data=body, headers={"Content-Type": "application/json"})
    assert_problem(response, status)


# -- who may ---------------------------------------------------------------------------------

ACTIONS: dict[str, dict[str, Any]] = {
    "transition": {"status": "ON_HOLD"},
    "comments": {"comment": "Hm"},
    "evidence": {"evidence": [{"kind": "punch", "ref": "1"}]},
    "assign": {},
    "merge": {"into": 1},
}


@pytest.mark.parametrize(
    ("method", "path", "capability"),
    [
        ("get", "tickets/", "noc:view"),
        ("get", "tickets/1/", "noc:view"),
        ("post", "tickets/", "noc:operate"),
        *[("post", f"tickets/1/{action}/", "noc:operate") for action in ACTIONS],
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


@pytest.mark.parametrize("action", ACTIONS)
def test_another_tenants_ticket_is_not_found(
    api: ApiClient, make: Make, opened: Open, rivals_ticket: int, action: str
) -> None:
    site = make.site()
    body = ACTIONS[action] | {
        "assign": {"assignee_id": make.user().id},
        "evidence": {
            "evidence": [{"kind": "punch", "ref": make.punch(make.person(site), site).id}]
        },
        "merge": {"into": opened().id},
    }.get(action, {})
    assert_problem(api.get(f"tickets/{rivals_ticket}/"), 404)
    assert_problem(api.post(f"tickets/{rivals_ticket}/{action}/", json=body), 404)
    assert rivals_ticket not in ids(api.get("tickets/"))


def test_a_ticket_is_not_merged_into_another_tenants(
    api: ApiClient, opened: Open, rivals_ticket: int
) -> None:
    ours = opened().id
    assert_problem(api.post(f"tickets/{ours}/merge/", json={"into": rivals_ticket}), 404)
    assert api.get(f"tickets/{ours}/").get_json()["data"]["status"] == "NEW"


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 30, "T-000001"])
def test_an_id_that_cannot_be_is_not_found(api: ApiClient, number: str) -> None:
    assert_problem(api.get(f"tickets/{number}/"), 404)


def test_who_is_limited_to_sites_sees_and_touches_only_those(
    app: APIFlask, make: Make, opened: Open
) -> None:
    here, there = make.site(), make.site()
    punch = make.punch(make.person(there), there)
    ours, theirs, nowhere = (
        opened(site_id=here.id).id,
        opened(site_id=there.id).id,
        opened().id,
    )
    browser = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    assert ids(browser.get("tickets/")) == [ours]
    assert browser.get(f"tickets/{ours}/").status_code == 200
    for ticket_id in (theirs, nowhere):
        assert_problem(browser.get(f"tickets/{ticket_id}/"), 404)
        for action in ("transition", "comments", "assign"):
            response = browser.post(f"tickets/{ticket_id}/{action}/", json=ACTIONS[action])
            assert_problem(response, 404)
        assert_problem(browser.post(f"tickets/{ticket_id}/merge/", json={"into": ours}), 404)
        assert_problem(browser.post(f"tickets/{ours}/merge/", json={"into": ticket_id}), 404)
    far = {"evidence": [{"kind": "punch", "ref": punch.id}]}
    assert_problem(browser.post(f"tickets/{ours}/evidence/", json=far), 422, evidence="no punch")
    for site_id, reason in ((there.id, "no site"), (None, "limited to")):
        response = browser.post("tickets/", json={"title": "Gate", "site_id": site_id})
        assert_problem(response, 422, site_id=reason)
    stranger = {"title": "Gate", "site_id": here.id, "person_id": make.person(there).id}
    assert_problem(browser.post("tickets/", json=stranger), 422, person_id="no person")
    known = {"title": "Gate", "site_id": here.id, "person_id": make.person(here).id}
    assert browser.post("tickets/", json=known).status_code == 201


# -- lists -----------------------------------------------------------------------------------


@pytest.fixture
def many(session: Session, make: Make) -> list[Ticket]:
    """Tickets of all kinds, one a minute."""
    sites = [make.site(), make.site()]
    guard, user = make.person(sites[0]), make.user()
    tickets = []
    for n in range(12):
        (one,) = open_once(
            [
                draft(
                    priority=["LOW", "MEDIUM", "HIGH"][n % 3],
                    category=["SECURITY_FRAUD", "SECURITY_AUDIT"][n % 2],
                    source=["AUTOMATED_FRAUD", "AUTOMATED_AUDIT"][n % 2],
                    site_id=[sites[0].id, sites[1].id, None][n % 3],
                    person_id=guard.id if n % 4 == 0 else None,
                    assignee_id=user.id if n % 5 == 0 else None,
                )
            ],
            now=NOW + n * MINUTE,
        )
        tickets.append(session.get_one(Ticket, (make.tenant_id, one.ticket_id)))
    return tickets


def shows(filters: str, keeps: Callable[[Ticket], bool]) -> Any:
    return pytest.param(filters, keeps, id=filters)


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        shows("", lambda t: True),
        shows("open=true", lambda t: t.status != "RESOLVED"),
        shows("open=false", lambda t: t.status == "RESOLVED"),
        shows("status=ASSIGNED", lambda t: t.status == "ASSIGNED"),
        shows("status=NEW,RESOLVED", lambda t: t.status in ("NEW", "RESOLVED")),
        shows("resolution=FIXED", lambda t: t.status == "RESOLVED"),
        shows("priority=HIGH,LOW", lambda t: t.priority in ("HIGH", "LOW")),
        shows("category=SECURITY_AUDIT", lambda t: t.category == "SECURITY_AUDIT"),
        shows("source=AUTOMATED_FRAUD", lambda t: t.source == "AUTOMATED_FRAUD"),
        shows("number=T-000003", lambda t: t.number == "T-000003"),
        shows("since=2026-11-16T09:05:00Z", lambda t: t.created_at >= NOW + 5 * MINUTE),
        shows("until=2026-11-16T09:05:00Z", lambda t: t.created_at < NOW + 5 * MINUTE),
    ],
)
def test_filters_keep_what_they_name(
    api: ApiClient, many: list[Ticket], query: str, keeps: Callable[[Ticket], bool]
) -> None:
    for ticket in many[:3]:
        done = {"status": "RESOLVED", "resolution": "FIXED"}
        assert api.post(f"tickets/{ticket.id}/transition/", json=done).status_code == 200
    expected = [ticket.id for ticket in reversed(many) if keeps(ticket)]
    assert expected, "the filter has something to find"
    assert ids(api.get(f"tickets/?{query}")) == expected


@pytest.mark.parametrize("column", ["site_id", "person_id", "assignee_id"])
def test_lists_narrow_to_a_site_a_person_an_assignee(
    api: ApiClient, many: list[Ticket], column: str
) -> None:
    wanted = getattr(many[0], column)
    assert ids(api.get(f"tickets/?{column}={wanted}")) == [
        ticket.id for ticket in reversed(many) if getattr(ticket, column) == wanted
    ]


def test_pages_follow_each_other_without_gap_or_repeat(api: ApiClient, many: list[Ticket]) -> None:
    seen: list[int] = []
    query = "tickets/?limit=5"
    while True:
        body = api.get(query).get_json()
        seen += [item["id"] for item in body["data"]]
        if (cursor := body["pagination"]["next_cursor"]) is None:
            break
        query = f"tickets/?limit=5&cursor={cursor}"
    assert seen == [ticket.id for ticket in reversed(many)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=DONE", "status"),
        ("priority=CRITICAL", "priority"),
        ("category=a", "category"),
        ("site_id=x", "site_id"),
        ("assignee_id=0", "assignee_id"),
        ("since=2026-11-16", "since"),
        ("limit=501", "limit"),
        ("cursor=abc", "cursor"),
        ("stauts=NEW", "stauts"),
        ("number=%00", "number"),
    ],
)
def test_a_bad_filter_is_named(api: ApiClient, query: str, field: str) -> None:
    body = assert_problem(api.get(f"tickets/?{query}"), 422)
    assert body["errors"][0]["field"].split(".")[0] == field


def test_the_list_takes_one_statement_however_long(
    many: list[Ticket], query_count: Callable[[Callable[[], Any]], int]
) -> None:
    assert query_count(lambda: list_tickets(TicketFilters(), now=NOW, limit=2)) == 1
    assert query_count(lambda: list_tickets(TicketFilters(), now=NOW, limit=12)) == 1


# -- actions ---------------------------------------------------------------------------------


def test_a_ticket_is_worked_from_the_browser(app: APIFlask, make: Make, opened: Open) -> None:
    site = make.site()
    guard = make.person(site)
    first, second = make.punch(guard, site), make.punch(guard, site)
    olga = make.user("operator", name="Olga")
    browser = UserClient(app, make, olga)
    ticket = opened(site_id=site.id, evidence=[("punch", str(first.id))])
    more = {"evidence": [{"kind": "punch", "ref": str(second.id)}], "note": "Same phone"}
    done = {
        "status": "RESOLVED",
        "resolution": "CONFIRMED",
        "comment": "He admits one",
        "verdicts": {str(first.id): "CONFIRMED", str(second.id): "FALSE_POSITIVE"},
    }
    for action, body, status in (
        ("assign", None, "ASSIGNED"),
        ("transition", {"status": "IN_PROGRESS"}, "IN_PROGRESS"),
        ("comments", {"comment": "Called the site"}, "IN_PROGRESS"),
        ("evidence", more, "IN_PROGRESS"),
        ("transition", done, "RESOLVED"),
        ("transition", {"status": "CLOSED"}, "CLOSED"),
    ):
        response = browser.post(f"tickets/{ticket.id}/{action}/", json=body)
        assert response.status_code == 200, response.text
        assert response.get_json()["data"]["status"] == status
    shown = browser.get(f"tickets/{ticket.id}/").get_json()["data"]
    assert [(step["action"], step["new_status"], step["comment"]) for step in shown["history"]] == [
        ("opened", "NEW", None),
        ("assign", "ASSIGNED", None),
        ("transition", "IN_PROGRESS", None),
        ("comment", "IN_PROGRESS", "Called the site"),
        ("evidence", "IN_PROGRESS", "Same phone"),
        ("transition", "RESOLVED", "He admits one"),
        ("transition", "CLOSED", None),
    ]
    assert {step["user_name"] for step in shown["history"][1:]} == {"Olga"}
    assert shown["history"][5]["detail"]["verdicts"][str(first.id)] == "CONFIRMED"
    assert shown["resolution"] == "CONFIRMED"
    assert [item["note"] for item in shown["evidence"]] == [None, "Same phone"]


def test_merging_answers_the_ticket_that_goes_on(api: ApiClient, opened: Open) -> None:
    duplicate, heir = opened(evidence=[("punch", "1")]), opened()
    response = api.post(
        f"tickets/{duplicate.id}/merge/", json={"into": heir.id, "comment": "The same"}
    )
    assert response.get_json()["data"]["id"] == heir.id
    assert len(response.get_json()["data"]["evidence"]) == 1
    shown = api.get(f"tickets/{duplicate.id}/").get_json()["data"]
    assert (shown["status"], shown["resolution"]) == ("RESOLVED", "DUPLICATE")


def test_a_move_that_the_table_does_not_have_names_those_it_has(
    api: ApiClient, opened: Open
) -> None:
    response = api.post(f"tickets/{opened().id}/transition/", json={"status": "CLOSED"})
    body = assert_problem(response, 409)
    assert body["current_status"] == "NEW"
    assert body["allowed"] == ["ASSIGNED", "IN_PROGRESS", "ON_HOLD", "RESOLVED", "CANCELLED"]


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("transition", {}, "status"),
        ("transition", {"status": "DONE"}, "status"),
        ("transition", {"status": "RESOLVED"}, "resolution"),
        ("transition", {"status": "ON_HOLD", "resolution": "FIXED"}, "resolution"),
        ("transition", {"status": "RESOLVED", "resolution": "GONE"}, "resolution"),
        ("transition", {"status": "RESOLVED", "resolution": "FIXED", "verdicts": []}, "verdicts"),
        (
            "transition",
            {"status": "RESOLVED", "resolution": "FIXED", "verdicts": {"5": "CONFIRMED"}},
            "verdicts",
        ),
        ("transition", {"status": "ON_HOLD", "comment": "\x00"}, "comment"),
        ("assign", {}, "assignee_id"),
        ("assign", {"assignee_id": 987654}, "assignee_id"),
        ("comments", {}, "comment"),
        ("comments", {"comment": ""}, "comment"),
        ("comments", {"comment": "   "}, "comment"),
        ("evidence", {"evidence": []}, "evidence"),
        ("evidence", {"evidence": [{"kind": "rumour", "ref": "1"}]}, "evidence.0.kind"),
        ("evidence", {"evidence": [{"kind": "punch", "ref": "987654"}]}, "evidence"),
        ("merge", {}, "into"),
        ("merge", {"into": "1"}, "into"),
    ],
)
def test_a_bad_action_names_its_field_and_changes_nothing(
    api: ApiClient, opened: Open, action: str, body: dict[str, Any], field: str
) -> None:
    ticket = opened()
    problem = assert_problem(api.post(f"tickets/{ticket.id}/{action}/", json=body), 422)
    assert problem["errors"][0]["field"] == field
    shown = api.get(f"tickets/{ticket.id}/").get_json()["data"]
    assert (shown["status"], len(shown["history"])) == ("NEW", 1)


def test_the_description_of_the_api_has_every_call(client: FlaskClient) -> None:
    paths = client.get("/api/openapi.json").get_json()["paths"]
    assert len([path for path in paths if path.startswith("/api/v2/noc/tickets/")]) == 10


def test_a_comment_can_be_the_guards_side_and_nobody_elses(api: ApiClient, opened: Open) -> None:
    path = f"tickets/{opened().id}/comments/"
    told = api.post(path, json={"comment": "I was there.", "said_by": "guard"}).json["data"]
    assert told["history"][-1]["detail"] == {"said_by": "guard"}
    plain = api.post(path, json={"comment": "Noted."}).json["data"]
    assert plain["history"][-1]["detail"] is None
    assert_problem(api.post(path, json={"comment": "x", "said_by": "cat"}), 422, said_by="")

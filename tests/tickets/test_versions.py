"""Who acts on what they have read does not overwrite what somebody else has done since."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session

from noc.extensions import session as current_session
from noc.rest.problems import Problem
from noc.tickets import workflow
from noc.tickets.models import Ticket
from noc.tickets.workflow import open_once
from tests.conftest import ApiClient, Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.problems import assert_problem
from tests.tickets.conftest import Open, draft, history, slotted

CHANGES: dict[str, dict[str, Any]] = {
    "transition": {"status": "RESOLVED", "resolution": "FIXED"},
    "assign": {},
    "priority": {"priority": "HIGH"},
    "comments": {"comment": "Seen."},
    "evidence": {"evidence": [{"kind": "punch", "ref": "1"}]},
    "merge": {},
}


def body(name: str, make: Make, opened: Open) -> dict[str, Any]:
    """What the change takes."""
    more: dict[str, Any] = {}
    if name == "assign":
        more = {"assignee_id": make.user("operator").id}
    elif name == "merge":
        more = {"into": opened().id}
    elif name == "evidence":
        site = make.site()
        punch = make.punch(make.person(site), site)
        more = {"evidence": [{"kind": "punch", "ref": str(punch.id)}]}
    return CHANGES[name] | more


@pytest.mark.parametrize("name", CHANGES)
def test_a_stale_change_is_refused_and_nothing_is_written(
    api: ApiClient, session: Session, make: Make, opened: Open, name: str
) -> None:
    ticket, wanted = opened(), body(name, make, opened)
    workflow.comment(ticket.id, "Somebody was quicker.", user_id=None, now=NOW)
    session.commit()
    steps = len(history(session, ticket.id))

    answer = api.post(f"tickets/{ticket.id}/{name}/", json=wanted | {"version": 1})

    problem = assert_problem(answer, 409)
    assert (problem["current_version"], problem["current_status"]) == (2, "NEW")
    session.expire_all()
    assert len(history(session, ticket.id)) == steps
    assert ticket.status == "NEW"

    assert api.post(f"tickets/{ticket.id}/{name}/", json=wanted | {"version": 2}).status_code == 200
    session.expire_all()
    assert ticket.version == 3


def test_every_change_is_a_version(api: ApiClient, session: Session, opened: Open) -> None:
    ticket = opened()
    shown = api.get(f"tickets/{ticket.id}/").get_json()["data"]
    assert shown["version"] == 1
    changes: list[tuple[str, dict[str, Any]]] = [
        ("comments", {"comment": "Seen."}),
        ("priority", {"priority": "HIGH"}),
        ("transition", {"status": "ON_HOLD"}),
    ]
    for number, (name, wanted) in enumerate(changes, 2):
        answer = api.post(f"tickets/{ticket.id}/{name}/", json=wanted)
        assert answer.get_json()["data"]["version"] == number


def test_evidence_that_joins_is_a_version(session: Session, make: Make) -> None:
    (first,) = open_once([slotted()], now=NOW)
    open_once([slotted(evidence=[("punch", "1")])], now=NOW)
    open_once([slotted(evidence=[("punch", "1")])], now=NOW)
    assert session.get_one(Ticket, (make.tenant_id, first.ticket_id)).version == 2


@pytest.mark.parametrize("version", [0, -1, "x", 10**30])
def test_a_version_is_a_number_that_can_be(api: ApiClient, opened: Open, version: Any) -> None:
    answer = api.post(f"tickets/{opened().id}/comments/", json={"comment": "x", "version": version})
    assert_problem(answer, 422, version="")


def test_of_many_who_have_read_the_same_one_gets_through(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        (opened,) = open_once([draft()], now=NOW)
        users = iter([make.user("operator").id for _ in range(16)])
        current_session().commit()

        def take() -> str:
            user_id = next(users)
            try:
                workflow.assign(opened.ticket_id, user_id, user_id=user_id, now=NOW, version=1)
            except Problem as problem:
                current_session().rollback()
                return f"{problem.status} {problem.members['current_version']}"
            current_session().commit()
            return "taken"

        answers = sorted(at_once(app, make.tenant_id, [take] * 16))
        assert answers == ["409 2"] * 15 + ["taken"]

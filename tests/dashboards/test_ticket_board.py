"""The board of tickets: its columns, moving a card, opening and merging by hand."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboards.tickets.board import moves
from noc.database.base import utcnow
from noc.identity.models import User
from noc.tickets import workflow
from noc.tickets.models import STATUSES, Ticket
from noc.tickets.transitions import TRANSITIONS
from noc.tickets.workflow import open_once
from noc.workforce.models import Site
from tests.dashboards.conftest import Reader
from tests.dashboards.test_pages import drawer, page, press
from tests.factories import Make
from tests.signed_in import limit_to
from tests.tickets.conftest import draft

FORM = {"priority": "HIGH", "category": "SAFETY", "key": "k-1", "title": "Lamp is out"}


@pytest.fixture
def me(make: Make) -> User:
    """The reader as a user."""
    return make.user("security_manager", name="Maya Fernandes")


@pytest.fixture
def reader(app: APIFlask, make: Make, me: User) -> Reader:
    """The reader."""
    return Reader(app, make, me)


@pytest.fixture
def site(make: Make) -> Site:
    return make.site(name="Harbour Depot", timezone="UTC")


def opened(session: Session, make: Make, **values: Any) -> Ticket:
    (found,) = open_once([draft(**values)], now=utcnow())
    return session.get_one(Ticket, (make.tenant_id, found.ticket_id))


def board(reader: Reader, **chosen: Any) -> Any:
    chosen = {"show": "board", "view": "open"} | chosen
    values = {f"tickets-{name}.value": value for name, value in chosen.items()}
    return reader.call("tickets-table.children", "tickets-view.value", values=values)


def move(reader: Reader, ticket: Ticket, to: str, version: int = 1, **more: Any) -> Any:
    wanted = {"id": ticket.id, "version": version, "to": to, "number": 1} | more
    return reader.call(
        "tickets-moved.data", "tickets-move.data", values={"tickets-move.data": wanted}
    )


def take_back(reader: Reader, ticket_id: int, version: int) -> Any:
    wanted = {"id": ticket_id, "version": version, "number": 1}
    return reader.call(
        "ticket-undone.data", "ticket-undo.data", values={"ticket-undo.data": wanted}
    )


def save(reader: Reader, **written: Any) -> Any:
    fields = FORM | written
    values: dict[str, Any] = {"tickets-new-save.n_clicks": 1}
    values["tickets-new-key.data"] = fields.pop("key")
    values |= {f"tickets-new-{name}.value": value for name, value in fields.items()}
    return reader.call("tickets-created.data", "tickets-new-save.n_clicks", values=values)


def number_of(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Ticket)) or 0


def test_cards_stand_in_columns_by_when_they_are_due(
    reader: Reader, make: Make, session: Session, site: Site
) -> None:
    now = utcnow()
    for title, hours in (("Later", 9), ("Sooner", 1), ("Never", None)):
        due = None if hours is None else now + dt.timedelta(hours=hours)
        opened(session, make, title=title, category="SAFETY", site_id=site.id, due_at=due)
    held = opened(
        session, make, title="Held", category="SAFETY", due_at=now + dt.timedelta(hours=2)
    )
    workflow.transition(held.id, "ON_HOLD", user_id=None, now=now)
    done = opened(session, make, title="Done", category="SAFETY")
    workflow.transition(done.id, "RESOLVED", user_id=None, now=now, resolution="FIXED")
    old = opened(session, make, title="Long ago", category="SAFETY")
    workflow.transition(
        old.id, "RESOLVED", user_id=None, now=now - dt.timedelta(hours=25), resolution="FIXED"
    )
    answer = board(reader)
    text = answer.text
    assert text.index("Sooner") < text.index("Later")
    assert "Long ago" not in text
    assert text.index("On hold") < text.index("Held") < text.index("Resolved in 24 h")
    assert text.index("Resolved in 24 h") < text.rindex("Done")
    assert "2 h left, clock stands" in text
    assert '"5 tickets"' in text


def test_filters_are_shared_with_the_table_and_counted_in_one_statement(
    reader: Reader, me: User, make: Make, session: Session, site: Site
) -> None:
    late = opened(
        session, make, title="Late", category="SAFETY", priority="HIGH", site_id=site.id,
        due_at=utcnow() - dt.timedelta(hours=1),
    )  # fmt: skip
    opened(session, make, title="Calm", category="OTHER", priority="LOW")
    workflow.assign(late.id, me.id, user_id=None, now=utcnow())
    for show in ("table", "board"):
        answer = board(reader, show=show)
        for label in ("Open · 2", "Overdue · 1", "At risk · 0", "Mine · 1"):
            assert label in answer.text, (show, label)
        for chosen in (
            {"view": "overdue"},
            {"view": "mine"},
            {"site": str(site.id)},
            {"priority": "HIGH"},
            {"category": "SAFETY"},
        ):
            narrowed = board(reader, show=show, **chosen).text
            assert "Late" in narrowed, (show, chosen)
            assert "Calm" not in narrowed, (show, chosen)
        assert "Late" not in board(reader, show=show, age="older").text


def test_the_board_is_chosen_by_the_address(reader: Reader) -> None:
    frame = page(reader, "/app/tickets", "?show=board&view=overdue&priority=HIGH").text
    for chosen in ('"value":"board"', '"value":"overdue"', '"value":"HIGH"'):
        assert chosen in frame
    assert '"value":"open"' in page(reader, "/app/tickets", "?show=board&view=done").text


def test_a_card_is_moved_by_who_saw_it_and_answered_in_words(
    reader: Reader, me: User, make: Make, session: Session
) -> None:
    ticket = opened(session, make)
    answer = move(reader, ticket, "IN_PROGRESS").json["response"]
    assert answer["tickets-moved"]["data"]["ok"] is True
    assert answer["tickets-moved"]["data"]["words"] == f"{ticket.number} is in progress"
    assert answer["tickets-said"]["children"] is None
    session.expire_all()
    assert (ticket.status, ticket.assignee_id) == ("IN_PROGRESS", me.id)
    move(reader, ticket, "RESOLVED", version=2, resolution="FALSE_POSITIVE")
    session.expire_all()
    assert (ticket.status, ticket.resolution) == ("RESOLVED", "FALSE_POSITIVE")


def test_a_stale_move_says_who_did_what_and_changes_nothing(
    reader: Reader, make: Make, session: Session
) -> None:
    ticket = opened(session, make)
    olga = make.user("operator", name="Olga Petrova")
    workflow.transition(ticket.id, "ON_HOLD", user_id=olga.id, now=utcnow())
    answer = move(reader, ticket, "IN_PROGRESS", version=1)
    assert answer.json["response"]["tickets-moved"]["data"]["ok"] is False
    assert "was not moved: Olga Petrova set it to on hold" in answer.text
    assert f'"data-open":"ticket:{ticket.id}"' in answer.text
    session.expire_all()
    assert (ticket.status, ticket.version) == ("ON_HOLD", 2)


def test_a_move_is_taken_back_unless_somebody_did_more(
    app: APIFlask, reader: Reader, viewer: Reader, make: Make, session: Session
) -> None:
    ticket = opened(session, make)
    offer = move(reader, ticket, "IN_PROGRESS").json["response"]["tickets-moved"]["data"]["ticket"]
    assert offer == {"id": ticket.id, "version": 2}
    assert take_back(viewer, ticket_id=ticket.id, version=2).status_code == 403
    answer = take_back(reader, ticket.id, 2).json["response"]["ticket-undone"]["data"]
    assert (answer["ok"], answer["words"]) == (True, f"{ticket.number} is new again")
    session.expire_all()
    assert (ticket.status, ticket.assignee_id, ticket.version) == ("NEW", None, 3)
    move(reader, ticket, "IN_PROGRESS", version=3)
    olga = make.user("operator", name="Olga Petrova")
    workflow.transition(ticket.id, "ON_HOLD", user_id=olga.id, now=utcnow())
    answer = take_back(reader, ticket.id, 4).json["response"]["ticket-undone"]["data"]
    assert answer["ok"] is False
    assert "Olga Petrova set it to on hold since. It stays as it is." in answer["words"]
    session.expire_all()
    assert ticket.status == "ON_HOLD"
    hana = Reader(app, make, limit_to(make, make.user("operator"), make.site().id))
    gone = take_back(hana, ticket.id, 5).json["response"]["ticket-undone"]["data"]
    assert gone["words"] == "The ticket is no longer there."


def test_a_move_that_the_workflow_does_not_have_is_told(
    reader: Reader, make: Make, session: Session
) -> None:
    ticket = opened(session, make)
    assert "resolution must be one of" in move(reader, ticket, "RESOLVED").text
    move(reader, ticket, "IN_PROGRESS")
    assert "cannot go from IN_PROGRESS to NEW" in move(reader, ticket, "NEW", version=2).text
    assert move(reader, ticket, "CLOSED", version=2).status_code == 422


@pytest.mark.parametrize("status", STATUSES)
def test_a_card_offers_moves_that_the_workflow_has(status: str) -> None:
    offered = moves({"status": status, "assignee_id": None})
    assert {move["to"] for move in offered} == set(TRANSITIONS[status]) - {"CLOSED", "CANCELLED"}
    assert all(("resolution" in move) == (move["to"] == "RESOLVED") for move in offered)


def test_a_viewer_has_neither_menu_nor_form_and_cannot_call_them(
    viewer: Reader, make: Make, session: Session
) -> None:
    ticket = opened(session, make)
    frame = page(viewer, "/app/tickets", "?show=board").text
    assert "New ticket" not in frame
    shown = board(viewer).text
    assert "card-move" not in shown
    assert '"draggable":"false"' in shown
    assert move(viewer, ticket, "IN_PROGRESS").status_code == 403
    assert save(viewer).status_code == 403
    assert press(viewer, "ticket", "assign", ticket.id).status_code == 403
    session.expire_all()
    assert ticket.status == "NEW"
    assert number_of(session) == 1


def test_a_ticket_is_opened_by_hand_and_pressing_twice_opens_one(
    reader: Reader, me: User, make: Make, session: Session, site: Site
) -> None:
    person = make.person(site, name="Meera Joshi")
    written = {"site": str(site.id), "person": str(person.id), "description": "At the gate."}
    for _ in range(2):
        answer = save(reader, **written)
    told = answer.json["response"]["tickets-created"]["data"]
    ticket = session.get_one(Ticket, (make.tenant_id, told["id"]))
    assert number_of(session) == 1
    assert (ticket.title, ticket.priority, ticket.category, ticket.source) == (
        "Lamp is out", "HIGH", "SAFETY", "MANUAL",
    )  # fmt: skip
    assert (ticket.site_id, ticket.person_id, ticket.created_by) == (
        site.id, person.id, me.id,
    )  # fmt: skip
    assert answer.json["response"]["tickets-form"]["opened"] is False
    save(reader, **written, key="k-2")
    assert number_of(session) == 2


def test_what_is_wrong_is_said_beside_the_field_and_what_was_typed_stays(
    reader: Reader, session: Session
) -> None:
    answer = save(reader, title="  ", site="4711").json["response"]
    assert answer["tickets-new-title"] == {"error": "Say in a line what is to be done"}
    assert answer["tickets-form"]["opened"] is True
    long = save(reader, title="x" * 201).json["response"]
    assert long["tickets-new-title"]["error"] == "Must have at most 200 characters"
    strange = save(reader, site="4711").json["response"]
    assert strange["tickets-new-site"]["error"] == "there is no site 4711"
    odd = save(reader, priority="URGENT")
    assert "priority" in json.dumps(odd.json["response"]["tickets-new-said"])
    assert number_of(session) == 0


def test_who_is_limited_to_sites_opens_tickets_there_alone(
    app: APIFlask, make: Make, session: Session, site: Site
) -> None:
    other = make.site(name="Elsewhere")
    limited = Reader(app, make, limit_to(make, make.user("operator"), site.id))
    for wrong in (None, str(other.id)):
        assert "site" in save(limited, site=wrong).text
    assert number_of(session) == 0
    save(limited, site=str(site.id))
    assert number_of(session) == 1
    theirs = opened(session, make, title="Far away", category="SAFETY", site_id=other.id)
    assert "Far away" not in board(limited).text
    assert "There is no such ticket" in move(limited, theirs, "IN_PROGRESS").text


def test_the_drawer_gives_a_ticket_to_a_named_person_who_sees_its_site(
    reader: Reader, me: User, make: Make, session: Session, site: Site
) -> None:
    ticket = opened(session, make, site_id=site.id)
    olga = make.user("operator", name="Olga Petrova")
    make.user("viewer", name="Vera Lind")
    limit_to(make, make.user("operator", name="Far Away"), make.site().id)
    make.user("operator", name="Long Gone", active=False)
    offered = drawer(reader, f"ticket:{ticket.id}").text
    assert "Olga Petrova" in offered
    for nobody in ("Vera Lind", "Far Away", "Long Gone"):
        assert nobody not in offered
    asked = press(reader, "ticket", "assign", ticket.id, version=1, assignee=None)
    assert "Choose to whom first" in asked.text
    press(reader, "ticket", "assign", ticket.id, version=1, assignee=str(olga.id))
    session.expire_all()
    assert (ticket.assignee_id, ticket.status) == (olga.id, "ASSIGNED")
    stale = press(reader, "ticket", "assign", ticket.id, version=1, assignee=str(me.id))
    assert "has changed since you read it" in stale.text
    session.expire_all()
    assert ticket.assignee_id == olga.id


def test_a_ticket_is_merged_into_another_by_its_number(
    reader: Reader, make: Make, session: Session
) -> None:
    duplicate, heir = (opened(session, make, title=name) for name in ("One", "Two"))
    for wrong, said in (("", "Write the number"), ("T-999", "There is no ticket T-999")):
        assert said in press(reader, "ticket", "merge", duplicate.id, version=1, into=wrong).text
    itself = press(reader, "ticket", "merge", duplicate.id, version=1, into=duplicate.number)
    assert "must be another ticket" in itself.text
    done = press(reader, "ticket", "merge", duplicate.id, version=1, into=heir.number.lower())
    assert "Goes on as" in done.text
    assert f'"data-open":"ticket:{heir.id}"' in done.text
    session.expire_all()
    assert (duplicate.status, duplicate.resolution) == ("RESOLVED", "DUPLICATE")


def test_the_board_sends_as_many_statements_for_many_cards_as_for_one(
    reader: Reader,
    make: Make,
    session: Session,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    opened(session, make, title="1")
    board(reader)  # The first call commits what was made, and logs it.
    few = query_count(lambda: board(reader))
    for number in range(60):
        opened(session, make, title=str(number), category="OTHER")
    answer = board(reader)
    assert query_count(lambda: board(reader)) == few
    assert answer.text.count('"card-title"') == 50
    assert "11 more, due later" in answer.text


def test_news_of_a_ticket_leave_the_table_as_it_is(reader: Reader) -> None:
    values = {"tickets-view.value": "open", "tickets-show.value": "table"}
    answer = reader.call("tickets-table.children", "tickets-tick.data", values=values)
    assert "tickets-table" not in answer.json["response"]
    assert "Open · 0" in answer.text

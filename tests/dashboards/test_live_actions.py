"""What is done with alerts from the live feed: one or many, by whoever may, with an answer each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboards.live.acting import until
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.database import tenancy
from noc.database.base import utcnow
from noc.identity import tenants
from noc.tickets.models import Ticket, TicketEvidence
from tests.dashboards.conftest import Reader
from tests.dashboards.scored import scored
from tests.dashboards.test_pages import drawer, page
from tests.factories import Make
from tests.signed_in import limit_to

Raise = Callable[..., int]
UTC = dt.UTC


@pytest.fixture
def raised(make: Make) -> Raise:
    """Raises an alert, each of its own trouble."""

    def raise_one(message: str = "The back door stands open", **values: Any) -> int:
        values = {"severity": "HIGH", "dedup_key": f"{message}:{values}"} | values
        report = AlertInput("DOOR_OPEN", message=message, occurred_at=utcnow(), **values)
        return process_alert(report, now=utcnow()).id

    return raise_one


def do(reader: Reader, ids: list[int], action: str, **more: Any) -> Any:
    wanted: dict[str, Any] = {"ids": [f"alert:{key}" for key in ids], "action": action}
    wanted |= {"number": 3} | more
    answer = reader.call(
        "feed-result.data", "feed-action.data", values={"feed-action.data": wanted}
    )
    if answer.status_code != 200:
        return answer
    return answer.json["response"]["feed-result"]["data"]


def alert(session: Session, make: Make, key: int) -> Alert:
    session.expire_all()
    return session.get_one(Alert, (make.tenant_id, key))


def test_many_are_acknowledged_at_once_and_that_is_undone(
    reader: Reader, make: Make, session: Session, raised: Raise
) -> None:
    ids = [raised(f"Door {n}") for n in range(3)]
    answer = do(reader, ids, "acknowledge")
    assert answer["words"] == "3 alerts acknowledged"
    assert answer["undo"]["ids"] == [f"alert:{key}" for key in ids]
    assert answer["number"] == 3
    assert {alert(session, make, key).status for key in ids} == {"ACKNOWLEDGED"}
    undone = do(reader, ids, "undo", changes=answer["undo"]["changes"])
    assert undone["words"] == "3 alerts put back"
    assert {alert(session, make, key).status for key in ids} == {"NEW"}


@pytest.mark.parametrize(
    ("action", "more"),
    [("take", {}), ("snooze", {"span": "4h"}), ("resolve", {"resolution": "FIXED"})],
)
def test_what_was_before_is_so_again_unless_somebody_did_more(
    reader: Reader, make: Make, session: Session, raised: Raise, action: str, more: Any
) -> None:
    kept, changed = raised("Door 1"), raised("Door 2")
    olga = make.user("operator", name="Olga Petrova")
    do(reader, [kept, changed], "assign", assignee=olga.id)
    offer = do(reader, [kept, changed], action, **more)["undo"]
    theirs = Step("reopen" if action != "take" else "assign", utcnow(), olga.id)
    take(replace(theirs, assignee_id=olga.id), [changed])
    after = alert(session, make, changed).status
    answer = do(reader, [kept, changed], "undo", changes=offer["changes"])
    assert [item["ok"] for item in answer["items"]] == [True, False]
    assert answer["words"] == "1 alert put back, 1 refused"
    assert answer["items"][1]["words"].startswith("Olga Petrova ")
    assert alert(session, make, changed).status == after
    found = alert(session, make, kept)
    assert (found.status, found.assignee_id) == ("ASSIGNED", olga.id)
    short = do(reader, [kept, changed], "undo", changes=offer["changes"][:1])
    assert [item["ok"] for item in short["items"]] == [False, False]


def test_a_step_in_the_drawer_can_be_taken_back_too(
    reader: Reader, make: Make, session: Session, raised: Raise
) -> None:
    key = raised()
    values = {"alert-step": [({"type": "alert-step", "step": "acknowledge", "key": key}, 1)]}
    answer = reader.call("detail.children", "alert-step", values=values)
    offer = answer.json["response"]["undo-offer"]["data"]
    assert offer["words"] == "Alert acknowledged"
    assert do(reader, [key], "undo", changes=offer["alerts"]["changes"])["words"] == (
        "Alert put back"
    )
    assert alert(session, make, key).status == "NEW"
    assert "Step taken back" in drawer(reader, f"alert:{key}").text


def test_what_one_refuses_does_not_hold_up_the_others(
    reader: Reader, make: Make, session: Session, raised: Raise
) -> None:
    good, over = raised("Door 1"), raised("Door 2")
    do(reader, [over], "resolve", resolution="FIXED")
    answer = do(reader, [over, good, 987654], "take")
    assert [item["ok"] for item in answer["items"]] == [False, True, False]
    assert answer["items"][0]["words"] == "It is resolved and cannot be taken."
    assert answer["words"] == "1 alert taken, 2 refused"
    assert answer["undo"]["ids"] == [f"alert:{good}"]
    assert alert(session, make, good).assignee_id is not None


def test_an_alert_is_given_to_somebody_who_can_work_on_it(
    reader: Reader, make: Make, session: Session, raised: Raise
) -> None:
    here, there = make.site(), make.site()
    key = raised(site_id=here.id)
    olga = make.user("operator", name="Olga Petrova")
    theo = limit_to(make, make.user("operator", name="Theo"), there.id)
    refused = do(reader, [key], "assign", assignee=theo.id)
    assert refused["items"][0]["ok"] is False
    assert "Theo does not see the alert's site" in refused["words"]
    assert alert(session, make, key).assignee_id is None
    answer = do(reader, [key], "assign", assignee=olga.id)
    assert (answer["items"][0]["state"], answer["items"][0]["assignee_id"]) == ("ASSIGNED", olga.id)
    assert do(reader, [key], "assign", assignee=None)["items"][0]["ok"] is False
    assert do(reader, [key], "assign", assignee=987654)["items"][0]["ok"] is False


def test_a_resolution_is_wanted(reader: Reader, raised: Raise) -> None:
    key = raised()
    assert do(reader, [key], "resolve")["items"][0]["ok"] is False
    assert do(reader, [key], "resolve", resolution="EXPIRED").status_code == 422
    assert do(reader, [key], "resolve", resolution="FIXED")["items"][0]["state"] == "RESOLVED"


def test_each_site_has_its_own_morning(
    reader: Reader, make: Make, session: Session, raised: Raise
) -> None:
    tokyo = raised("a", site_id=make.site(timezone="Asia/Tokyo").id)
    lima = raised("b", site_id=make.site(timezone="America/Lima").id)
    nowhere = raised("c")
    assert do(reader, [tokyo, lima, nowhere], "snooze", span="morning")["words"].startswith("3 al")
    for key, hour in ((tokyo, 23), (lima, 13), (nowhere, 8)):
        end = alert(session, make, key).shelved_until
        assert end is not None
        assert (end.astimezone(UTC).hour, end.minute) == (hour, 0)
        assert utcnow() < end <= utcnow() + dt.timedelta(hours=25)


@pytest.mark.parametrize(
    ("span", "zone", "now", "end"),
    [
        ("1h", "UTC", (2026, 3, 1, 12), (2026, 3, 1, 13)),
        ("4h", "Asia/Tokyo", (2026, 3, 1, 12), (2026, 3, 1, 16)),
        ("morning", "UTC", (2026, 3, 1, 12), (2026, 3, 2, 8)),
        ("morning", "UTC", (2026, 3, 1, 2), (2026, 3, 1, 8)),
        ("morning", "UTC", (2026, 3, 1, 7, 30), (2026, 3, 2, 8)),
        ("morning", "Asia/Kolkata", (2026, 3, 1, 12), (2026, 3, 2, 2, 30)),
        # The night in which clocks go forward, in Berlin.
        ("morning", "Europe/Berlin", (2026, 3, 28, 22), (2026, 3, 29, 6)),
    ],
)
def test_until_when(span: Any, zone: str, now: tuple[int, ...], end: tuple[int, ...]) -> None:
    at = dt.datetime(*now, tzinfo=UTC)  # type: ignore[misc,arg-type]
    assert until(span, zone, at) == dt.datetime(*end, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_a_ticket_is_opened_from_alerts_one_for_each_site(
    reader: Reader, make: Make, session: Session, raised: Raise
) -> None:
    here, there = make.site(name="Harbour Depot"), make.site(name="Old Mill")
    ids = [raised("a", site_id=here.id), raised("b", site_id=there.id, severity="LOW")]
    ids.append(raised("c", site_id=here.id, severity="MEDIUM"))
    answer = do(reader, ids, "ticket")
    assert [item["ok"] for item in answer["items"]] == [True, True, True]
    tickets = session.scalars(select(Ticket).order_by(Ticket.id)).all()
    assert [(ticket.title, ticket.priority) for ticket in tickets] == [
        ("Door open and 1 more: Harbour Depot", "HIGH"),
        ("Door open: Old Mill", "LOW"),
    ]
    assert answer["ticket"] == f"ticket:{tickets[0].id}"
    evidence = session.execute(select(TicketEvidence.ticket_id, TicketEvidence.ref)).all()
    assert {(row.ticket_id, int(row.ref)) for row in evidence} == {
        (tickets[0].id, ids[0]),
        (tickets[1].id, ids[1]),
        (tickets[0].id, ids[2]),
    }
    again = do(reader, ids[:1], "ticket")
    assert again["words"] == f"Ticket {tickets[0].number} had it already"
    assert session.scalars(select(Ticket)).all() == tickets


def test_a_ticket_from_a_fraud_alert_brings_its_punch(
    reader: Reader, make: Make, session: Session
) -> None:
    site = make.site()
    foul = scored(make, make.person(site, name="Meera Joshi"), site)
    session.get_one(Ticket, (make.tenant_id, foul.ticket)).status = "CLOSED"
    session.flush()
    found = alert(session, make, foul.alert)
    found.entity_type, found.entity_id = "punch", str(foul.punch)
    session.flush()
    answer = do(reader, [foul.alert], "ticket")
    key = int(answer["ticket"].removeprefix("ticket:"))
    ticket = session.get_one(Ticket, (make.tenant_id, key))
    assert (ticket.category, ticket.person_id) == ("SECURITY_FRAUD", found.person_id)
    kinds = select(TicketEvidence.kind).where(TicketEvidence.ticket_id == key)
    assert set(session.scalars(kinds)) == {"alert", "punch"}


def test_statements_do_not_grow_with_the_alerts(
    reader: Reader,
    make: Make,
    raised: Raise,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    site = make.site()

    def counted(count: int, action: str, **more: Any) -> int:
        ids = [raised(f"{action} {count} {n}", site_id=site.id) for n in range(count)]
        return query_count(lambda: do(reader, ids, action, **more))

    steps: dict[str, dict[str, Any]] = {"acknowledge": {}, "snooze": {"span": "morning"}}
    for action, more in (steps | {"ticket": {}}).items():
        assert counted(2, action, **more) == counted(40, action, **more)


def test_whoever_is_limited_to_sites_touches_no_others(
    app: APIFlask, make: Make, session: Session, raised: Raise
) -> None:
    here, there = make.site(), make.site()
    hana = Reader(app, make, limit_to(make, make.user("operator", name="Hana"), here.id))
    theirs = raised("b", site_id=there.id)
    steps: dict[str, dict[str, Any]] = {
        "acknowledge": {}, "take": {}, "snooze": {"span": "morning"}, "ticket": {},
        "undo": {"changes": [1]},
        "resolve": {"resolution": "FIXED"},
    }  # fmt: skip
    for action, more in steps.items():
        (item,) = do(hana, [theirs], action, **more)["items"]
        assert item["ok"] is False
    assert alert(session, make, theirs).status == "NEW"
    assert session.scalars(select(Ticket)).all() == []


def test_a_viewer_may_not(viewer: Reader, raised: Raise) -> None:
    key = raised()
    for action in ("acknowledge", "take", "ticket"):
        assert do(viewer, [key], action).status_code == 403
    assert "Take" not in drawer(viewer, f"alert:{key}").text


@pytest.mark.parametrize(
    "more",
    [
        {"ids": []},
        {"ids": ["alert:1"] * 501},
        {"ids": ["ticket:1"]},
        {"ids": "alert:1"},
        {"span": "1y"},
        {"assignee": -1},
        {"assignee": "x"},
        {"resolution": "x"},
        {"number": -1},
    ],
)
def test_what_no_page_sends_is_refused(reader: Reader, raised: Raise, more: Any) -> None:
    wanted = {"ids": [f"alert:{raised()}"], "action": "snooze"} | more
    values = {"feed-action.data": wanted}
    assert reader.call("feed-result.data", "feed-action.data", values=values).status_code == 422


def test_open_alerts_that_were_told_of_long_ago_are_on_the_page(
    reader: Reader, make: Make, raised: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.queries.activity.FEED_LENGTH", 2)
    old = raised("Fire in the hall", severity="CRITICAL")
    raised("Lamp broken", severity="LOW")
    for n in range(3):
        raised(f"Door {n}", severity="INFO")
    text = page(reader, "/app/").text
    assert f'"alert_id":{old}' in text.replace(" ", "")
    assert "Lamp broken" not in text


def test_the_wall_screen_has_counts_and_nothing_to_press(reader: Reader) -> None:
    values = {"url.pathname": "/app/", "url.search": "?wall=1"}
    text = reader.call("page.children", "url.pathname", values=values).text
    assert "Open alerts" in text
    assert "wall-critical" in text
    assert "Button" not in text


def test_the_frame_names_those_to_whom_work_can_be_given(
    app: APIFlask, make: Make, reader: Reader, viewer: Reader
) -> None:
    make.user("operator", name="Olga Petrova")
    make.user("operator", name="Gone", active=False)
    assert "Olga Petrova" in reader.layout()
    assert "Vera Lind" not in reader.layout()
    assert "Gone" not in reader.layout()
    assert "Olga Petrova" not in viewer.layout()


def test_another_companys_people_are_not_named(
    reader: Reader, make: Make, session: Session
) -> None:
    tenant = tenants.create_tenant("other", "Other Company")
    tenancy.name_tenant(session, tenant.id)
    Make(session, tenant.id).user("operator", name="Zoe Unseen")
    tenancy.name_tenant(session, make.tenant_id)
    assert "Zoe Unseen" not in reader.layout()

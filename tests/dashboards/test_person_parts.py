"""Beside the scores of a person: hours, phones, links, verdicts, and their own side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.exc import OperationalError

from dashboards import queries
from dashboards.person import scores
from noc.fraud.review.labelling import Said, label
from noc.tickets.queries import find_ticket
from noc.workforce.models import Person, Site
from tests.dashboards.conftest import Reader
from tests.dashboards.scored import Scored, scored
from tests.dashboards.test_pages import drawer
from tests.factories import Make
from tests.fraud.review.population import prediction
from tests.signed_in import limit_to

PARTS = ("profile", "links", "verdicts")


@pytest.fixture
def site(make: Make) -> Site:
    return make.site(name="Harbour Depot", timezone="UTC")


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site, name="Meera Joshi")


@pytest.fixture
def foul(make: Make, guard: Person, site: Site) -> Scored:
    return scored(make, guard, site)


def part(reader: Reader, name: str, person: Person) -> Any:
    values = {"person-id.data": person.id, "scheme.data": "dark"}
    return reader.call(f"person-{name}.children", "person-id.data", values=values)


def write(reader: Reader, person: Person, punch: int | None, words: str) -> Any:
    values = {
        "person-write.n_clicks": 1, "person-id.data": person.id,
        "person-about.value": punch and str(punch), "person-words.value": words,
    }  # fmt: skip
    return reader.call("person-said.children", "person-write.n_clicks", values=values)


def test_the_profile_shows_hours_sites_and_phones(
    reader: Reader, make: Make, guard: Person, site: Site
) -> None:
    phone = make.device(code="D77", person_id=make.person(site, name="Ana Ruiz").id)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    make.punch(guard, site, occurred_at=at, device_id=phone.id)
    text = part(reader, "profile", guard).text
    for words in ("person-clock", "Harbour Depot", "1 of 1", "D77", "Ana Ruiz"):
        assert words in text, words


def test_someone_who_never_punched_has_empty_parts_that_say_so(
    reader: Reader, guard: Person
) -> None:
    assert "No punches in or out in 90 days" in part(reader, "profile", guard).text
    assert "No shared phone" in part(reader, "links", guard).text
    assert "Nobody has given a verdict" in part(reader, "verdicts", guard).text


def test_links_show_who_had_the_same_phone_as_graph_and_table(
    reader: Reader, make: Make, guard: Person, site: Site
) -> None:
    phone, friend = make.device(code="D77"), make.person(site, name="Ana Ruiz")
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    for person in (guard, friend):
        make.punch(person, site, occurred_at=at, device_id=phone.id)
    text = part(reader, "links", guard).text
    assert "Shared a phone with 1 person" in text
    assert text.count("Ana Ruiz") >= 2
    assert f'"customdata":[[{friend.id}]]' in text
    assert f"/app/person/{friend.id}" in text


def test_verdicts_say_who_gave_them_and_lead_to_the_review(
    reader: Reader, make: Make, guard: Person, foul: Scored
) -> None:
    maya = make.user(name="Maya Fernandes")
    key = prediction(make, foul.punch).id
    now = dt.datetime.now(dt.UTC)
    label(
        [Said(key, "CONFIRMED", "Seen on camera.")],
        tenant_id=make.tenant_id, user_id=maya.id, site_ids=None, now=now,
    )  # fmt: skip
    text = part(reader, "verdicts", guard).text
    for words in ("Maya Fernandes, in review", "Seen on camera.", f"/app/review?punch={key}"):
        assert words in text, words


def test_the_guards_side_is_written_on_the_ticket_and_shown(
    reader: Reader, make: Make, guard: Person, foul: Scored
) -> None:
    answer = write(reader, guard, foul.punch, "My own phone was stolen.")
    assert "My own phone was stolen." in answer.text
    assert "Written on ticket" in answer.text
    ticket = find_ticket(foul.ticket, now=dt.datetime.now(dt.UTC))
    assert ticket is not None
    assert ticket["history"][-1]["comment"] == "My own phone was stolen."
    assert "The guard's side, written down" in drawer(reader, f"ticket:{foul.ticket}").text


def test_what_cannot_be_written_down_says_why(reader: Reader, guard: Person, foul: Scored) -> None:
    assert "Write down first" in write(reader, guard, foul.punch, " ").text
    assert "Choose the punch" in write(reader, guard, None, "I was there.").text


def test_who_may_not_see_scores_or_act_is_refused(
    viewer: Reader, guard: Person, foul: Scored
) -> None:
    for name in PARTS:
        assert part(viewer, name, guard).status_code == 403
    assert write(viewer, guard, foul.punch, "I was there.").status_code == 403


def test_who_is_limited_to_other_sites_sees_no_part(
    app: APIFlask, make: Make, guard: Person, foul: Scored
) -> None:
    user = make.user("security_manager")
    reader = Reader(app, make, limit_to(make, user, make.site(name="Elsewhere").id))
    for name in PARTS:
        text = part(reader, name, guard).text
        assert "No such person" in text
        assert "Meera" not in text


def test_who_sees_one_old_punch_of_somebody_elses_guard_sees_the_parts(
    app: APIFlask, make: Make, guard: Person
) -> None:
    here = make.site(name="Here", timezone="UTC")
    make.punch(guard, here, occurred_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=60))
    reader = Reader(app, make, limit_to(make, make.user("security_manager"), here.id))
    for name in PARTS:
        assert part(reader, name, guard).status_code == 200


def test_parts_ask_the_database_as_often_however_much_there_is(
    reader: Reader,
    make: Make,
    guard: Person,
    site: Site,
    foul: Scored,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    few = [query_count(lambda name=name: part(reader, name, guard)) for name in PARTS]  # type: ignore[misc]
    for hours in range(1, 12):
        at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
        scored(make, guard, site, at=at)
        make.punch(make.person(site), site, occurred_at=at)
    more = [query_count(lambda name=name: part(reader, name, guard)) for name in PARTS]  # type: ignore[misc]
    assert more == few


def test_a_part_that_cannot_be_read_leaves_the_others_and_can_be_asked_again(
    reader: Reader, guard: Person, foul: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("canceling statement"))

    monkeypatch.setattr(queries.person, "linked", broken)
    text = part(reader, "links", guard).text
    assert "The links could not be loaded" in text
    assert '"id":{"type":"retry","page":"person-links","n":0}' in text
    assert "could not be loaded" not in part(reader, "profile", guard).text
    wires = {wire["id"] for one in reader.dependencies() for wire in one["inputs"]}
    assert any("person-links" in wire and "retry" in wire for wire in wires)


def punches(reader: Reader, person: Person, *, everything: bool) -> Any:
    values = {"person-id.data": person.id, "person-days.value": "30", "scheme.data": "dark"}
    if not everything:
        return reader.call("person-scores.children", "person-id.data", values=values)
    values["person-all.n_clicks"] = 1
    return reader.call("person-punches.children", "person-all.n_clicks", values=values)


def test_the_list_of_punches_says_how_many_it_leaves_out(
    reader: Reader, make: Make, guard: Person, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "LISTED", 2)
    for hours in (1, 2):
        scored(make, guard, site, at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours))
    few = punches(reader, guard, everything=False).text
    assert few.count("data-punch") == 2
    assert "Show all 2" in few
    scored(make, guard, site, at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=3))
    more = punches(reader, guard, everything=False).text
    assert more.count("data-punch") == 2
    assert "Show the latest 2 of 3" in more
    assert "the latest 2 of 3" in punches(reader, guard, everything=True).text


def test_someone_without_scores_has_no_list_of_punches(reader: Reader, guard: Person) -> None:
    answer = punches(reader, guard, everything=True)
    assert answer.status_code == 200
    assert "data-punch" not in answer.text

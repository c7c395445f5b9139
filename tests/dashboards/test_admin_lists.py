"""The lists of the administration: searched, read a page at a time, as long as they may be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from dashboards.admin import listing
from noc.alerts.suppression.models import Suppression, SuppressionSpan
from noc.database.base import utcnow
from noc.identity import tokens as api_tokens
from noc.identity import trail
from noc.identity.trail import Target
from noc.notifications.models import NotificationRoute
from tests.dashboards.administered import (
    LISTS,
    held,
    lines_in,
    listed,
    paged,
    part,
    press,
    rows_in,
    who_did,
)
from tests.dashboards.conftest import Answer, Reader
from tests.factories import NOW, Make

NAMES = [f"{n * 37 % 60:02}" for n in range(120)]
"""Up and down, each twice: the order of a list is not that of the ids."""

MONDAY = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


def a_route(make: Make, name: str) -> NotificationRoute:
    values = {"name": name, "channel": "email", "addresses": [f"{name}@mail.example".lower()]}
    return make.row(NotificationRoute, values)


def a_window(make: Make, name: str, **values: Any) -> Suppression:
    """One that is to come."""
    starts = values.pop("starts_at", utcnow() + dt.timedelta(days=2))
    times = {"starts_at": starts, "ends_at": starts + dt.timedelta(hours=2)}
    row = {"name": name, "reason": "Repair", "timezone": "UTC", "prepared_until": NOW}
    window = make.row(Suppression, row | times | values)
    make.row(SuppressionSpan, {"suppression_id": window.id} | times)
    return window


def many_deliveries(make: Make, route_id: int, count: int, site_id: int | None = None) -> None:
    """That many, a second apart; one in a hundred died, the rest was sent."""
    make.session.execute(
        text(
            "INSERT INTO notification_delivery (tenant_id, id, route_id, event_id, kind, severity,"
            " site_id, payload, state, attempts, created_at, finished_at, last_error)"
            " SELECT :tenant, gen_random_uuid(), :route, gen_random_uuid(), 'alert_opened', 'HIGH',"
            " :site, '{}', CASE WHEN n % 100 = 0 THEN 'dead' ELSE 'sent' END, 1,"
            " CAST(:at AS timestamptz) - n * interval '1 second', :at, 'refused'"
            " FROM generate_series(1, :count) n"
        ),
        {"tenant": make.tenant_id, "route": route_id, "site": site_id, "at": NOW, "count": count},
    )


def a_token(make: Make, name: str, number: int) -> None:
    token, _ = api_tokens.create(make.tenant_id, name, ["noc:view"])
    if number % 3 == 0:
        api_tokens.revoke(token)


def a_deed(_: Make, name: str, number: int) -> None:
    target = Target("user", number, f"{name} {number:03}")
    trail.record("user.created", target, now=utcnow() - dt.timedelta(hours=number))


def starting(number: int) -> dt.datetime:
    """A third of the windows mutes, a third is to come, a third is over."""
    return utcnow() + dt.timedelta(hours=(-1, 50, -50)[number % 3])


ONE_MORE: dict[str, Callable[[Make, str, int], Any]] = {
    "users": lambda make, name, n: make.user("viewer", name=name, active=n % 3 > 0),
    "tokens": a_token,
    "sites": lambda make, name, n: make.site(name=name, active=n % 3 > 0),
    "routes": lambda make, name, n: a_route(make, f"{name} {n}"),
    "windows": lambda make, name, n: a_window(make, name, starts_at=starting(n)),
    "trail": a_deed,
}


def fill(make: Make, name: str) -> str | None:
    """120 rows of a list; for what, where it stands beside another."""
    if name in ONE_MORE:
        for number, word in enumerate(NAMES):
            ONE_MORE[name](make, f"Person {word}", number)
        return None
    site = make.site(name="Home")
    if name == "deliveries":
        many_deliveries(make, a_route(make, "Desk").id, 120, site.id)
        return None
    for word in NAMES:
        make.shift(make.person(site, name=f"Guard {word}"), site, MONDAY + dt.timedelta(hours=3))
    return f"{site.id}:2026-11-16"


COUNTED = {
    "users": "121 users",
    "tokens": "120 tokens, 80 in use",
    "sites": "120 sites",
    "routes": "120 routes",
    "deliveries": "120 deliveries, 1 dead",
    "windows": "120 windows, 40 muting now",
    "trail": None,
    "roster": "120 people",
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_long_list_is_read_a_page_at_a_time_and_each_row_once(
    admin: Reader, make: Make, name: str, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    of = fill(make, name)
    first = listed(admin, name, of=of)
    assert first.status_code == 200
    assert lines_in(first) == listing.PAGE
    seen, page, turns = keys(first, name), first, 1
    while not held(page, f"admin-{name}-more", "hidden"):
        place = held(page, f"admin-{name}-place")
        assert query_count(lambda at=place: listed(admin, name, None, at, of=of)) <= 8
        page = listed(admin, name, None, place, of=of)
        seen += keys(page, name)
        turns += 1
    assert turns == 3
    assert len(seen) == len(set(seen)) == 120 + (name == "users")
    assert held(first, f"admin-{name}-count", "children") == COUNTED[name]


def keys(answer: Answer, name: str) -> list[str]:
    """What tells the rows of an answer apart."""
    found = rows_in(answer)
    if found or name not in ("trail", "roster"):
        return found
    pattern = {"trail": '"Person ', "roster": '"/app/person/'}[name]
    return [one.split('"')[0] for one in answer.text.split(pattern)[1:]]


@pytest.mark.parametrize("name", COUNTED)
def test_a_search_finds_parts_of_names_in_any_case_and_nothing_by_wildcards(
    admin: Reader, make: Make, name: str
) -> None:
    finds, count, of = one_among_two(make, name)
    for typed in finds:
        found = listed(admin, name, typed, of=of)
        assert lines_in(found) == 1, typed
        assert "Night" in found.text
    if count is not None:
        assert (
            held(listed(admin, name, finds[0], of=of), f"admin-{name}-count", "children") == count
        )
    for typed in ("%", "_____", "nobody\x00", "\t"):
        found = listed(admin, name, typed, of=of)
        if typed.strip():
            assert lines_in(found) == 0
            assert "ound" in found.text or name == "trail"


def one_among_two(make: Make, name: str) -> tuple[tuple[str, ...], str | None, str | None]:
    """Two rows of the list: what finds the first of them, what is counted then, and for whom."""
    site, other = make.site(name="Night Öhm", code="NX-1"), make.site(name="Depot")
    if name == "users":
        make.user("viewer", name="Night Öhm", email="night.desk@acme.example")
        return ("ÖHM", "NIGHT.DESK", " night "), "1 of 2 users", None
    if name == "tokens":
        token, _ = api_tokens.create(make.tenant_id, "Night desk", ["noc:view"])
        api_tokens.create(make.tenant_id, "monitors", ["noc:view"])
        return ("night", "DESK", token.prefix[3:]), "1 of 2 tokens", None
    if name == "sites":
        return ("öhm", "nx-", "NIGHT"), "1 of 2 sites", None
    if name == "routes":
        a_route(make, "Night")
        a_route(make, "Day")
        return ("nigh", "NIGHT@MAIL"), "1 of 2 routes", None
    if name == "deliveries":
        many_deliveries(make, a_route(make, "Night").id, 1, other.id)
        many_deliveries(make, a_route(make, "Day").id, 1)
        return ("nIGHt", "depo"), "1 delivery", None
    if name == "windows":
        a_window(make, "Night drill", reason="Lift repair")
        a_window(make, "Day", reason="Paint")
        return ("drill", "LIFT"), "1 window", None
    if name == "trail":
        trail.record("user.created", Target("user", 5, "Night Öhm"))
        trail.record("user.created", Target("user", 6, "Wim"))
        return ("öhm", "5"), None, None
    for person in (make.person(site, name="Night Öhm", code="NX7"), make.person(site, name="Wim")):
        make.shift(person, site, MONDAY + dt.timedelta(hours=3))
    return ("öhm", "nx7"), "1 of 2 people", f"{site.id}:2026-11-16"


@pytest.mark.parametrize("name", COUNTED)
def test_a_place_of_another_list_is_refused_by_name(admin: Reader, name: str) -> None:
    moment = "2026-11-16T08:00:00Z"
    by_moment = [[moment, 7], [moment, "0b7c1b0e-0000-4000-8000-000000000000"], [1, moment, 7]]
    answers = [listed(admin, name, after=place) for place in [7, *by_moment, ["7"], {}]]
    assert sorted(answer.status_code for answer in answers) == [200, *[422] * 5]
    for answer in answers:
        assert answer.status_code == 200 or answer.json["errors"][0]["field"].startswith("place")


@pytest.mark.parametrize("name", [name for name in COUNTED if name != "trail"])
def test_a_change_leaves_the_list_as_long_as_it_was_shown(
    admin: Reader, make: Make, name: str
) -> None:
    of = fill(make, name)
    part_of = next((key for key, lists in LISTS.items() if name in lists), "roster")
    changed = f"admin-{part_of}-changed.data" if of is None else f"admin-{name}-of.data"
    values = {f"{paged(name)}.data": 2, changed: of or "x"}
    again = admin.call(f"admin-{name}-table-rows.children", changed, values=values)
    assert lines_in(again) == 100
    assert held(again, paged(name)) == 2


def test_a_link_says_what_is_searched_for_and_how_much_is_shown(admin: Reader, make: Make) -> None:
    for number in range(130):
        make.site(name=f"Harbour {number:03}")
    shown = part(admin, "sites", "?part=sites&search=harb&state=active&page=2").text
    assert '"value":"harb"' in shown
    assert '"value":"active"' in shown
    assert '"data":2,"id":"sites-page"' in shown.replace('"id":"sites-page","data":2',
                                                        '"data":2,"id":"sites-page"')  # fmt: skip
    for odd in ("page=x", "page=-1", "page=1", "state=none", "page="):
        plain = part(admin, "sites", f"?part=sites&{odd}")
        assert plain.status_code == 200
        assert '"id":"sites-page","data":' not in plain.text.replace('"data":null', "")
        assert '"value":"none"' not in plain.text
    far = part(admin, "sites", "?part=sites&page=99999").text
    assert f'"data":{listing.MOST_AT_ONCE // listing.PAGE}' in far
    values = {"sites-search.value": "harb", "sites-page.data": 2}
    answer = admin.call(
        "admin-sites-table-rows.children", "admin-sites-changed.data", values=values
    )
    assert lines_in(answer) == 100
    # Another search begins at its beginning; and what there is no more of is not told of.
    anew = admin.call("admin-sites-table-rows.children", "sites-search.value", values=values)
    assert lines_in(anew) == listing.PAGE
    assert held(anew, "sites-page") is None
    short = admin.call(
        "admin-sites-table-rows.children", "admin-sites-changed.data",
        values={"sites-search.value": "Harbour 01", "sites-page.data": 3},
    )  # fmt: skip
    assert (lines_in(short), held(short, "sites-page")) == (10, None)


@contextmanager
def rows_read(session: Session) -> Iterator[list[int]]:
    """How many rows each statement gives."""
    counts: list[int] = []

    def note(_c: Any, cursor: Any, statement: str, *_: Any) -> None:
        # Naming the tenant, again and again, reads nothing.
        if "set_config(" in statement:
            return
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            counts.append(cursor.rowcount)

    connection = session.connection()
    event.listen(connection, "after_cursor_execute", note)
    try:
        yield counts
    finally:
        event.remove(connection, "after_cursor_execute", note)


def test_a_company_of_2000_sites_and_100000_deliveries_gets_a_page_of_them(
    admin: Reader, make: Make, session: Session
) -> None:
    session.execute(
        text(
            "INSERT INTO site (tenant_id, code, name, timezone, lat, lon)"
            " SELECT :tenant, 'C' || n, 'Site ' || n, 'UTC', 19, 72 FROM generate_series(1, 2000) n"
        ),
        {"tenant": make.tenant_id},
    )
    many_deliveries(make, a_route(make, "Desk").id, 100_000)
    told = {"sites": "2,000 sites", "deliveries": "100,000 deliveries, 1,000 dead"}
    for part_of, name in (("sites", "sites"), ("notifications", "deliveries")):
        with rows_read(session) as framed:
            frame = part(admin, part_of)
        assert sum(framed) < 20, "the frame reads no rows of the list"
        assert len(frame.text) < 20_000
        with rows_read(session) as counts:
            first = listed(admin, name)
        assert held(first, f"admin-{name}-count", "children") == told[name]
        assert lines_in(first) == listing.PAGE
        assert len(counts) <= 8
        assert max(counts) <= listing.PAGE + 2, "no more than a page, and whether there is another"
        assert len(first.text) < 150_000
        with rows_read(session) as counts:
            listed(admin, name, None, held(first, f"admin-{name}-place"))
        assert max(counts) <= listing.PAGE + 2
    with rows_read(session) as counts:
        values = {"deliveries-sent-page.data": 1_000_000}
        kind = "admin-notifications-changed.data"
        most = admin.call("admin-deliveries-table-rows.children", kind, values=values)
    assert lines_in(most) == listing.MOST_AT_ONCE
    assert max(counts) <= listing.MOST_AT_ONCE + 2


def test_windows_stand_by_how_they_stand_and_are_chosen_by_it(admin: Reader, make: Make) -> None:
    now = utcnow()
    over = a_window(make, "Over", starts_at=now - dt.timedelta(days=9))
    coming = a_window(make, "Coming")
    muting = a_window(make, "Muting", starts_at=now - dt.timedelta(hours=1))
    gone = a_window(make, "Gone", cancelled_at=now)
    later = a_window(make, "Later")
    order = [str(one.id) for one in (muting, later, coming, gone, over)]
    assert rows_in(listed(admin, "windows")) == order
    for state, found in (("active", order[:1]), ("next", order[1:3]), ("over", order[3:])):
        shown = listed(admin, "windows", state=state)
        assert rows_in(shown) == found
        count = f"{len(found)} window" + ("s" if len(found) > 1 else "")
        assert held(shown, "admin-windows-count", "children") == count


def test_a_step_says_whether_the_list_has_changed(admin: Reader, make: Make) -> None:
    route = a_route(make, "Desk")
    opened = press(admin, "notifications", "open", route.id).json["response"]
    assert "admin-notifications-changed" not in opened
    switched = press(admin, "notifications", "switch", route.id).json["response"]
    assert switched["admin-notifications-changed"]["data"]
    gone = press(admin, "notifications", "delete", route.id).json["response"]
    assert gone["admin-notifications-changed"]["data"]
    assert gone["admin-notifications-side"]["children"] is None
    window = a_window(make, "Drill")
    assert (
        "admin-windows-changed" not in press(admin, "windows", "open", window.id).json["response"]
    )
    ended = press(admin, "windows", "cancel", window.id).json["response"]
    assert ended["admin-windows-changed"]["data"]


def test_lists_cost_the_same_whatever_their_length(
    make: Make, admin: Reader, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    def cost(name: str) -> int:
        shown = query_count(lambda: part(admin, name))
        return shown + sum(query_count(lambda one=one: listed(admin, one)) for one in LISTS[name])

    few = {name: cost(name) for name in LISTS if name != "trail"}
    for n in range(8):
        make.user("viewer")
        make.person(make.site())
        api_tokens.create(make.tenant_id, f"t{n}", ["noc:view"])
        a_route(make, f"r{n}")
        a_window(make, f"w{n}")
    assert {name: cost(name) for name in few} == few
    assert max(few.values()) <= 12


def test_who_did_what_is_filtered_and_turned(admin: Reader, make: Make) -> None:
    for number in range(105):
        trail.record(
            "user.created", Target("user", number, f"Person {number}"),
            {"role": "viewer"}, now=utcnow() - dt.timedelta(hours=number),
        )  # fmt: skip
    first = who_did(admin)
    assert "Person 0" in first.text
    assert "Person 50" not in first.text
    older = listed(admin, "trail", None, held(first, "admin-trail-place"))
    assert "Person 99" in older.text
    assert "Person 0" not in older.text
    assert held(older, "admin-trail-more", "hidden") is False
    assert "Nothing was done" in who_did(admin, actor="%").text
    found = who_did(admin, target="person 7", kind="user").text
    assert "Person 7" in found
    assert "Person 8" not in found
    assert "role: Viewer" in found
    assert "Person 100" not in who_did(admin, days="1", target="Person 100").text


def test_the_sites_in_a_long_record_are_named_by_one_statement(
    admin: Reader, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    sites = [make.site(name=f"Depot {number}") for number in range(12)]
    trail.record("user.created", Target("user", 1, "Wim"), {"site_ids": [sites[0].id]})
    one = query_count(lambda: who_did(admin))
    for site in sites:
        trail.record("setting.set", Target("setting", "x", "x"), {"site_id": site.id, "value": 1})
    assert query_count(lambda: who_did(admin)) == one
    assert "1 at Depot 11" in who_did(admin).text


def test_a_roster_is_of_a_site_that_is_seen(admin: Reader, make: Make, foreign: Make) -> None:
    there = foreign.site(name="Secret Vault")
    foreign.shift(foreign.person(there, name="Zoe Unseen"), there, MONDAY)
    for of in (f"{there.id}:2026-11-16", "x:y", "1:0001-01-01", None, f"{there.id}"):
        answer = listed(admin, "roster", of=of)
        assert answer.status_code == 200
        assert "Zoe" not in answer.text
        assert lines_in(answer) == 0


def test_a_persons_own_route_says_whose_it_is(admin: Reader, make: Make) -> None:
    ana = make.user("operator", name="Ana Costa")
    own = {"name": "E-mail", "channel": "email", "addresses": [], "user_id": ana.id}
    make.row(NotificationRoute, own)
    a_route(make, "Desk")
    found = listed(admin, "routes").text
    assert "Ana Costa, the address they sign in with" in found
    assert "what is meant for them" in found
    assert "everything from info on" in found

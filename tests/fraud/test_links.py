"""Who shared a phone, and who punches with whom more often than chance has it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from noc.fraud.links import LEAST, MOST, links
from noc.workforce.models import Person, Site
from tests.factories import NOW, Make


@pytest.fixture
def site(make: Make) -> Site:
    return make.site()


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site, name="Meera")


def found(make: Make, guard: Person, **kwargs: Any) -> dict[str, Any]:
    return links(guard.id, tenant_id=make.tenant_id, now=NOW, **kwargs)


def shifts(make: Make, person: Person, site: Site, count: int, seconds: float = 0) -> None:
    """So many punches in, one a day, so many seconds after NOW's time of day."""
    for day in range(1, count + 1):
        at = NOW - dt.timedelta(days=day) + dt.timedelta(seconds=seconds)
        make.punch(person, site, occurred_at=at)


def test_a_phone_that_both_used_links_them_by_what_each_did_at_least(
    make: Make, guard: Person, site: Site
) -> None:
    phone, friend = make.device(code="D7"), make.person(site, name="Ana")
    for hours in (30, 40, 50):
        make.punch(
            guard, site, device_id=phone.id, kind="presence",
            occurred_at=NOW - dt.timedelta(hours=hours),
        )  # fmt: skip
    make.punch(
        friend, site, device_id=phone.id, kind="presence", occurred_at=NOW - dt.timedelta(hours=45)
    )

    (one,) = found(make, guard)["people"]

    assert (one["person_id"], one["phones"], one["shared"]) == (friend.id, ["D7"], 1)
    assert not one["unusual"]


def test_who_shares_a_phone_among_themselves_is_an_edge(
    make: Make, guard: Person, site: Site
) -> None:
    mine, theirs = make.device(), make.device()
    one, other = make.person(site), make.person(site)
    for person in (guard, one, other):
        make.punch(person, site, device_id=mine.id, kind="presence")
    for person in (one, other):
        make.punch(person, site, device_id=theirs.id, kind="presence")

    assert found(make, guard)["edges"] == [{"a": one.id, "b": other.id, "shared": 2}]


def test_a_pair_that_always_comes_together_is_unusual_and_a_shift_is_not(
    make: Make, guard: Person, site: Site
) -> None:
    twin = make.person(site, name="Twin")
    shifts(make, guard, site, 12)
    shifts(make, twin, site, 12, seconds=20)
    for index in range(4):
        shifts(make, make.person(site), site, 12, seconds=150 + 10 * index)

    told = found(make, guard)

    assert [one["name"] for one in told["people"]] == ["Twin"]
    (one,) = told["people"]
    assert (one["together"], one["met"], one["unusual"]) == (12, 12, True)
    assert one["usual"] < one["low"] <= 1 == one["high"]
    assert (told["colleagues"], told["punches"]) == (5, 12)


def test_a_few_punches_together_are_no_link(make: Make, guard: Person, site: Site) -> None:
    shifts(make, guard, site, LEAST - 1)
    shifts(make, make.person(site), site, LEAST - 1, seconds=5)
    assert found(make, guard)["people"] == []


def test_where_everybody_comes_together_nobody_is_unusual(
    make: Make, guard: Person, site: Site
) -> None:
    shifts(make, guard, site, 12)
    for index in range(4):
        shifts(make, make.person(site), site, 12, seconds=5 + index)
    assert found(make, guard)["people"] == []


def test_in_and_out_other_sites_and_voided_punches_are_not_together(
    make: Make, guard: Person, site: Site
) -> None:
    shifts(make, guard, site, 10)
    shifts(make, make.person(site), make.site(), 10, seconds=5)
    leaving, voided = make.person(site), make.person(site)
    for day in range(1, 11):
        at = NOW - dt.timedelta(days=day)
        make.punch(leaving, site, kind="out", occurred_at=at)
        make.punch(voided, site, occurred_at=at, voided_at=NOW)
    assert found(make, guard)["colleagues"] == 0


def test_sites_out_of_sight_link_nobody(make: Make, guard: Person, site: Site) -> None:
    phone = make.device()
    for person in (guard, make.person(site)):
        make.punch(person, site, device_id=phone.id)
        shifts(make, person, site, 12)
    elsewhere = make.site()
    told = found(make, guard, site_ids=frozenset({elsewhere.id}))
    assert (told["people"], told["edges"], told["punches"]) == ([], [], 0)
    assert len(found(make, guard)["people"]) == 1


def test_a_phone_of_a_whole_post_shows_the_strongest_links_in_two_queries(
    make: Make,
    guard: Person,
    site: Site,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    phone = make.device()
    for _ in range(MOST + 5):
        make.punch(make.person(site), site, device_id=phone.id, kind="presence")
    make.punch(guard, site, device_id=phone.id, kind="presence")
    assert len(found(make, guard)["people"]) == MOST
    assert query_count(lambda: found(make, guard)) == 2

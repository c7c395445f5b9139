"""When, where and on what a guard punches, and what people found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from noc.fraud.labels import label_punches
from noc.fraud.portrait import portrait, verdicts_on
from noc.fraud.review.labelling import Said, label
from tests.factories import Make
from tests.fraud.review.population import prediction, punches

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


def told(make: Make, person_id: int, **kwargs: Any) -> dict[str, Any]:
    return portrait(person_id, tenant_id=make.tenant_id, now=NOON, **kwargs)


def test_hours_are_those_of_the_sites_clock_and_today_begins_there(make: Make) -> None:
    tokyo = make.site(timezone="Asia/Tokyo")
    guard = make.person(tokyo)
    # 21:00 in Tokyo, where the day began at 15:00 UTC of the day before.
    make.punch(guard, tokyo, occurred_at=NOON)
    early = make.punch(guard, tokyo, kind="out", occurred_at=NOON - dt.timedelta(hours=20))
    make.punch(guard, tokyo, occurred_at=NOON - dt.timedelta(hours=22))
    make.punch(guard, tokyo, kind="presence", occurred_at=NOON - dt.timedelta(hours=1))

    found = told(make, guard.id)

    assert [hour for hour, n in enumerate(found["in"]) if n] == [21, 23]
    assert [hour for hour, n in enumerate(found["out"]) if n] == [1]
    assert found["today"][0]["punch_id"] == early.id
    assert len(found["today"]) == 2
    assert found["punches"] == 3


def test_sites_and_phones_have_their_share_and_since_when(make: Make) -> None:
    home, away = make.site(name="Home"), make.site(name="Away")
    guard, owner = make.person(home), make.person(home, name="Ana")
    phone = make.device(code="D7", person_id=owner.id)
    long_ago = NOON - dt.timedelta(days=200)
    make.punch(guard, home, occurred_at=long_ago)
    for days in (1, 2):
        at = NOON - dt.timedelta(days=days)
        make.punch(guard, home, occurred_at=at, device_id=phone.id)
    make.punch(guard, away, occurred_at=NOON - dt.timedelta(days=3))

    found = told(make, guard.id)

    assert [(one["name"], one["punches"]) for one in found["sites"]] == [("Home", 2), ("Away", 1)]
    assert found["sites"][0]["first_at"] == long_ago
    known = [one for one in found["phones"] if one["name"]]
    assert [(one["name"], one["owner_name"], one["punches"]) for one in known] == [("D7", "Ana", 2)]


def test_sites_out_of_sight_are_left_out(make: Make) -> None:
    home, away = make.site(), make.site(name="Away")
    guard = make.person(home)
    make.punch(guard, away, occurred_at=NOON)
    found = told(make, guard.id, site_ids=frozenset({home.id}))
    assert (found["punches"], found["sites"], found["today"]) == (0, [], [])


def test_verdicts_say_who_when_and_where_from(make: Make) -> None:
    site, maya = make.site(), make.user(name="Maya")
    guard = make.person(site)
    first, second, _ = punches(make, [0.9, 0.8, 0.7], site=site, person=guard)
    label_punches(
        {first: True}, tenant_id=make.tenant_id, source="ticket", labelled_by=None, now=NOON
    )
    said = Said(prediction(make, second).id, "FALSE_POSITIVE", "Camera shows him.")
    label(
        [said], tenant_id=make.tenant_id, user_id=maya.id, site_ids=None,
        now=NOON + dt.timedelta(hours=1),
    )  # fmt: skip

    found = verdicts_on(guard.id, tenant_id=make.tenant_id)

    assert (found["total"], found["frauds"]) == (2, 1)
    assert [(one["verdict"], one["labelled_by"], one["note"]) for one in found["items"]] == [
        ("FALSE_POSITIVE", "Maya", "Camera shows him."),
        ("CONFIRMED", None, None),
    ]
    hidden = verdicts_on(guard.id, tenant_id=make.tenant_id, site_ids=frozenset({make.site().id}))
    assert hidden["items"] == []


def test_it_is_three_queries_however_much_there_is(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    site = make.site()
    guard = make.person(site)
    for days in range(40):
        make.punch(guard, site, occurred_at=NOON - dt.timedelta(days=days))
    assert query_count(lambda: told(make, guard.id)) == 3

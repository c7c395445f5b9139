"""Who is on duty, by the roster as it is worked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from noc.database import tenancy
from noc.identity import tenants
from noc.workforce.roster import Duty, on_duty, shifts_around
from tests.factories import NOW, Make

HOUR = dt.timedelta(hours=1)


def around(make: Make, *people: int, hours: float = 24) -> list[Duty]:
    span = dt.timedelta(hours=hours)
    return shifts_around(people, NOW - span, NOW + span, tenant_id=make.tenant_id)


@contextmanager
def queries(session: Session) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_guard_is_on_duty_from_the_start_to_before_the_end(make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    shift = make.shift(guard, site, NOW, hours=8)

    def present(at: dt.datetime) -> list[int]:
        return [duty.shift_id for duty in on_duty(at, tenant_id=make.tenant_id)]

    assert present(NOW - dt.timedelta(seconds=1)) == []
    assert present(NOW) == [shift.id]
    assert present(NOW + 7.9 * HOUR) == [shift.id]
    assert present(NOW + 8 * HOUR) == []


def test_duty_can_be_asked_site_by_site(make: Make) -> None:
    here, there = make.site(), make.site()
    guard = make.person(here)
    make.shift(guard, here, NOW)
    make.shift(make.person(there), there, NOW)
    found = on_duty(NOW, tenant_id=make.tenant_id, site_ids=[here.id])
    assert [duty.person_id for duty in found] == [guard.id]


def test_a_swapped_shift_is_worked_by_the_other(make: Make) -> None:
    site = make.site()
    planned, works = make.person(site), make.person(site)
    make.shift(planned, site, NOW).swapped_with_id = works.id
    make.session.flush()
    assert around(make, planned.id) == []
    assert [duty.person_id for duty in around(make, works.id)] == [works.id]
    assert [duty.person_id for duty in on_duty(NOW, tenant_id=make.tenant_id)] == [works.id]


def test_approved_leave_takes_the_shift_away(make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    make.shift(guard, site, NOW)
    make.absence(guard, NOW - 12 * HOUR, days=2)
    assert around(make, guard.id) == []
    assert on_duty(NOW, tenant_id=make.tenant_id) == []


def test_leave_that_is_not_approved_excuses_nobody(make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    make.shift(guard, site, NOW)
    make.absence(guard, NOW).approved = False
    make.session.flush()
    assert len(around(make, guard.id)) == 1


def test_leave_within_a_shift_leaves_its_two_ends(make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    make.shift(guard, site, NOW, hours=8)
    make.absence(guard, NOW + 2 * HOUR, days=1 / 24)
    make.absence(guard, NOW + 2.5 * HOUR, days=1 / 24)
    pieces = [(duty.starts_at, duty.ends_at) for duty in around(make, guard.id)]
    assert pieces == [(NOW, NOW + 2 * HOUR), (NOW + 3.5 * HOUR, NOW + 8 * HOUR)]
    assert {duty.shift_starts_at for duty in around(make, guard.id)} == {NOW}
    assert on_duty(NOW + 3 * HOUR, tenant_id=make.tenant_id) == []


def test_the_leave_that_counts_is_that_of_whoever_works_the_shift(make: Make) -> None:
    site = make.site()
    planned, works = make.person(site), make.person(site)
    make.shift(planned, site, NOW).swapped_with_id = works.id
    make.absence(planned, NOW)
    make.session.flush()
    assert len(around(make, works.id)) == 1
    make.absence(works, NOW)
    assert around(make, works.id) == []


def test_shifts_that_only_touch_the_span_at_their_end_are_left_out(make: Make) -> None:
    site = make.site()
    guard = make.person(site)
    make.shift(guard, site, NOW - 9 * HOUR, hours=8)
    starting = make.shift(guard, site, NOW + HOUR, hours=8)
    assert [duty.shift_id for duty in around(make, guard.id, hours=1)] == [starting.id]


def test_pieces_come_by_person_and_time(make: Make) -> None:
    site = make.site()
    guards = [make.person(site) for _ in range(3)]
    for guard in reversed(guards):
        make.shift(guard, site, NOW + 9 * HOUR)
        make.shift(guard, site, NOW - 4 * HOUR)
    found = around(make, *(guard.id for guard in guards))
    assert [(duty.person_id, duty.starts_at) for duty in found] == [
        (guard.id, starts) for guard in guards for starts in (NOW - 4 * HOUR, NOW + 9 * HOUR)
    ]


@pytest.mark.parametrize("people", [1, 40])
def test_one_query_answers_for_any_number_of_people(
    make: Make, session: Session, people: int
) -> None:
    site = make.site()
    guards = [make.person(site) for _ in range(people)]
    for guard in guards:
        make.shift(guard, site, NOW)
    with queries(session) as seen:
        assert len(around(make, *(guard.id for guard in guards))) == people
    assert len(seen) == 1


def test_nobody_asked_about_is_nothing_to_ask(make: Make, session: Session) -> None:
    with queries(session) as seen:
        assert around(make) == []
    assert seen == []


def test_another_tenants_roster_is_not_seen(make: Make, session: Session) -> None:
    other = tenants.create_tenant("other", "Other Guarding")
    with tenancy.tenant_context(session, other.id):
        theirs = Make(session, other.id)
        site = theirs.site()
        guard = theirs.person(site)
        theirs.shift(guard, site, NOW)
    assert around(make, guard.id) == []
    assert shifts_around([guard.id], NOW, NOW, tenant_id=other.id) == []

"""Packed days are the rows themselves, whatever becomes of the rows."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from jobs import maintenance
from noc.attendance.models import AttendanceEvent
from noc.attendance.voiding import void_punch
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session as current_session
from noc.fraud import score_days
from noc.fraud.heatmap import heatmap
from noc.fraud.labels import label_punches
from noc.fraud.models import PredictionLog, ScoreDay
from noc.identity import tenants
from noc.workforce.models import Site
from tests.conftest import Services
from tests.crowd import committed_tenant
from tests.factories import Make

DAY = dt.timedelta(days=1)
ZONES = ("Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe")

# Not a fixed day: the triggers ask the database what is old.
TODAY = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
NOW = TODAY + dt.timedelta(hours=9, minutes=20, microseconds=123_457)
OLD = NOW - 5 * DAY


def punched(make: Make, site: Site, at: dt.datetime, score: float, *, shadow: bool = False) -> int:
    """A scored punch; its id."""
    person = make.person(site)
    punch = make.punch(person, site, occurred_at=at, scored_at=at)
    make.row(
        PredictionLog,
        {
            "attendance_event_id": punch.id, "person_id": person.id, "site_id": site.id,
            "occurred_at": at, "features": [], "fraud_score": score, "is_shadow": shadow,
            "risk_level": "LOW", "model_type": "rules", "model_version": "rules", "reasons": [],
        },
    )  # fmt: skip
    return punch.id


def busy(make: Make) -> list[Site]:
    """Three sites with a fortnight of punches, some voided, some reviewed, some a shadow's."""
    sites = [make.site(name=zone, timezone=zone) for zone in ZONES]
    for n in range(150):
        at = NOW - n * dt.timedelta(hours=2, minutes=13, microseconds=1)
        punch = punched(make, sites[n % 3], at, (n * 7 % 10) / 10 + 0.0125, shadow=n % 17 == 0)
        if n % 11 == 0:
            void_punch(punch, reason="twice", user_id=None, now=NOW)
        if n % 5 == 0:
            label_punches(
                {punch: n % 2 == 0},
                tenant_id=make.tenant_id,
                source="review",
                labelled_by=None,
                now=NOW,
            )
    return sites


def packed(make: Make) -> list[dt.date]:
    """The days that are packed."""
    of = select(ScoreDay.day).where(ScoreDay.tenant_id == make.tenant_id).order_by(ScoreDay.day)
    return list(make.session.scalars(of))


def pack_all(make: Make) -> int:
    days = score_days.missing_days(tenant_id=make.tenant_id, now=NOW)
    assert all(score_days.pack(day, tenant_id=make.tenant_id) for day in days)
    return len(days)


@pytest.mark.parametrize("clock", ["site", "company"])
@pytest.mark.parametrize("kind", ["hour", "day"])
@pytest.mark.parametrize("limited", [False, True])
def test_the_heatmap_is_the_same_from_packed_days(
    make: Make, kind: Any, clock: Any, limited: bool
) -> None:
    sites = busy(make)
    seen = frozenset({sites[0].id, sites[2].id}) if limited else None

    def asked() -> dict[str, Any]:
        return heatmap(11, tenant_id=make.tenant_id, now=NOW, by=kind, clock=clock, site_ids=seen)

    before = asked()
    assert before["punches"] > 60
    assert pack_all(make) > 9
    make.session.execute(
        # What is read of the packed days is no longer in the rows.
        update(PredictionLog)
        .where(PredictionLog.occurred_at < TODAY - 4 * DAY)
        .values(reasons=["changed"])
    )
    assert len(packed(make)) > 9
    assert asked() == before


def test_days_that_are_packed_are_not_read_from_the_rows(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(make)
    pack_all(make)
    read: list[tuple[dt.datetime, dt.datetime]] = []
    rows = score_days._read_rows
    monkeypatch.setattr(
        score_days,
        "_read_rows",
        lambda since, until, tenant_id: (
            read.append((since, until)) or rows(since, until, tenant_id)
        ),
    )

    heatmap(11, tenant_id=make.tenant_id, now=NOW)

    asked = [(since, until) for since, until in read if since < until]
    since = NOW - 11 * DAY
    assert asked == [
        (since, since.replace(hour=0, minute=0, second=0, microsecond=0) + DAY),
        (TODAY - 2 * DAY, NOW + dt.timedelta(microseconds=1)),
    ]


def test_a_day_is_packed_two_days_after_its_end_and_none_before_the_first_score(
    make: Make,
) -> None:
    assert score_days.missing_days(tenant_id=make.tenant_id, now=NOW) == []
    punched(make, make.site(), NOW - 6 * DAY, 0.5)

    today = TODAY.date()
    expected = [today - n * DAY for n in (3, 4, 5, 6)]
    assert score_days.missing_days(tenant_id=make.tenant_id, now=NOW) == expected
    assert score_days.missing_days(tenant_id=make.tenant_id, now=TODAY) == expected
    almost = TODAY - dt.timedelta(microseconds=1)
    assert score_days.missing_days(tenant_id=make.tenant_id, now=almost) == expected[1:]


def test_who_comes_second_leaves_a_day_that_is_packed(make: Make) -> None:
    punched(make, make.site(), OLD, 0.5)

    for _ in range(2):
        assert score_days.pack(OLD.date(), tenant_id=make.tenant_id)
    assert packed(make) == [OLD.date()]


def _late(make: Make, _punch: int) -> None:
    punched(make, make.session.scalars(select(Site)).one(), OLD, 0.7)


def _voided(make: Make, punch: int) -> None:
    void_punch(punch, reason="twice", user_id=None, now=NOW)


def _again(make: Make, punch: int) -> None:
    _set(make, punch, fraud_score=0.99)


def _shadowed(make: Make, punch: int) -> None:
    _set(make, punch, is_shadow=True)


def _unscored(make: Make, punch: int) -> None:
    of = PredictionLog.attendance_event_id == punch
    make.session.execute(delete(PredictionLog).where(of))


def _removed(make: Make, punch: int) -> None:
    make.session.execute(delete(AttendanceEvent).where(AttendanceEvent.id == punch))


def _set(make: Make, punch: int, **values: Any) -> None:
    of = PredictionLog.attendance_event_id == punch
    make.session.execute(update(PredictionLog).where(of).values(**values))


@pytest.mark.parametrize(
    "change", [_late, _voided, _again, _shadowed, _unscored, _removed], ids=lambda f: f.__name__
)
def test_a_day_that_changes_is_read_from_the_rows_again(
    make: Make, change: Callable[[Make, int], None]
) -> None:
    site = make.site()
    punch = punched(make, site, OLD, 0.5)
    punched(make, site, OLD - 2 * DAY, 0.5)
    pack_all(make)
    before = heatmap(11, tenant_id=make.tenant_id, now=NOW)

    change(make, punch)

    assert OLD.date() not in packed(make)
    assert (OLD - 2 * DAY).date() in packed(make)
    after = heatmap(11, tenant_id=make.tenant_id, now=NOW)
    assert after != before
    assert pack_all(make) == 1
    assert heatmap(11, tenant_id=make.tenant_id, now=NOW) == after


def test_what_is_new_and_what_is_reviewed_leaves_the_packed_days(make: Make) -> None:
    site = make.site()
    punch = punched(make, site, OLD, 0.5)
    pack_all(make)
    before = packed(make)

    punched(make, site, NOW - dt.timedelta(minutes=1), 0.5)
    label_punches(
        {punch: True}, tenant_id=make.tenant_id, source="review", labelled_by=None, now=NOW
    )

    assert packed(make) == before
    found = heatmap(11, tenant_id=make.tenant_id, now=NOW)["sites"][0]
    assert (sum(found["count"]), sum(found["confirmed"])) == (2, 1)


def test_it_takes_as_many_queries_for_many_days_as_for_few(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    busy(make)
    pack_all(make)

    counts = [
        query_count(lambda days=days: heatmap(days, tenant_id=make.tenant_id, now=NOW))
        for days in (5, 11)
    ]
    assert counts == [5, 5]


@contextmanager
def committed(app: APIFlask, services: Services) -> Iterator[tuple[Make, int]]:
    """A tenant whose rows are committed, with one old punch; it and the punch's id."""
    with committed_tenant(app, services) as make:
        punch = punched(make, make.site(), OLD, 0.5)
        make.session.commit()
        yield make, punch


def test_a_day_is_not_packed_while_a_change_to_it_is_under_way(
    app: APIFlask, services: Services
) -> None:
    with committed(app, services) as (make, punch):
        _again(make, punch)

        def pack() -> bool:
            with app.app_context(), tenant_context(current_session(), make.tenant_id):
                done = score_days.pack(OLD.date(), tenant_id=make.tenant_id)
                current_session().commit()
                return done

        done: list[bool] = []
        other = threading.Thread(target=lambda: done.append(pack()))
        other.start()
        other.join()
        assert done == [False]

        make.session.commit()
        assert pack()
        assert packed(make) == [OLD.date()]


def test_a_change_waits_for_a_packing_that_has_begun_and_undoes_it(
    app: APIFlask, services: Services
) -> None:
    with committed(app, services) as (make, punch):
        assert score_days.pack(OLD.date(), tenant_id=make.tenant_id)
        changed = threading.Event()

        def change() -> None:
            with app.app_context(), tenant_context(current_session(), make.tenant_id):
                _again(Make(current_session(), make.tenant_id), punch)
                current_session().commit()
                changed.set()

        other = threading.Thread(target=change)
        other.start()
        assert not changed.wait(0.5)
        make.session.commit()
        other.join()
        assert packed(make) == []


def test_the_job_packs_what_is_missing_of_every_tenant(make: Make, session: Session) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        theirs = Make(session, rival.id)
        punched(theirs, theirs.site(), utcnow() - 4 * DAY, 0.5)
    punched(make, make.site(), utcnow() - 5 * DAY, 0.5)
    session.commit()

    assert maintenance.pack_score_days() == 3 + 2
    assert maintenance.pack_score_days() == 0
    assert len(packed(make)) == 3

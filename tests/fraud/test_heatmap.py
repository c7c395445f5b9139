"""The heatmap by day, on either clock, with what was reviewed; and the punches of its cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from noc.fraud import drilldown
from noc.fraud.heatmap import company_zone, heatmap, spans_of_cell
from noc.fraud.labels import label_punches
from noc.fraud.models import PredictionLog
from noc.identity.tenant_settings import override
from noc.workforce.models import Site
from tests.factories import Make

NOW = dt.datetime(2026, 11, 4, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
KINDS = ("count", "high", "reviewed", "confirmed")


def punched(make: Make, site: Site, at: dt.datetime, score: float) -> int:
    """A punch with this score; its id."""
    person = make.person(site)
    punch = make.punch(person, site, occurred_at=at, scored_at=at)
    make.row(
        PredictionLog,
        {
            "attendance_event_id": punch.id, "person_id": person.id, "site_id": site.id,
            "occurred_at": at, "features": [None] * 12, "fraud_score": score,
            "risk_level": "LOW", "model_type": "rules", "model_version": "rules", "reasons": [],
        },
    )  # fmt: skip
    return punch.id


def by(make: Make, kind: Any, days: int = 7, **kwargs: Any) -> dict[str, Any]:
    return heatmap(days, tenant_id=make.tenant_id, now=NOW, by=kind, **kwargs)


def behind(make: Make, site: Site, cell: int | dt.date, zone: str, **kwargs: Any) -> list[int]:
    rows = drilldown.of_cell(
        site.id, spans_of_cell(cell, zone, 7, NOW), tenant_id=make.tenant_id, **kwargs
    )
    return [row["punch_id"] for row in rows]


def test_days_are_those_of_the_sites_clock(make: Make) -> None:
    """20:00 UTC on the 2nd is the 3rd in Mumbai and still the 2nd in New York."""
    mumbai = make.site(name="A", timezone="Asia/Kolkata")
    york = make.site(name="B", timezone="America/New_York")
    at = dt.datetime(2026, 11, 2, 20, 0, tzinfo=dt.UTC)
    for site in (mumbai, york):
        punched(make, site, at, 0.9)

    found = by(make, "day")

    assert found["dates"] == [f"2026-10-{n}" for n in (29, 30, 31)] + [
        f"2026-11-0{n}" for n in (1, 2, 3, 4)
    ]
    assert [site["count"] for site in found["sites"]] == [
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 0, 0],
    ]
    assert [site["max"][4] for site in found["sites"]] == [None, 0.9]


def test_the_companys_clock_is_that_of_most_of_its_sites(make: Make) -> None:
    assert company_zone(make.tenant_id) == "UTC"
    york = make.site(name="Z", timezone="America/New_York")
    for name in ("A", "B"):
        make.site(name=name, timezone="Asia/Kolkata")
    punched(make, york, dt.datetime(2026, 11, 2, 20, 0, tzinfo=dt.UTC), 0.9)

    found = by(make, "hour", clock="company")

    assert found["zone"] == company_zone(make.tenant_id) == "Asia/Kolkata"
    # 20:00 UTC on Monday is Tuesday 01:30 there.
    assert found["sites"][2]["count"][25] == 1
    assert by(make, "day", clock="company")["sites"][2]["count"][5] == 1


def test_an_hour_that_comes_twice_is_counted_twice_over(make: Make) -> None:
    york = make.site(timezone="America/New_York")
    for hours in (5, 6):
        at = dt.datetime(2026, 11, 1, hours, 30, tzinfo=dt.UTC)
        punched(make, york, at, 0.2)
    sunday_one = 6 * 24 + 1

    assert by(make, "hour")["sites"][0]["count"][sunday_one] == 2
    assert len(behind(make, york, sunday_one, "America/New_York")) == 2


def test_a_share_is_of_the_reviewed_and_the_threshold_is_the_sites(make: Make) -> None:
    strict, lax = make.site(name="A"), make.site(name="B")
    override("fraud_score_ticket_threshold", 0.95, site_id=lax.id, now=NOW)
    at = NOW - 30 * HOUR
    for site in (strict, lax):
        ids = [punched(make, site, at, score) for score in (0.9, 0.85, 0.1)]
        label_punches(
            {ids[0]: True, ids[1]: False},
            tenant_id=make.tenant_id,
            source="review",
            labelled_by=None,
            now=NOW,
        )

    found = by(make, "day", threshold=None)

    totals = [[sum(site[kind]) for kind in KINDS] for site in found["sites"]]
    assert totals == [[3, 2, 2, 1], [3, 0, 2, 1]]
    assert [site["threshold"] for site in found["sites"]] == [0.8, 0.95]


@pytest.mark.parametrize("clock", ["site", "company"])
@pytest.mark.parametrize("kind", ["hour", "day"])
def test_a_cell_has_the_punches_that_it_counted(make: Make, kind: Any, clock: Any) -> None:
    sites = [
        make.site(name=zone, timezone=zone)
        for zone in ("Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")
    ]
    for n in range(200):
        at = NOW - n * dt.timedelta(minutes=67.3)
        punched(make, sites[n % 3], at, (n % 10) / 10)

    found = by(make, kind, clock=clock)

    assert found["punches"] > 100
    for site, row in zip(sites, sorted(found["sites"], key=lambda r: r["site_id"]), strict=True):
        zone = found["zone"] or site.timezone
        days = [dt.date.fromisoformat(day) for day in found["dates"] or ()]
        cells: Any = days or range(168)
        assert [len(behind(make, site, cell, zone)) for cell in cells] == row["count"]


def test_the_punches_of_a_cell_come_a_page_at_a_time(make: Make) -> None:
    site = make.site(timezone="UTC")
    at = NOW - 20 * HOUR
    made = [punched(make, site, at, score) for score in (0.5, 0.9, 0.5, 0.7)]
    expected = [made[1], made[3], made[2], made[0]]

    assert behind(make, site, at.date(), "UTC") == expected
    seen = behind(make, site, at.date(), "UTC", limit=2)
    seen += behind(make, site, at.date(), "UTC", limit=2, after=(0.7, made[3]))
    assert seen == expected
    assert behind(make, site, at.date(), "UTC", site_ids=frozenset()) == []
    assert behind(make, site, dt.date(2020, 1, 1), "UTC") == []


def test_it_takes_as_many_queries_for_many_sites_as_for_one(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    site = make.site()
    punched(make, site, NOW - HOUR, 0.9)
    few = query_count(lambda: by(make, "day", clock="company", threshold=None))
    for n in range(4):
        punched(make, make.site(timezone="Asia/Tokyo"), NOW - n * HOUR, 0.3)
    assert query_count(lambda: by(make, "day", clock="company", threshold=None)) == few <= 6

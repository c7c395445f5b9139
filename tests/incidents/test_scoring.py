"""How much an alert and a signal have to do with each other."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from noc.incidents.scoring import AlertFact, Signal, match, worst
from tests.factories import NOW

WINDOW = dt.timedelta(minutes=15)
MINUTE = dt.timedelta(minutes=1)

LOW = Signal("finding:1", "LOW_ACTIVITY", "MEDIUM", 3, 7, NOW - 10 * MINUTE, NOW)
OFFLINE = AlertFact(1, "DEVICE_OFFLINE", "HIGH", 3, 7, NOW, NOW)


def test_the_score_is_the_sum_of_its_parts() -> None:
    found = match(LOW, OFFLINE, WINDOW)

    assert found is not None
    assert found.parts == {"time": 0.4, "entity": 0.35, "severity": 0.1562}
    assert found.score == pytest.approx(sum(found.parts.values()))


def test_the_same_person_counts_more_than_the_same_site() -> None:
    person = match(LOW, OFFLINE, WINDOW)
    site = match(LOW, replace(OFFLINE, person_id=None), WINDOW)

    assert person is not None
    assert site is not None
    assert person.parts["entity"] > site.parts["entity"] > 0


def test_what_is_about_somebody_else_does_not_belong() -> None:
    assert match(LOW, replace(OFFLINE, person_id=8), WINDOW) is None
    assert match(LOW, replace(OFFLINE, person_id=None, site_id=4), WINDOW) is None


@pytest.mark.parametrize(
    ("minutes_after", "time"),
    [(0, 0.4), (5, 0.2667), (15, 0.0), (16, None), (-25, 0.0), (-26, None)],
)
def test_it_fades_with_the_time_between(minutes_after: int, time: float | None) -> None:
    at = NOW + minutes_after * MINUTE
    found = match(LOW, replace(OFFLINE, first_at=at, last_at=at), WINDOW)

    assert (found.parts["time"] if found else None) == time


def test_an_alert_that_lasted_into_the_signal_is_as_near_as_can_be() -> None:
    lasting = replace(OFFLINE, first_at=NOW - 300 * MINUTE, last_at=NOW - 5 * MINUTE)
    found = match(LOW, lasting, WINDOW)

    assert found is not None
    assert found.parts["time"] == 0.4


def test_the_worst_and_nearest_score_one() -> None:
    found = match(replace(LOW, severity="CRITICAL"), replace(OFFLINE, severity="CRITICAL"), WINDOW)

    assert found is not None
    assert found.score == 1.0


def test_the_worst_severity_stands_for_all() -> None:
    assert worst(["LOW", "CRITICAL", "INFO"]) == "CRITICAL"

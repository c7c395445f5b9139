"""However a phone's signals arrive, what is made of them is the same."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from noc.telemetry.collection import Signals, collect_signals
from noc.telemetry.ingest import store_signals
from tests.factories import NOW, Make

_person = itertools.count()
MINUTE = dt.timedelta(minutes=1)

FIX = st.fixed_dictionaries(
    {
        "minute": st.integers(0, 115),
        "lat": st.floats(18.9, 19.2),
        "lon": st.floats(72.7, 73.0),
        "accuracy": st.none() | st.floats(0, 60),
    }
)


def stored(make: Make, batches: list[list[dict[str, Any]]], now: dt.datetime = NOW) -> Signals:
    """What is collected of a new guard whose phone sends these batches."""
    guard = make.person()
    for batch in batches:
        items = [item | {"person_id": guard.id} for item in batch]
        store_signals(items, tenant_id=make.tenant_id, now=now)
    window = {"start": NOW - 120 * MINUTE, "end": NOW}
    return collect_signals([guard.id], tenant_id=make.tenant_id, **window)[guard.id]


def as_item(number: int, prefix: str, fix: dict[str, Any]) -> dict[str, Any]:
    at = NOW - (115 - fix["minute"]) * MINUTE
    return {
        "kind": "location",
        "external_id": f"{prefix}-{number}",
        "occurred_at": at.isoformat(),
        "lat": fix["lat"],
        "lon": fix["lon"],
        "accuracy": fix["accuracy"],
    }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    fixes=st.lists(FIX, max_size=25),
    order=st.randoms(use_true_random=False),
    cuts=st.integers(1, 6),
)
def test_distance_does_not_depend_on_order_splitting_or_repetition(
    make: Make, session: Session, fixes: list[dict[str, Any]], order: Any, cuts: int
) -> None:
    first, second = f"a{next(_person)}", f"b{next(_person)}"
    in_order = sorted(fixes, key=lambda fix: fix["minute"])
    # Ties in time are broken by the phone's own names, the same in both deliveries.
    plain = stored(make, [[as_item(n, first, fix) for n, fix in enumerate(in_order)]])
    shuffled = [as_item(n, second, fix) for n, fix in enumerate(in_order)]
    order.shuffle(shuffled)
    size = max(1, math.ceil(len(shuffled) / cuts))
    parts = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    again = stored(make, [*parts, *parts[:2]])

    assert again.as_dict() == plain.as_dict()
    assert again.last_signal_at == plain.last_signal_at


def test_a_phone_that_was_offline_for_two_hours_tells_the_same(make: Make) -> None:
    fixes = [
        {"minute": n * 5, "lat": 19.0 + (n % 3) * 1e-3, "lon": 72.8, "accuracy": 8.0}
        for n in range(23)
    ]
    bad = {"minute": 57, "lat": 25.0, "lon": 72.8, "accuracy": 8.0}
    in_time = [[as_item(n, "live", fix)] for n, fix in enumerate([*fixes, bad])]
    at_once = [[as_item(n, "late", fix) for n, fix in enumerate([bad, *reversed(fixes)])]]

    live, late = stored(make, in_time), stored(make, at_once)

    assert live.movement_distance_meters > 1000
    assert late.as_dict() == live.as_dict()


def test_a_clock_two_days_ahead_is_refused_and_costs_no_other(make: Make) -> None:
    guard = make.person()
    good = as_item(1, "good", {"minute": 100, "lat": 19.0, "lon": 72.8, "accuracy": 5.0})
    ahead = good | {"external_id": "ahead", "occurred_at": (NOW + dt.timedelta(days=2)).isoformat()}
    batch = [item | {"person_id": guard.id} for item in (ahead, good)]

    result = store_signals(batch, tenant_id=make.tenant_id, now=NOW)

    assert (result.accepted, len(result.rejected)) == (1, 1)
    assert result.rejected[0]["field"] == "occurred_at"
    assert "lies in the future" in result.rejected[0]["reason"]

"""How many tickets a threshold opens, by hand and against the product itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.database.base import new_uuid
from noc.fraud.thresholds import read_thresholds
from noc.fraud.ticketing import Suspect, open_tickets
from noc.fraud.watching.served import FRAUD_TYPES
from noc.fraud.watching.tickets import Suspects, read_suspects, suspects
from noc.tickets.models import Ticket
from tests.factories import Make
from tests.fraud.watching.conftest import DAY, NOW, serve

HOUR_US = 3_600_000_000


def made(*rows: tuple[int, int, float, float], hours: float = 24) -> Suspects:
    """(person, type, hour, score) each."""
    person, kind, hour, score = (np.array(column) for column in zip(*rows, strict=True))
    time = (hour * HOUR_US).astype(np.int64)
    return suspects(
        person.astype(np.int64), kind.astype(np.int64), time, score.astype(float),
        np.full(len(person), hours),
    )  # fmt: skip


def test_later_punches_of_the_day_join_and_the_first_after_it_opens_the_next() -> None:
    one = made((1, 1, 0, 0.9), (1, 1, 23.9, 0.9), (1, 1, 24, 0.9), (1, 1, 47, 0.9), (1, 1, 50, 0.9))
    # 0 opens, 23.9 joins, 24 opens (the time is over), 47 joins, 50 opens.
    assert one.opened(0.5) == 3


def test_another_person_or_type_is_another_ticket() -> None:
    assert made((1, 1, 0, 0.9), (2, 1, 1, 0.9), (1, 2, 2, 0.9), (2, 1, 3, 0.9)).opened(0.5) == 3


def test_only_scores_from_the_threshold_on_count_and_hold() -> None:
    one = made((1, 1, 0, 0.5), (1, 1, 20, 0.8), (1, 1, 30, 0.9))
    assert [one.opened(threshold) for threshold in (0.5, 0.8, 0.85, 0.9, 0.95)] == [2, 1, 1, 1, 0]
    assert made((1, 1, 0, 0.5)).opened(0.5) == 1


def test_the_order_of_rows_does_not_matter_and_nothing_opens_nothing() -> None:
    rng = np.random.default_rng(4)
    rows = [(int(p), int(k), float(h), float(s)) for p, k, h, s in zip(
        rng.integers(0, 9, 300), rng.integers(0, 3, 300), rng.random(300) * 500, rng.random(300),
        strict=True,
    )]  # fmt: skip
    assert made(*rows).opened(0.3) == made(*rows[::-1]).opened(0.3)
    empty = np.empty(0, dtype=np.int64)
    assert suspects(empty, empty, empty, empty.astype(float), empty.astype(float)).opened(0) == 0


def test_a_lower_threshold_opens_no_fewer_and_a_budget_is_kept_by_the_lowest() -> None:
    rng = np.random.default_rng(5)
    rows = [(int(p), 1, float(h), round(float(s), 3)) for p, h, s in zip(
        rng.integers(0, 30, 2000), rng.random(2000) * 720, rng.random(2000), strict=True
    )]  # fmt: skip
    one = made(*rows)
    candidates = sorted({row[3] for row in rows})
    opened = [one.opened(threshold) for threshold in candidates]
    assert opened == sorted(opened, reverse=True)
    for most in (7, 50, 200, 600, 10_000):
        expected = next(t for t, count in zip(candidates, opened, strict=True) if count <= most)
        assert one.threshold_for(most) == expected
    assert one.threshold_for(0.5) is None


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9])
def test_it_counts_as_many_as_the_product_opens(
    make: Make, session: Session, threshold: float
) -> None:
    """Prompt scoring, nothing resolved: the tickets really opened, one suspect after another."""
    rng = np.random.default_rng(6)
    site = make.site()
    people = [make.person(site) for _ in range(5)]
    hours = np.sort(rng.random(150) * 240)
    times = [NOW - 11 * DAY + dt.timedelta(hours=float(hour)) for hour in hours]
    scores = np.round(0.6 + 0.39 * rng.random(150), 3)
    types = [("BUDDY_PUNCHING", "UNUSUAL_TIME", "MODEL")[n] for n in rng.integers(0, 3, 150)]
    ids = serve(make, times, scores, types=types, people=people, site=site)
    config = read_thresholds(make.tenant_id)
    counted = read_suspects(NOW - 30 * DAY, NOW, config, tenant_id=make.tenant_id)

    changed = config.tenant.model_copy(update={"fraud_score_ticket_threshold": threshold})
    alert = make.row(Alert, {
        "alert_type": "X", "severity": "LOW", "message": "x", "dedup_key": "x",
        "occurred_at": NOW, "created_at": NOW, "last_seen_at": NOW,
    })  # fmt: skip
    for n, at in enumerate(times):
        values: dict[str, Any] = {
            "anomaly_id": new_uuid(), "punch_id": ids[n], "person_id": people[n % 5].id,
            "person_name": "x", "site_id": site.id, "occurred_at": at, "anomaly_types": [types[n]],
            "fraud_type": types[n], "model_alone": False, "fraud_score": float(scores[n]),
            "severity": "HIGH", "model_version": "rules", "reasons": [], "evidence": {},
        }  # fmt: skip
        open_tickets(
            [Suspect(**values)], [alert.id], type(config)(changed, {}),
            tenant_id=make.tenant_id, now=at,
        )  # fmt: skip
    opened = session.scalar(select(func.count()).select_from(Ticket))
    assert opened == counted.opened(threshold)
    assert opened is not None
    assert 10 < opened < (scores >= threshold).sum()


def test_every_fraud_type_has_a_number() -> None:
    assert len(set(FRAUD_TYPES)) == 10

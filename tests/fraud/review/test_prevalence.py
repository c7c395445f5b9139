"""The share of fraud among all punches, estimated from those that chance drew."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.database.tenancy import tenant_context
from noc.fraud.intervals import Z90, wilson
from noc.fraud.labels import label_punches
from noc.fraud.review.audits import draw
from noc.fraud.review.models import AuditDay, AuditDraw
from noc.fraud.review.prevalence import prevalence
from noc.identity import tenants
from noc.identity.tenant_settings import override
from noc.rest.problems import Problem
from tests.factories import NOW, Make
from tests.fraud.review.population import DAY, YESTERDAY, punches, shadow


def drawn(make: Make, day: dt.date, reviews: int, seed: str | None = None) -> set[int]:
    """Draw the day's audits; the punches."""
    override("fraud_reviews_per_day", reviews, site_id=None, now=NOW)
    draw(day, tenant_id=make.tenant_id, now=NOW, seed=seed)
    start = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    query = text(
        "SELECT attendance_event_id FROM fraud_audit_draw"
        " WHERE tenant_id = :tenant AND occurred_at >= :start AND occurred_at < :stop"
    )
    named = {"tenant": make.tenant_id, "start": start, "stop": start + DAY}
    return set(make.session.scalars(query, named))


def judge(make: Make, verdicts: dict[int, bool], source: str = "review") -> None:
    label_punches(verdicts, tenant_id=make.tenant_id, source=source, labelled_by=None, now=NOW)


def forget(session: Session) -> None:
    session.execute(delete(AuditDraw))
    session.execute(delete(AuditDay))


def asked(make: Make, **more: Any) -> dict[str, Any]:
    return prevalence(tenant_id=make.tenant_id, now=NOW, **more)


def test_over_many_draws_the_mean_is_the_truth_and_that_of_all_labels_is_not(
    make: Make, session: Session
) -> None:
    """Two days of unlike size and share; each sample is as many, so its weights are not."""
    rng = np.random.default_rng(7)
    quiet, busy = make.site(), make.site()
    days = {YESTERDAY: (200, 0.05), YESTERDAY - DAY: (800, 0.15)}
    truth: dict[int, bool] = {}
    at_quiet: set[int] = set()
    for day, (size, share) in days.items():
        for site, part in ((quiet, 0.3), (busy, 0.7)):
            count = int(size * part)
            scores = rng.random(count)
            # Fraud is likelier where the score is high; twice as common at the busy site.
            chance = share * (1.4 if site is busy else 0.7) * 2 * scores
            fraud = rng.random(count) < chance
            made = punches(make, scores.tolist(), site=site, day=day)
            truth |= dict(zip(made, fraud.tolist(), strict=True))
            at_quiet |= set(made) if site is quiet else set()
    rows = make.session.execute(
        text("SELECT attendance_event_id, occurred_at, fraud_score FROM fraud_prediction_log")
    ).all()
    real = float(np.mean(list(truth.values())))
    real_quiet = float(np.mean([truth[punch] for punch in at_quiet]))
    judge(make, truth)

    overall, quiet_only, inside = [], [], []
    for seed in range(300):
        for day in days:
            drawn(make, day, 800, str(seed))
        told = asked(make)
        overall.append(told["all"]["estimate"])
        quiet_only.append(next(s for s in told["sites"] if s["site_id"] == quiet.id)["estimate"])
        inside.append(told["all"]["low"] <= real <= told["all"]["high"])
        forget(session)

    error = np.std(overall) / math.sqrt(len(overall))
    assert abs(np.mean(overall) - real) < 3 * error
    assert abs(np.mean(quiet_only) - real_quiet) < 3 * np.std(quiet_only) / math.sqrt(300)
    assert 0.85 <= np.mean(inside) <= 0.99
    # Equal weights would tell the mean of the two days' shares, whatever their size.
    shares = [np.mean([truth[r[0]] for r in rows if r[1].date() == day]) for day in days]
    unweighted = np.mean(shares)
    assert abs(unweighted - real) > 5 * error
    # What people looked at because of its score is no sample of all.
    reviewed = [truth[punch] for punch, _, score in rows if score > 0.7]
    assert abs(np.mean(reviewed) - real) > 5 * error


def test_by_hand_two_days_of_unlike_weight(make: Make) -> None:
    """Of 10 punches 2 (weight 5), one fraud; of 2 both (weight 1), none: 5 of 12."""
    site = make.site()
    many = punches(make, [0.1] * 10, site=site)
    few = punches(make, [0.1] * 2, site=site, day=YESTERDAY - DAY)
    two = sorted(drawn(make, YESTERDAY, 40))
    assert drawn(make, YESTERDAY - DAY, 40) == set(few)
    judge(make, {two[0]: True, two[1]: False, few[0]: False, few[1]: False})

    told = asked(make)["all"]

    assert (told["punches"], told["drawn"], told["reviewed"], told["fraud"]) == (12, 4, 4, 1)
    assert told["estimate"] == pytest.approx(5 / 12)
    assert told["coverage"] == 1
    # Kish: (5 + 5 + 1 + 1)^2 / (25 + 25 + 1 + 1) punches' worth.
    low, high = wilson(5 / 12, 144 / 52)
    assert (told["low"], told["high"]) == pytest.approx((low, high))
    assert set(many) > set(two)


def test_while_some_are_open_the_reviewed_stand_for_all_and_coverage_says_so(make: Make) -> None:
    punches(make, [0.1] * 10)
    four = sorted(drawn(make, YESTERDAY, 80))
    judge(make, {four[0]: True, four[1]: False})

    told = asked(make)["all"]

    assert (told["drawn"], told["reviewed"], told["coverage"]) == (4, 2, 0.5)
    assert told["estimate"] == pytest.approx(0.5)


def test_a_label_counts_whoever_gave_it_and_that_of_others_does_not(make: Make) -> None:
    population = punches(make, [0.1] * 10)
    sample = sorted(drawn(make, YESTERDAY, 40))
    judge(make, {sample[0]: True}, source="ticket")
    judge(make, {sample[1]: False}, source="audit")
    judge(make, {punch: True for punch in population if punch not in sample})
    shadow(make, sample[0])

    told = asked(make)["all"]

    assert (told["reviewed"], told["fraud"], told["estimate"]) == (2, 1, 0.5)


def test_of_no_hits_the_upper_end_is_honest(make: Make) -> None:
    punches(make, [0.1] * 100)
    sample = drawn(make, YESTERDAY, 400)
    judge(make, dict.fromkeys(sample, False))

    told = asked(make)["all"]

    assert (told["estimate"], told["low"]) == (0, 0)
    assert told["high"] == pytest.approx(Z90**2 / (20 + Z90**2))


def test_where_nothing_was_reviewed_nothing_is_claimed(make: Make) -> None:
    site = make.site()
    punches(make, [0.1] * 3, site=site)
    told = asked(make)
    nothing = {"coverage": None, "estimate": None, "low": None, "high": None}
    counts = {"punches": 3, "drawn": 0, "reviewed": 0, "fraud": 0}
    assert told["all"] == counts | nothing
    assert told["sites"] == [{"site_id": site.id, "site_name": site.name} | counts | nothing]
    drawn(make, YESTERDAY, 40)
    assert asked(make)["all"]["coverage"] == 0


def test_voided_punches_and_those_before_the_period_do_not_count(
    make: Make, session: Session
) -> None:
    first, second = punches(make, [0.1] * 2)
    old = punches(make, [0.1], day=YESTERDAY - 100 * DAY)
    drawn(make, YESTERDAY - 100 * DAY, 40)
    drawn(make, YESTERDAY, 40)
    judge(make, {first: True, second: False, old[0]: True})
    session.execute(
        update(AttendanceEvent).where(AttendanceEvent.id == first).values(voided_at=NOW)
    )

    told = asked(make)["all"]
    assert (told["punches"], told["drawn"], told["fraud"], told["estimate"]) == (1, 1, 0, 0)
    assert asked(make, days=200)["all"]["fraud"] == 1


def test_a_limited_user_is_told_of_their_sites(make: Make, session: Session) -> None:
    here, there = make.site(), make.site()
    (mine,) = punches(make, [0.1], site=here)
    (theirs,) = punches(make, [0.1], site=there)
    drawn(make, YESTERDAY, 40)
    judge(make, {mine: False, theirs: True})
    other = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, other.id):
        punches(Make(session, other.id), [0.1] * 9)

    assert asked(make)["all"]["estimate"] == 0.5
    for told in (asked(make, site_ids=frozenset({here.id})), asked(make, site_id=here.id)):
        assert (told["all"]["punches"], told["all"]["estimate"]) == (1, 0)
        assert [site["site_id"] for site in told["sites"]] == [here.id]
    with pytest.raises(Problem) as caught:
        asked(make, site_ids=frozenset({here.id}), site_id=there.id)
    assert caught.value.status == 404


def test_it_takes_one_query_however_many_sites(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    for _ in range(20):
        punches(make, [0.1] * 3)
    assert query_count(lambda: asked(make)) == 1

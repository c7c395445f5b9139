"""A site's week beside what is usual there: the same as what the audit judges by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from noc.alerts.models import Alert
from noc.audit import tuning, week
from noc.audit.baselines import ask
from noc.audit.learning import read_samples
from noc.audit.models import METRICS
from tests.audit.conftest import AT, HOUR, Post, on_post
from tests.dashboards import audited
from tests.factories import Make

PHONE = "phone_events_count"


@pytest.fixture
def post(make: Make) -> Post:
    """A guard with two busy hours."""
    post = on_post(make)
    post.busy()
    post.hear(33, kind="task_completed", task="Gate checked")
    return post


@pytest.mark.parametrize("metric", METRICS)
def test_values_are_those_that_the_audit_samples(post: Post, make: Make, metric: str) -> None:
    heard = week.week(post.site.id, metric, AT).heard

    sampled = {
        (one.person_id, hour): one.values[metric]
        for hour in (AT - 3 * HOUR, AT - 2 * HOUR, AT - HOUR)
        for one in read_samples(hour, tenant_id=make.tenant_id)
    }
    assert len(sampled) >= 2
    assert {(one.person_id, one.hour): one.value for one in heard} == pytest.approx(sampled)


def test_each_hour_is_judged_by_the_finest_baseline_with_enough_samples(
    post: Post, make: Make
) -> None:
    site = post.site
    audited.baseline(make, site)
    audited.baseline(make, site, level="hour_of_day", slot=13, mean=7.0, sample_count=30)
    audited.baseline(make, site, level="hour_of_day", slot=14, mean=8.0, sample_count=29)
    fine = audited.baseline(make, site, level="hour_of_week", slot=13, std_dev=1.0)
    found = week.expected_week(site.id, PHONE)

    assert len(found) == 168
    judges = {one.slot: one.baseline for one in found}
    assert judges[13] is not None
    assert judges[13].id == fine.id
    assert judges[37] is not None
    assert judges[37].mean == 7.0
    assert judges[14] is not None
    assert judges[14].level == "all"
    assert (found[13].low, found[13].high) == (17.0, 23.0)
    assert found[14].low == 8.0
    # 08:00 UTC on Monday is 13:30 at the site: the audit asks for hour 13.
    asked = ask(read_samples(AT - HOUR, tenant_id=make.tenant_id), tenant_id=make.tenant_id)
    assert asked[site.id, PHONE].id == fine.id


def test_what_cannot_be_judged_has_no_band(post: Post, make: Make) -> None:
    found = week.expected_week(post.site.id, PHONE)
    assert {one.baseline for one in found} == {None}
    assert {one.high for one in found} == {None}
    audited.baseline(make, post.site, std_dev=0.0)
    assert {one.high for one in week.expected_week(post.site.id, PHONE)} == {None}


def test_what_is_unusual_is_told_and_more_work_than_usual_is_not(post: Post, make: Make) -> None:
    for metric in (PHONE, "tasks_completed_count"):
        audited.baseline(make, post.site, metric_type=metric, mean=0.0, std_dev=0.1)
    assert any(one.unusual for one in week.week(post.site.id, PHONE, AT).heard)
    tasks = week.week(post.site.id, "tasks_completed_count", AT).heard
    assert max(one.z for one in tasks) == 10
    assert not any(one.unusual for one in tasks)


def test_verdicts_and_changes_are_those_of_the_baseline(post: Post, make: Make) -> None:
    row = audited.baseline(make, post.site)
    other = audited.baseline(make, post.site, metric_type="tasks_completed_count")
    admin = make.user("admin", name="Ada")
    for n, resolution in enumerate(("FALSE_POSITIVE", "CONFIRMED", "DUPLICATE")):
        make.row(Alert, {
            "alert_type": "BASELINE_ANOMALY", "severity": "HIGH", "message": "Odd",
            "status": "RESOLVED", "resolution": resolution, "dedup_key": f"odd{n}",
            "site_id": post.site.id, "occurred_at": AT - HOUR, "last_seen_at": AT - HOUR,
            "detail": {"baseline_id": row.id},
        })  # fmt: skip
    tuning.pin(row.id, 2.0, user_id=admin.id, reason="Quiet site", now=AT)

    assert week.judged(tuning.as_baseline(row), AT) == (1, 2)
    assert week.judged(tuning.as_baseline(other), AT) == (0, 0)
    (change,) = week.changes(post.site.id, PHONE)
    assert (change["user_name"], change["new_threshold"], change["reason"]) == (
        "Ada", 2.0, "Quiet site",
    )  # fmt: skip
    assert week.changes(post.site.id, "tasks_completed_count") == []
    learned = week.learned(row.id)
    assert learned is not None
    assert learned["last_threshold_update"] == AT
    assert week.learned(10**9) is None


def test_statements_are_as_many_for_more_guards(
    post: Post, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    def read() -> week.Week:
        return week.week(post.site.id, PHONE, AT)

    before = query_count(read)
    for _ in range(3):
        guard = make.person(post.site)
        make.shift(guard, post.site, AT - 3 * HOUR)
        Post(make, guard, post.site).busy()

    assert query_count(read) == before <= 6
    assert len({one.person_id for one in read().heard}) == 4
    assert read().end - read().start == dt.timedelta(days=7)

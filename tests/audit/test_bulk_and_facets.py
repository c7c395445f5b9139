"""Several findings at once, and the counts of the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert
from noc.audit import bulk, facets
from noc.audit.models import Finding
from noc.audit.schemas import FindingFilters
from noc.database.base import utcnow
from noc.events.models import EventLog
from noc.rest.problems import Problem
from tests.dashboards import audited
from tests.factories import Make

NOW = utcnow()


def some(make: Make, number: int, **values: Any) -> list[Finding]:
    site = make.site()
    return [audited.finding(make, make.person(site), site, **values) for _ in range(number)]


def test_many_are_acknowledged_and_what_is_resolved_is_left(make: Make) -> None:
    first, second, third = some(make, 3)
    third.status, third.resolution = "RESOLVED", "FIXED"
    user = make.user("operator")
    ids = [finding.id for finding in (first, second, third)]

    outcome = bulk.acknowledge_many([*ids, 10**9], user_id=user.id, now=NOW)

    assert outcome.changed == ids[:2]
    assert outcome.states == {first.id: "ACKNOWLEDGED", second.id: "ACKNOWLEDGED"} | {
        third.id: "RESOLVED"
    }
    assert set(outcome.left) == {third.id, 10**9}
    assert first.acknowledged_by == user.id
    again = bulk.acknowledge_many(ids[:2], user_id=None, now=NOW)
    assert again.changed == []
    assert again.left == {}
    assert first.acknowledged_by == user.id


def test_many_are_resolved_and_a_false_positive_takes_its_alert_along(
    make: Make, session: Session
) -> None:
    first, second = some(make, 2)
    alert = process_alert(
        AlertInput(
            alert_type="BASELINE_ANOMALY", severity="HIGH", message="Odd", occurred_at=NOW,
            site_id=first.site_id, person_id=first.person_id,
        ),
        now=NOW,
    )  # fmt: skip
    first.alert_id = alert.id
    session.flush()

    outcome = bulk.resolve_many(
        [first.id, second.id], "FALSE_POSITIVE", note="Drill", user_id=None, now=NOW
    )

    assert outcome.changed == [first.id, second.id]
    assert {first.resolution, second.resolution} == {"FALSE_POSITIVE"}
    session.commit()
    session.expire_all()
    assert session.get_one(Alert, (make.tenant_id, alert.id)).resolution == "FALSE_POSITIVE"
    told = session.scalars(select(EventLog.event_type)).all()
    assert list(told).count("finding_updated") == 2
    other = bulk.resolve_many([first.id], "FIXED", note=None, user_id=None, now=NOW)
    assert "another outcome" in other.left[first.id]


def test_what_is_not_seen_or_known_is_not_changed(make: Make) -> None:
    (finding,) = some(make, 1)
    site = make.site()
    outcome = bulk.resolve_many(
        [finding.id], "FIXED", note=None, user_id=None, now=NOW, site_ids={site.id}
    )
    assert outcome.changed == []
    assert finding.status == "NEW"
    with pytest.raises(Problem):
        bulk.resolve_many([finding.id], "NONSENSE", note=None, user_id=None, now=NOW)
    with pytest.raises(Problem):
        bulk.acknowledge_many(range(1, bulk.MOST + 2), user_id=None, now=NOW)


def test_counts_leave_their_own_filter_out(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    site = make.site()
    guard = make.person(site)
    audited.finding(make, guard, site)
    audited.finding(
        make, guard, site, finding_type="TOUR_LATE", category="COMPLIANCE", severity="LOW"
    )
    wanted = FindingFilters(finding_type=("TOUR_LATE",), open=True)

    counts = facets.finding_facets(wanted)

    assert counts["total"] == 1
    assert counts["finding_type"] == {"DEVICE_SILENT": 1, "TOUR_LATE": 1}
    assert counts["severity"] == {"LOW": 1}
    assert counts["category"] == {"COMPLIANCE": 1}
    assert counts["site"] == {str(site.id): 1}
    assert facets.finding_facets(wanted, site_ids=[])["total"] == 0
    assert query_count(lambda: facets.finding_facets(wanted)) == 1


def test_the_matrix_has_the_worst_severity_and_no_filter_of_type_or_site(make: Make) -> None:
    site = make.site()
    for severity in ("MEDIUM", "HIGH", "LOW"):
        guard = make.person(site)
        audited.finding(make, guard, site, finding_type="TOUR_MISSED", severity=severity)
    (cell,) = facets.finding_matrix(FindingFilters(finding_type=("TOUR_LATE",), site_id=(99,)))

    assert cell == {
        "finding_type": "TOUR_MISSED", "site_id": site.id, "count": 3, "worst": "HIGH",
    }  # fmt: skip
    assert facets.finding_matrix(FindingFilters(), site_ids=[]) == []

"""Baselines: a site's week beside what is usual there, and the changes of its thresholds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from dashboards.queries.reader import zone
from noc.audit import week
from noc.audit.baselines import Baseline
from noc.extensions import session
from noc.identity.principal import required_principal
from noc.workforce.models import Person


def of_week(site_id: int, metric: str, now: dt.datetime) -> week.Week | None:
    """The week of a site; None where the site is not to be seen."""
    return week.week(site_id, metric, now) if _seen(site_id) else None


def expected(site_id: int, metric: str) -> list[week.Expected]:
    """What is usual in each hour of the week; empty where the site is not to be seen."""
    return week.expected_week(site_id, metric) if _seen(site_id) else []


def judged(baseline: Baseline, now: dt.datetime) -> tuple[int, int]:
    """False positives of a baseline's alerts that were judged, and how many were."""
    return week.judged(baseline, now)


def learned(baseline_id: int) -> dict[str, Any]:
    """Since when and until when the baseline has learned."""
    return week.learned(baseline_id) or {}


def changes(site_id: int, metric: str) -> list[dict[str, Any]]:
    """Changes of the thresholds of a site's metric, latest first."""
    return week.changes(site_id, metric) if _seen(site_id) else []


def names(person_ids: Collection[int]) -> dict[int, str]:
    """The names of people by id."""
    rows = session().execute(
        select(Person.id, Person.name).where(
            Person.tenant_id == required_principal().tenant_id, Person.id.in_(person_ids)
        )
    )
    return {row.id: row.name for row in rows}


def _seen(site_id: int) -> bool:
    """Whether the site is one of the reader's company, and of those they see."""
    return required_principal().sees_site(site_id) and zone(site_id) is not None

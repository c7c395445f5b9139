"""Fraud scores as people look at them: the latest, and a person's.

Plain dicts and lists, for REST and dashboards alike. Voided punches do not count. A person
limited to some sites (``site_ids``) sees only what happened there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, Text, and_, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from noc.attendance.models import AttendanceEvent
from noc.domain import RISK_LEVELS
from noc.extensions import session
from noc.fraud.models import AnomalyLog, BehavioralProfile, PredictionLog
from noc.rest.problems import not_found
from noc.workforce.models import Person, Site

MAX_HISTORY = 5_000
"""Scores of a person that one answer holds, latest first."""

Sites = Collection[int] | None


def live(
    min_score: float = 0.5,
    *,
    tenant_id: int,
    now: dt.datetime,
    hours: float = 24,
    limit: int = 100,
    before: tuple[dt.datetime, int] | None = None,
    site_ids: Sites = None,
) -> list[dict[str, Any]]:
    """Punches of the last ``hours`` with a score of at least ``min_score``, latest first.

    ``before`` (time and punch id of a row) continues a list after that row. One query.
    """
    since = now - dt.timedelta(hours=hours)
    query = select_scores(tenant_id, site_ids).where(
        PredictionLog.occurred_at >= since, PredictionLog.fraud_score >= min_score
    )
    if before is not None:
        moment, punch_id = before
        query = query.where(
            (PredictionLog.occurred_at < moment)
            | and_(
                PredictionLog.occurred_at == moment,
                PredictionLog.attendance_event_id < punch_id,
            )
        )
    rows = session().execute(
        query.order_by(
            PredictionLog.occurred_at.desc(), PredictionLog.attendance_event_id.desc()
        ).limit(limit)
    )
    return [plain(row) for row in rows]


def history(
    person_id: int,
    days: int = 30,
    *,
    tenant_id: int,
    now: dt.datetime,
    site_ids: Sites = None,
) -> dict[str, Any]:
    """A person's scores of the last ``days`` with their reasons, latest first, and their habits.

    ``summary`` counts by risk level; ``habits`` is the profile of 90 days, None before the first
    one was made. Problem 404 for no such person of the tenant, or one who works only where the
    asker may not look. Three queries.
    """
    person = session().get(Person, (tenant_id, person_id))
    if person is None:
        raise not_found("person")
    rows = session().execute(
        select_scores(tenant_id, site_ids)
        .where(
            PredictionLog.person_id == person_id,
            PredictionLog.occurred_at >= now - dt.timedelta(days=days),
            PredictionLog.occurred_at <= now,
        )
        .order_by(PredictionLog.occurred_at.desc(), PredictionLog.attendance_event_id.desc())
        .limit(MAX_HISTORY)
    )
    scores = [plain(row) for row in rows]
    if not scores and site_ids is not None and person.home_site_id not in site_ids:
        raise not_found("person")
    return {
        "person_id": person_id,
        "person_name": person.name,
        "person_code": person.code,
        "home_site_id": person.home_site_id,
        "days": days,
        "summary": _summary(scores),
        "habits": _habits(session().get(BehavioralProfile, (tenant_id, person_id))),
        "scores": scores,
    }


def select_scores(tenant_id: int, site_ids: Sites) -> Select[*tuple[Any, ...]]:
    p, a, punch = PredictionLog, AnomalyLog, AttendanceEvent
    return (
        select(
            p.attendance_event_id.label("punch_id"),
            p.id.label("prediction_id"),
            p.person_id,
            Person.name.label("person_name"),
            p.site_id,
            Site.name.label("site_name"),
            Site.timezone,
            punch.kind,
            p.occurred_at,
            p.fraud_score,
            p.risk_level,
            p.model_version,
            p.reasons,
            func.coalesce(a.anomaly_types, literal([], ARRAY(Text))).label("anomaly_types"),
            a.fraud_type,
            a.id.label("anomaly_id"),
            a.alert_id,
            a.ticket_id,
            p.actual_fraud_detected,
            p.label_source,
            p.labelled_at,
        )
        .join(
            punch,
            and_(punch.tenant_id == p.tenant_id, punch.id == p.attendance_event_id),
        )
        .join(Person, and_(Person.tenant_id == p.tenant_id, Person.id == p.person_id))
        .join(Site, and_(Site.tenant_id == p.tenant_id, Site.id == p.site_id))
        .outerjoin(
            a,
            and_(a.tenant_id == p.tenant_id, a.attendance_event_id == p.attendance_event_id),
        )
        .where(
            p.tenant_id == tenant_id,
            ~p.is_shadow,
            punch.voided_at.is_(None),
            true() if site_ids is None else p.site_id.in_(site_ids),
        )
    )


def plain(row: Any) -> dict[str, Any]:
    """A row of :func:`select_scores` as JSON can hold it."""
    values: dict[str, Any] = row._asdict()
    for name in ("occurred_at", "labelled_at"):
        values[name] = values[name].isoformat() if values[name] else None
    for name in ("prediction_id", "anomaly_id"):
        values[name] = str(values[name]) if values[name] else None
    return values


def _summary(scores: list[dict[str, Any]]) -> dict[str, Any]:
    levels = [score["risk_level"] for score in scores]
    values = [score["fraud_score"] for score in scores]
    return {
        "punches": len(scores),
        "mean_score": round(sum(values) / len(values), 4) if values else None,
        "max_score": max(values, default=None),
        "by_risk_level": {level: levels.count(level) for level in RISK_LEVELS},
        "confirmed": sum(score["actual_fraud_detected"] is True for score in scores),
        "reviewed": sum(score["actual_fraud_detected"] is not None for score in scores),
    }


def _habits(profile: BehavioralProfile | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    return {
        "as_of": profile.as_of.isoformat(),
        "days": profile.days,
        "punches": profile.punches,
        "hour_histogram": profile.hour_histogram,
        "weekday_histogram": profile.weekday_histogram,
        "sites": profile.sites,
        "devices": profile.devices,
        "metrics": profile.metrics,
    }

"""Fraud models: who scores, the versions, the training under way, and how they are watched."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select

from noc.extensions import session
from noc.fraud.answers import kept
from noc.fraud.performance import performance
from noc.fraud.predictor import RULES
from noc.fraud.registry import queries as registry
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.registry.schemas import ModelQuery
from noc.fraud.retraining import runs
from noc.fraud.review.prevalence import prevalence as estimated
from noc.fraud.watching.whatif import what_if as asked_otherwise
from noc.identity.principal import Principal, required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.runs.models import OPEN_STATES
from noc.runs.queries import list_runs
from noc.runs.schemas import RunQuery

LISTED = 100
"""Versions in the list: two years of weekly ones."""


def standing(now: dt.datetime) -> dict[str, Any]:
    """Who scores, labels so far and needed, and when the next training is due.

    ``active`` is None where no model is active; ``switched_on`` says whether models may score at
    all, ``broken`` that the active one cannot be loaded; ``due`` is when the newest version is a
    week old, None where training is due each night.
    """
    tenant_id = required_principal().tenant_id
    config = tenant_settings()
    found = performance(tenant_id=tenant_id, now=now, config=config, days=runs.DEFAULT_DAYS)
    newest = found["models"][0]["created_at"] if found["models"] else None
    waits = newest is not None and not runs.due(tenant_id=tenant_id, now=now)
    return {
        "active": found["active_model"],
        "versions": len(found["models"]),
        "any_was_active": any(model["activated_at"] for model in found["models"]),
        "switched_on": config.predictive_fraud_enabled,
        "broken": config.predictive_fraud_enabled and found["speaking"] == RULES.version,
        "labels": found["labels"],
        "days": found["days"],
        "due": dt.datetime.fromisoformat(newest) + runs.WEEK if newest and waits else None,
    }


def versions() -> list[dict[str, Any]]:
    """The newest LISTED versions, newest first; ``ap`` has the interval. Two queries."""
    tenant_id = required_principal().tenant_id
    items, _ = registry.list_models(
        ModelQuery.model_validate({}), tenant_id=tenant_id, limit=LISTED
    )
    rows = session().execute(
        select(FraudModel.id, FraudModel.report["served"]["test"]["ap"]).where(
            FraudModel.tenant_id == tenant_id, FraudModel.id.in_([item["id"] for item in items])
        )
    )
    intervals = {row[0]: row[1] for row in rows}
    return [item | {"ap": intervals.get(item["id"])} for item in items]


def version(name: str | None) -> dict[str, Any] | None:
    """The version of this name with its report; without a name the active one, else the newest.

    None where there is no such version.
    """
    m = FraudModel
    query = select(m.id).where(m.tenant_id == required_principal().tenant_id)
    if name is not None:
        query = query.where(m.version == name)
    found = session().scalar(query.order_by(m.is_active.desc(), m.created_at.desc()).limit(1))
    return version_by_id(found) if found is not None else None


def version_by_id(model_id: uuid.UUID) -> dict[str, Any] | None:
    """One version with its report, or None."""
    return registry.find_model(model_id, tenant_id=required_principal().tenant_id)


def ancestor_can_score(model: dict[str, Any]) -> bool:
    """Whether the version that was active before this one can score again."""
    m = FraudModel
    return model["ancestor"] is not None and bool(
        session().scalar(
            select(m.artefact.is_not(None)).where(
                m.tenant_id == required_principal().tenant_id, m.version == model["ancestor"]
            )
        )
    )


def trainings() -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The training that is open, and the last one that is over. One query."""
    items, _ = list_runs(
        RunQuery.model_validate({"name": runs.NAME}),
        tenant_id=required_principal().tenant_id,
        limit=3,
        after=None,
    )
    is_open = [item["state"] in OPEN_STATES for item in items]
    return (
        next((item for item, still in zip(items, is_open, strict=True) if still), None),
        next((item for item, still in zip(items, is_open, strict=True) if not still), None),
    )


def latest_watch() -> dict[str, Any] | None:
    """The latest weekly look at whoever scored, or None before the first one."""
    m = ModelMetrics
    row = (
        session()
        .execute(
            select(m.model_version, m.model_id, m.window_start, m.window_end, m.detail)
            .where(
                m.tenant_id == required_principal().tenant_id,
                m.kind == "live",
                # The judgement of a shadow is of this kind too, and compares no distributions.
                m.detail.has_key("features"),
            )
            .order_by(m.window_end.desc(), m.evaluated_at.desc())
            .limit(1)
        )
        .one_or_none()
    )
    return None if row is None else row._asdict()


def prevalence(now: dt.datetime, days: int) -> dict[str, Any]:
    """How much fraud there is among all punches, told from random audits."""
    principal = required_principal()
    found: dict[str, Any] = estimated(
        tenant_id=principal.tenant_id, now=now, days=days, site_ids=principal.site_ids
    )["all"]
    return found


def what_if(threshold: float | None, budget: float | None, days: int) -> dict[str, Any]:
    """What another threshold, or a budget of tickets a day, would have meant; kept as in REST.

    Without either: the threshold in force.
    """
    if threshold is None and budget is None:
        threshold = tenant_settings().fraud_score_ticket_threshold

    def compute(principal: Principal, now: dt.datetime) -> dict[str, Any]:
        return asked_otherwise(
            tenant_id=principal.tenant_id,
            now=now,
            threshold=threshold,
            budget=budget,
            days=days,
            site_ids=principal.site_ids,
        )

    found: dict[str, Any] = kept("what-if-page", f"{threshold}|{budget}|{days}", compute)[0]
    return found

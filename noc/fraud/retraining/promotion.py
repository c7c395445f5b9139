"""Shadows are judged on what became of the punches they watched."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from noc.extensions import session
from noc.fraud.columns import Kind, read_columns
from noc.fraud.freshness import scores_changed
from noc.fraud.predictor import RULES
from noc.fraud.registry import activation, changes, versions
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining.dataset import RULE_SCORE
from noc.fraud.retraining.gate import Gate, judge
from noc.fraud.retraining.measuring import (
    ENOUGH_POSITIVES,
    Figures,
    as_columns,
    compared,
    figures,
)
from noc.identity.tenant_settings import tenant_settings

WATCHED = dt.timedelta(days=14)
"""A shadow watches live punches for two weeks at least."""

AGAIN = dt.timedelta(days=7)
"""It is judged once a week from then on: who looks every night finds a lucky one."""

PATIENCE = dt.timedelta(days=56)
"""One that has not convinced by then retires."""

SLACK = dt.timedelta(hours=12)
"""The job runs nightly: what is due tonight may be minutes short of its days."""

# Only constants of this module are put into the text. A punch that both call suspicious is nearly
# always reviewed, one that both call harmless only where it was drawn; so the reviewed ones stand
# for all that got the same two risk levels (post-stratification, Holt and Smith 1979).
_WATCHED = f"""
    WITH watched AS (
        SELECT l.actual_fraud_detected AS fraud, l.person_id, s.fraud_score AS shadow,
            l.fraud_score AS served, {RULE_SCORE} AS rules, l.model_version AS version,
            l.labelled_at, width_bucket(s.fraud_score, 0, 1, 5) AS of_shadow,
            width_bucket(l.fraud_score, 0, 1, 5) AS of_served
        FROM fraud_prediction_log s
        JOIN fraud_prediction_log l ON l.tenant_id = s.tenant_id
            AND l.attendance_event_id = s.attendance_event_id AND NOT l.is_shadow
        JOIN attendance_event e
            ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
        WHERE s.tenant_id = :tenant AND s.is_shadow AND s.model_version = :version
    ), counted AS (
        SELECT *, fraud IS NOT NULL AND labelled_at <= :now AS known FROM watched
        WHERE version = :speaking
    ), cells AS (
        SELECT of_shadow, of_served, count(*)::float8 / count(*) FILTER (WHERE known) AS stand_for
        FROM counted GROUP BY of_shadow, of_served HAVING bool_or(known)
    )
    SELECT c.fraud, c.person_id, c.shadow, c.served, c.rules, cells.stand_for
    FROM counted c JOIN cells USING (of_shadow, of_served) WHERE c.known
"""  # noqa: S608
_COLUMNS: dict[str, Kind] = {
    "fraud": "flag",
    "person": "int",
    "shadow": "float",
    "served": "float",
    "rules": "float",
    "stands_for": "float",
}


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is to become of a shadow, found without holding a lock."""

    model_id: uuid.UUID
    note: str
    measured: Figures | None = None
    gate: Gate | None = None
    samples: int = 0
    positives: int = 0


def judge_shadows(*, tenant_id: int, now: dt.datetime) -> str | None:
    """Activate the newest shadow that has proved itself; its version, or None.

    Each that has watched for two weeks is judged by the gate, once a week, on the verdicts that
    came in since, beside the model that scores; why it stays a shadow is kept with it. One that
    has not convinced in eight weeks retires, and so do those older than one that has. Nothing is
    locked while figures are computed. The caller commits.
    """
    mature = session().execute(
        select(FraudModel.id, FraudModel.version, FraudModel.gate)
        .where(
            FraudModel.tenant_id == tenant_id,
            FraudModel.status == "shadow",
            FraudModel.created_at <= now - WATCHED + SLACK,
        )
        .order_by(FraudModel.created_at.desc())
    )
    speaking = _speaking(tenant_id)
    verdicts = []
    for model_id, version, gate in mature.all():
        if now - _judged_at(gate) >= AGAIN - SLACK:
            verdicts.append(_judge(model_id, version, speaking, tenant_id, now))
    changes.lock(tenant_id)
    promoted = None
    for verdict in verdicts:
        model = session().get_one(FraudModel, (tenant_id, verdict.model_id), populate_existing=True)
        # A person may have had other ideas while the figures were computed.
        if model.status != "shadow" or _speaking(tenant_id) != (promoted or speaking):
            continue
        if promoted is not None:
            versions.retire(model, now=now, note=f"{promoted}, made later, proved itself.")
        elif _apply(model, verdict, now):
            promoted = model.version
    session().flush()
    scores_changed(session(), tenant_id)
    return promoted


def _apply(shadow: FraudModel, verdict: _Verdict, now: dt.datetime) -> bool:
    """Keep what was found, and do what follows; whether it scores now."""
    shadow.note = verdict.note
    if verdict.gate is not None and verdict.measured is not None:
        _keep(shadow, verdict, now)
        judged = {"on": "live punches", "judged_at": now.isoformat()}
        shadow.gate = verdict.gate.as_dict() | judged
        if verdict.gate.may_score:
            note = "Proved itself as a shadow."
            activation.activate(shadow.id, tenant_id=shadow.tenant_id, now=now, note=note)
            return True
    if shadow.created_at <= now - PATIENCE + SLACK:
        versions.retire(shadow, now=now, note=f"Watched for eight weeks. {verdict.note}")
    return False


def _judge(
    model_id: uuid.UUID, version: str, speaking: str, tenant_id: int, now: dt.datetime
) -> _Verdict:
    params = {"tenant": tenant_id, "version": version, "speaking": speaking, "now": now}
    watched = read_columns(_WATCHED, params, _COLUMNS)
    labels = watched["fraud"].astype(np.float64)
    samples, positives = len(labels), int(labels.sum())
    if positives < ENOUGH_POSITIVES:
        return _Verdict(
            model_id,
            f"Watched {samples} reviewed punches beside {_named(speaking)}, {positives} of them "
            f"fraud; judged from {ENOUGH_POSITIVES} frauds on.",
        )
    shadow = session().get_one(FraudModel, (tenant_id, model_id))
    config = tenant_settings()
    said = {"together": watched["shadow"], "rules": watched["rules"]}
    by_model = speaking != RULES.version
    if by_model:
        said["champion"] = watched["served"]
    measured, differences = figures(
        labels,
        said,
        float(shadow.thresholds["operating"]),
        groups=watched["person"],
        counts=watched["stands_for"],
    )
    gate = judge(
        labels=shadow.train_samples,
        positives=positives,
        test=measured["together"],
        against_rules=differences.get("rules"),
        against_champion=compared(positives, measured, differences) if by_model else None,
        needed_labels=config.ml_model_min_training_samples,
        needed=config.ml_model_validation_thresholds,
    )
    return _Verdict(model_id, gate.sentence, measured, gate, samples, positives)


def _named(speaking: str) -> str:
    return "the rules" if speaking == RULES.version else speaking


def _judged_at(gate: Mapping[str, Any]) -> dt.datetime:
    judged: str | None = gate.get("judged_at")
    return dt.datetime.fromisoformat(judged) if judged else dt.datetime.min.replace(tzinfo=dt.UTC)


def _speaking(tenant_id: int) -> str:
    active = select(FraudModel.version).where(
        FraudModel.tenant_id == tenant_id, FraudModel.is_active
    )
    return session().scalar(active) or RULES.version


def _keep(shadow: FraudModel, verdict: _Verdict, now: dt.datetime) -> None:
    assert verdict.measured is not None
    test = verdict.measured["together"]
    versions.add_metrics(
        shadow,
        "live",
        window=(shadow.created_at, now),
        samples=verdict.samples,
        positives=verdict.positives,
        threshold=float(shadow.thresholds["operating"]),
        figures=as_columns(test),
        detail={"test": test, "as": "shadow"},
        now=now,
    )

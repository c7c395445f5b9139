"""Shadows are judged on what became of the punches they watched."""

from __future__ import annotations

import datetime as dt

import numpy as np
import structlog
from sqlalchemy import select

from noc.extensions import session
from noc.fraud.columns import Columns, Kind, read_columns
from noc.fraud.freshness import scores_changed
from noc.fraud.registry import versions
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining.dataset import RULE_SCORE
from noc.fraud.retraining.gate import Gate, judge
from noc.fraud.retraining.measuring import Figures, as_columns, figures
from noc.identity.tenant_settings import tenant_settings

log = structlog.get_logger(__name__)

WATCHED = dt.timedelta(days=14)
"""A shadow watches live punches for two weeks at least."""

PATIENCE = dt.timedelta(days=56)
"""One that has not convinced by then retires."""

ENOUGH_POSITIVES = 30
"""Frauds among the watched punches, confirmed, from which anything can be said of it."""

# Only constants of this module are put into the text.
_WATCHED = f"""
    SELECT l.actual_fraud_detected, s.fraud_score, l.fraud_score, {RULE_SCORE},
        l.model_type <> 'rules'
    FROM fraud_prediction_log s
    JOIN fraud_prediction_log l ON l.tenant_id = s.tenant_id
        AND l.attendance_event_id = s.attendance_event_id AND NOT l.is_shadow
    JOIN attendance_event e
        ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
    WHERE s.tenant_id = :tenant AND s.is_shadow AND s.model_version = :version
      AND l.actual_fraud_detected IS NOT NULL AND l.labelled_at <= :now
"""  # noqa: S608
_COLUMNS: dict[str, Kind] = {
    "fraud": "flag",
    "shadow": "float",
    "served": "float",
    "rules": "float",
    "by_model": "flag",
}


def judge_shadows(*, tenant_id: int, now: dt.datetime) -> str | None:
    """Activate the newest shadow that has proved itself; its version, or None.

    Each that has watched for two weeks is judged by the gate on the verdicts that came in since;
    why it stays a shadow is kept with it. One that has not convinced in eight weeks retires. The
    caller commits.
    """
    shadows = session().scalars(
        select(FraudModel)
        .where(
            FraudModel.tenant_id == tenant_id,
            FraudModel.status == "shadow",
            FraudModel.created_at <= now - WATCHED,
        )
        .order_by(FraudModel.created_at.desc())
    )
    for shadow in shadows.all():
        watched = read_columns(
            _WATCHED, {"tenant": tenant_id, "version": shadow.version, "now": now}, _COLUMNS
        )
        positives = int(watched["fraud"].sum())
        if positives < ENOUGH_POSITIVES:
            shadow.note = (
                f"Watched {len(watched['fraud'])} punches that were reviewed, {positives} of them "
                f"fraud; judged from {ENOUGH_POSITIVES} frauds on."
            )
        else:
            gate, measured = _judge(shadow, watched, positives)
            _keep(shadow, measured, watched, positives, now)
            shadow.gate = gate.as_dict() | {"on": "live punches", "judged_at": now.isoformat()}
            shadow.note = gate.sentence
            if gate.may_score:
                versions.activate(
                    shadow.id, tenant_id=tenant_id, now=now, note="Proved itself as a shadow."
                )
                return shadow.version
        if shadow.created_at <= now - PATIENCE:
            versions.retire(shadow, now=now, note=f"Watched for eight weeks. {shadow.note}")
    session().flush()
    scores_changed(session(), tenant_id)
    return None


def _judge(shadow: FraudModel, watched: Columns, positives: int) -> tuple[Gate, Figures]:
    config = tenant_settings()
    said = {"together": watched["shadow"], "rules": watched["rules"]}
    by_model = bool(watched["by_model"].mean() > 0.5)
    if by_model:
        said["champion"] = watched["served"]
    labels = watched["fraud"].astype(np.float64)
    measured, differences = figures(labels, said, float(shadow.thresholds["operating"]))
    gate = judge(
        labels=shadow.train_samples,
        positives=positives,
        test=measured["together"],
        against_rules=differences.get("rules"),
        against_champion=differences.get("champion"),
        brier_of_champion=measured["champion"]["brier"]["value"] if by_model else None,
        needed_labels=config.ml_model_min_training_samples,
        needed=config.ml_model_validation_thresholds,
    )
    return gate, measured


def _keep(
    shadow: FraudModel, measured: Figures, watched: Columns, positives: int, now: dt.datetime
) -> None:
    test = measured["together"]
    versions.add_metrics(
        shadow,
        "live",
        window=(shadow.created_at, now),
        samples=len(watched["fraud"]),
        positives=positives,
        threshold=float(shadow.thresholds["operating"]),
        figures=as_columns(test),
        detail={"test": test, "as": "shadow"},
        now=now,
    )

"""Versions with a report, a gate and a week's watch, without training."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from sqlalchemy import select

from noc.database.base import new_uuid
from noc.fraud.combination import Combination
from noc.fraud.features import FEATURES
from noc.fraud.models import PredictionLog
from noc.fraud.registry.artefact import Artefact, digest, pack
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.review.models import AuditDraw
from noc.fraud.training.calibration import Calibration
from noc.fraud.training.linear import Linear
from noc.fraud.training.model import Scorer, TrainedModel
from tests.factories import Make

START = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def _artefact() -> bytes:
    """A regression that knows nothing, but can be loaded."""
    nothing, ones = np.zeros(len(FEATURES)), np.ones(len(FEATURES))
    linear = Linear(False, nothing, ones, nothing, nothing, nothing, -3.0)
    scorer = Scorer(None, linear, 0.0)
    calibration = Calibration(1.0, 0.0, 20, "Platt")
    trained = TrainedModel(tuple(FEATURES), "logistic", {}, scorer, calibration)
    return pack(Artefact(trained, Combination(), 0.5))


ARTEFACT = _artefact()


def figure(value: float | None, reach: float = 0.1) -> dict[str, float | None]:
    """A measured figure with its interval."""
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {"value": value, "low": max(0.0, value - reach), "high": min(1.0, value + reach)}


def report(*, ap: float = 0.87, rules: float = 0.7, curve: bool = True) -> dict[str, Any]:
    """As the trainer and the pipeline leave it, in small."""
    test = {name: figure(0.8) for name in ("precision", "recall", "f1", "brier")}
    window = {"start": START.isoformat(), "end": (START + 9 * DAY).isoformat()}
    return {
        "rows": 2400,
        "positives": 144,
        "span": [(START - 30 * DAY).isoformat(), (START + 9 * DAY).isoformat()],
        "windows": {"test": window | {"rows": 189, "positives": 32 if curve else 0}},
        "test": test | {"ap": figure(ap)},
        "served": {
            "rows": 189,
            "positives": 32 if curve else 0,
            "measured_at": 0.41,
            "test": test | {"ap": figure(ap)},
            "alone": {"model": {"ap": figure(ap - 0.05)}, "rules": {"ap": figure(rules)}},
            "differences": {"rules": {"value": ap - rules, "low": 0.05, "high": 0.3}},
        },
        "pr_curve": pr_curve() if curve else [],
        "calibration_curve": groups() if curve else [],
        "importance": {name: 0.1 * (n + 1) for n, name in enumerate(FEATURES)},
        "warnings": [],
    }


def pr_curve() -> list[dict[str, Any]]:
    """Three points, two with a band."""
    return [
        {"recall": 0.1, "precision": 1.0, "threshold": 0.95, "low": 0.8, "high": 1.0},
        {"recall": 0.8, "precision": 0.74, "threshold": 0.6, "low": 0.6, "high": 0.9},
        {"recall": 1.0, "precision": 0.2, "threshold": 0.1, "low": None, "high": None},
    ]


def groups() -> list[dict[str, Any]]:
    """Two groups: one as it said, one that was fraud far more often."""
    return [
        {"predicted": 0.02, "observed": 0.0, "count": 150, "low": 0.0, "high": 0.03},
        {"predicted": 0.4, "observed": 0.9, "count": 39, "low": 0.7, "high": 0.97},
    ]


def gate(*, passed: bool) -> dict[str, Any]:
    """A verdict: what was demanded, and how it went."""
    checks = [
        {"name": "labels", "met": True, "blocks": "scoring", "sentence": "It learned from 941."},
        {
            "name": "recall",
            "met": passed,
            "blocks": "scoring",
            "sentence": "Recall is 0.62 (90 % between 0.47 and 0.75); 0.75 is needed.",
        },
    ]
    sentence = "Passed the gate." if passed else "Did not pass the gate, and only watches."
    return {"may_watch": True, "may_score": passed, "sentence": sentence, "checks": checks}


def version(
    make: Make,
    name: str,
    *,
    status: str = "shadow",
    passed: bool = False,
    kept: bool = True,
    at: dt.datetime | None = None,
    **values: Any,
) -> FraudModel:
    """A version of the registry; made now unless told otherwise."""
    at = at or dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    return make.row(
        FraudModel,
        {
            "id": new_uuid(),
            "version": name,
            "model_type": "blend",
            "status": status,
            "is_active": status == "active",
            "activated_at": at if status == "active" else None,
            "artefact": ARTEFACT if kept else None,
            "artefact_sha256": digest(ARTEFACT),
            "features": list(FEATURES),
            "thresholds": {"operating": 0.5},
            "calibration": {},
            "train_samples": 941,
            "positives": 144,
            "window_start": START - 30 * DAY,
            "window_end": START + 9 * DAY,
            "pr_auc": 0.87,
            "created_at": at,
            "gate": gate(passed=passed),
            "note": f"Note of {name}.",
            "report": report(),
        }
        | values,
    )


def watched() -> dict[str, dict[str, Any]]:
    """What a watch found of three features."""
    return {
        "gps_accuracy": moved(0.02, "steady"),
        "battery_level": moved(0.2, "watch"),
        "historical_fraud_rate": moved(1.5, "alarm", missing=0.06, before=0.43),
    }


def moved(
    psi: float | None, level: str, *, missing: float = 0.01, before: float = 0.02
) -> dict[str, Any]:
    """One feature of a watch."""
    if psi is None:
        return {"psi": None, "level": level}
    return {
        "psi": psi, "level": level, "direction": "lower", "missing": missing,
        "missing_reference": before, "shares": [0.5, 0.5],
    }  # fmt: skip


def watch(make: Make, name: str, at: dt.datetime = START, **values: Any) -> ModelMetrics:
    """A weekly look at version ``name``, which ends at ``at``."""
    detail = {
        "level": "alarm",
        "sentence": "Punches no longer look as they did when it learned.",
        "punches": 4227,
        "features": watched(),
        "score": {"psi": 0.01, "level": "steady", "punches": 4227},
        "alert_rate": {"threshold": 0.8, "now": 0.005, "reference": 0.007},
        "anomalies_per_day": {"now": 16.0, "reference": 14.3},
        "calibration": {
            "days": 90, "drawn": 64, "reviewed": 64, "frauds": 1, "predicted": 0.012,
            "observed": figure(0.013, 0.01), "agrees": True,
        },
        "reviewed": {"verdicts": 105, "frauds": 21, "figures": {}},
        "reference": {
            "from": (at - 40 * DAY).isoformat(), "to": (at - 10 * DAY).isoformat(),
            "punches": 17827,
        },
    }  # fmt: skip
    return make.row(
        ModelMetrics,
        {
            "id": new_uuid(),
            "model_version": name,
            "kind": "live",
            "window_start": at - 7 * DAY,
            "window_end": at,
            "samples": 4227,
            "positives": 21,
            "threshold": 0.5,
            "psi": 1.5,
            "detail": detail,
        }
        | values,
    )


def drawn(make: Make, chance: float = 0.5) -> None:
    """Chance drew every punch that was scored."""
    for row in make.session.scalars(select(PredictionLog)).all():
        make.row(
            AuditDraw,
            {
                "attendance_event_id": row.attendance_event_id,
                "site_id": row.site_id,
                "occurred_at": row.occurred_at,
                "inclusion_probability": chance,
            },
        )

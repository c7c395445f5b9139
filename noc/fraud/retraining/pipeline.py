"""One training from the stored verdicts to a version in the registry, or a reason why not."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select

from noc.extensions import session
from noc.fraud.features import FEATURES
from noc.fraud.registry import activation, serving, versions
from noc.fraud.registry.artefact import Artefact, digest, pack
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.versions import Candidate
from noc.fraud.retraining import dataset as datasets
from noc.fraud.retraining.dataset import Dataset
from noc.fraud.retraining.gate import SHADOW_LABELS, Gate, judge
from noc.fraud.retraining.measuring import Champion, Measured, as_columns, measure
from noc.identity.tenant_settings import tenant_settings

if TYPE_CHECKING:
    from noc.fraud.training.model import TrainedModel

log = structlog.get_logger(__name__)

MONOTONE = {
    "biometric_quality_score": -1,
    "geofence_distance_meters": 1,
    "velocity_kmh": 1,
    "time_of_day_anomaly_score": 1,
    "day_of_week_pattern_score": -1,
    "tour_completion_rate": -1,
    "consecutive_violations": 1,
}
"""Signs that are tried, and kept where they cost nothing. Free stay the accuracy (who fakes a
position looks too perfect), the radio, the battery, the fixes and the past rate: a "+" on a rate
of the past cut average precision from .637 to .507 on the Fraud Detection Handbook's data.
"""

Progress = Callable[[str, float], None]
"""Told the stage and the share, 0 to 1, that is done; whatever it raises ends the training."""


class NotTrained(Exception):
    """There is no new model; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The new version, the gate's verdict, and whether it scores already.

    Not ``new`` where the verdicts made a version that is there once more, to the last byte.
    """

    model_id: uuid.UUID
    version: str
    gate: Gate
    activated: bool
    labels: int
    ahead: int
    new: bool = True

    @property
    def sentence(self) -> str:
        """What came of it."""
        if not self.new:
            return f"Nothing new to learn: the same verdicts made {self.version} again."
        role = (
            "scores from now on"
            if self.activated
            else ("watches" if self.gate.may_watch else "is kept for comparison only")
        )
        note = f" {self.ahead} verdicts from the future were left out." if self.ahead else ""
        return f"{self.version} {role}. {self.gate.sentence}{note}"


def train(
    *,
    tenant_id: int,
    now: dt.datetime,
    days: int = 180,
    test_size: float = 0.2,
    progress: Progress | None = None,
    seed: int = 0,
) -> Trained:
    """Train, measure, judge and register a model. :class:`NotTrained` says why there is none.

    The old model stays whatever happens. No transaction is open while the model is fitted; the
    version is written in one at the end, which the caller commits.
    """
    report = progress or _silent
    report("reading the verdicts", 0.0)
    data = datasets.read(tenant_id=tenant_id, now=now, days=days)
    champion = _champion(tenant_id)
    session().rollback()
    _enough(data)
    trained = _fit(data, test_size, seed, lambda stage, share: report(stage, 0.05 + 0.85 * share))
    report("measuring with the rules", 0.92)
    config = tenant_settings()
    session().rollback()
    measured = measure(
        data,
        trained,
        precision=config.ml_model_validation_thresholds.precision,
        champion=champion,
        seed=seed,
    )
    gate = judge(
        labels=len(data),
        positives=measured.positives,
        test=measured.test,
        against_rules=measured.differences.get("rules"),
        against_champion=measured.comparison,
        needed_labels=config.ml_model_min_training_samples,
        needed=config.ml_model_validation_thresholds,
    )
    report("keeping it", 0.98)
    artefact = pack(Artefact(trained, measured.combination, measured.threshold))
    same = _same(artefact, tenant_id)
    if same is not None:
        return Trained(
            same.id, same.version, gate, same.is_active, len(data), data.ahead, new=False
        )
    model = _register(data, trained, artefact, measured, gate, tenant_id=tenant_id, now=now)
    # The first model that passes scores at once. A challenger watches beside the champion first,
    # and where a person took the model back, its successor does not come by itself either.
    activated = gate.may_score and not _ever_active(tenant_id)
    if activated:
        activation.activate(model.id, tenant_id=tenant_id, now=now, note=gate.sentence)
    log.info(
        "model_trained",
        tenant_id=tenant_id,
        version=model.version,
        status=model.status,
        labels=len(data),
        gate=gate.sentence,
    )
    return Trained(model.id, model.version, gate, activated, len(data), data.ahead)


def _silent(_: str, __: float) -> None:
    return None


def _enough(data: Dataset) -> None:
    ahead = f" ({data.ahead} more lie in the future and do not count.)" if data.ahead else ""
    if len(data) < SHADOW_LABELS:
        raise NotTrained(
            f"{len(data)} punches have a verdict; a model needs {SHADOW_LABELS} of them. "
            f"Resolve fraud tickets, or review punches.{ahead}"
        )


def _fit(data: Dataset, test_size: float, seed: int, progress: Progress) -> TrainedModel:
    # XGBoost and pandas take seconds to import, and only training needs them.
    import pandas as pd

    from noc.fraud.training import TrainingRefused, fit

    try:
        return fit(
            data.frame(),
            pd.Series(data.labels),
            data.times(),
            rules=pd.Series(data.rule_scores),
            monotone=MONOTONE,
            delay=data.label_delay(),
            test_size=test_size,
            seed=seed,
            progress=progress,
        )
    except TrainingRefused as error:
        raise NotTrained(str(error)) from error


def _register(
    data: Dataset,
    trained: TrainedModel,
    artefact: bytes,
    measured: Measured,
    gate: Gate,
    *,
    tenant_id: int,
    now: dt.datetime,
) -> FraudModel:
    served = {"served": measured.as_dict()}
    model = versions.register(
        Candidate(
            model_type=trained.model_type,
            artefact=artefact,
            features=FEATURES,
            thresholds={"operating": measured.threshold},
            calibration=dict(trained.report["calibration"])
            | {"combination": measured.combination.as_dict()},
            train_samples=len(data),
            positives=data.positives,
            window=(_moment(data.columns["time"][0]), _moment(data.columns["time"][-1])),
            pr_auc=measured.test["ap"]["value"],
            precision_at_80_recall=measured.test.get("precision_at_80_recall", {}).get("value"),
            gate=gate.as_dict(),
            report=trained.report | served,
        ),
        may_watch=gate.may_watch,
        tenant_id=tenant_id,
        now=now,
    )
    if measured.window is not None:
        versions.add_metrics(
            model,
            "holdout",
            window=(_moment(measured.window[0]), _moment(measured.window[1])),
            samples=measured.rows,
            positives=measured.positives,
            threshold=measured.measured_at,
            figures=as_columns(measured.test),
            detail=served,
            now=now,
        )
    return model


def _same(artefact: bytes, tenant_id: int) -> FraudModel | None:
    """A version of these very bytes that scores or watches, the newest otherwise."""
    newest = select(FraudModel).where(FraudModel.tenant_id == tenant_id)
    models = session().scalars(newest.order_by(FraudModel.created_at.desc())).all()
    sha256 = digest(artefact)
    for model in models:
        in_use = model.status in ("active", "shadow") or model is models[0]
        if in_use and model.artefact_sha256 == sha256:
            return model
    return None


def _champion(tenant_id: int) -> Champion | None:
    row = (
        session()
        .execute(
            select(FraudModel.version, FraudModel.created_at).where(
                FraudModel.tenant_id == tenant_id, FraudModel.is_active
            )
        )
        .one_or_none()
    )
    if row is None:
        return None
    active = serving.speakers(tenant_id).active
    return Champion(row.version, row.created_at, active.artefact if active else None)


def _ever_active(tenant_id: int) -> bool:
    found = select(FraudModel.id).where(
        FraudModel.tenant_id == tenant_id, FraudModel.activated_at.is_not(None)
    )
    return session().scalar(found.limit(1)) is not None


def _moment(microseconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=int(microseconds))

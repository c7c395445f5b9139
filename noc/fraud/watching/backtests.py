"""A model, or the rules, over punches of the past: what it would have said, against verdicts."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from noc.database import locks
from noc.database.base import new_uuid
from noc.extensions import session
from noc.fraud.columns import BoolArray, FloatArray
from noc.fraud.freshness import scores_changed
from noc.fraud.judging import MODEL_SPEAKS
from noc.fraud.predictor import RULES
from noc.fraud.registry import serving
from noc.fraud.registry.artefact import BrokenArtefact, Registered
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.thresholds import Thresholds, read_thresholds
from noc.fraud.watching import served
from noc.fraud.watching.measured import figures
from noc.fraud.watching.served import FRAUD_TYPES, NO_ANOMALY, Served, moment
from noc.fraud.watching.shares import binned, deciles, psi, with_common
from noc.fraud.watching.tickets import hours_at, suspects

HIGH = 0.6
"""From this score on a punch is an anomaly even where no rule stands: risk HIGH."""

_MODEL_SPEAKS = FRAUD_TYPES.index(MODEL_SPEAKS) + 1
"""The code of that fraud type as the database counts it."""


_COLUMNS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f1",
    "pr_auc": "ap",
    "brier": "brier",
}
"""The table's name for each figure."""


class NoSuchVersion(Exception):
    """The registry of the tenant has no such version."""


class NotKept(Exception):
    """The artefact of the version is gone, or cannot be read; the message says which."""


class NothingServed(Exception):
    """Nothing was scored in the period."""


class AnotherRuns(Exception):
    """The tenant has a backtest under way."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """Who is tested; the rules have no model. ``window`` is what the model learned from."""

    version: str
    registered: Registered | None = None
    window: tuple[dt.datetime, dt.datetime] | None = None


def run(
    *,
    tenant_id: int,
    now: dt.datetime,
    version: str | None = None,
    model_id: uuid.UUID | None = None,
    threshold: float | None = None,
    days: int = 30,
    most: int = served.MOST,
) -> ModelMetrics:
    """Apply a version to the stored vectors of the last ``days``; the evaluation, kept.

    By ``version`` or ``model_id``, neither (or ``rules``): the rules. ``threshold`` is the score
    from which it says fraud; without one the operating threshold of the model, of the rules the
    ticket threshold in force. At most ``most`` punches, the newest.
    :class:`NoSuchVersion`, :class:`NotKept`, :class:`NothingServed`; ValueError for both names.
    No row is locked while it computes. The caller commits.

    One at a time for a tenant, :class:`AnotherRuns` otherwise, until the caller's transaction
    ends: each takes seconds of a core and some 150 MB, which scoring has to do without.
    """
    if not locks.try_hold(session(), f"backtest:{tenant_id}"):
        raise AnotherRuns(
            "Another backtest of the company is under way: ask again when it is done."
        )
    tested = _find(version, model_id, tenant_id)
    config = read_thresholds(tenant_id)
    since = now - dt.timedelta(days=days)
    punches = served.read(
        since,
        served.including(now),
        tenant_id=tenant_id,
        now=now,
        version=tested.version,
        most=most,
    )
    if not len(punches):
        raise NothingServed(f"No punch of the last {days} days has a score.")
    at = threshold if threshold is not None else _threshold(tested, config)
    said, scores = _scores(tested, punches)
    known = punches["label"] >= 0
    labels = punches["label"][known].astype(np.float64)
    measured = figures(labels, scores[known], punches["person"][known], at)
    covered = max((now - moment(punches["time"].min())) / dt.timedelta(days=1), 1.0)
    cut = punches.total > len(punches)
    row = ModelMetrics(
        tenant_id=tenant_id,
        id=new_uuid(),
        model_id=tested.registered.model_id if tested.registered else None,
        model_version=tested.version,
        kind="backtest",
        evaluated_at=now,
        window_start=moment(punches["time"].min()) if cut else since,
        window_end=now,
        samples=len(punches),
        positives=int(labels.sum()),
        threshold=at,
        psi=_psi(punches["score"], scores),
        detail={
            "days": days,
            "days_covered": round(covered, 2),
            "punches_in_period": punches.total,
            "cut": cut,
            "labelled": len(labels),
            "figures": measured,
            "alert_rate": round(float((scores >= at).mean()), 6),
            "alerts_per_day": round(float((scores >= at).sum()) / covered, 4),
            "tickets_per_day": round(_tickets(punches, scores, at, config) / covered, 4),
            "agreement": _agreement(punches["score"], scores, at),
            "reproduced": _reproduced(punches, said, scores),
            "warnings": _warnings(tested, punches, len(labels), known),
        },
        **{column: measured[figure]["value"] for column, figure in _COLUMNS.items()},
    )
    session().add(row)
    session().flush()
    scores_changed(session(), tenant_id)
    return row


def _find(version: str | None, model_id: uuid.UUID | None, tenant_id: int) -> _Tested:
    if version is not None and model_id is not None:
        raise ValueError("give either a version or a model_id")
    if model_id is None and version in (None, RULES.version):
        return _Tested(RULES.version)
    m = FraudModel
    named = m.id == model_id if model_id is not None else m.version == version
    row = (
        session()
        .execute(
            select(
                m.id, m.version, m.artefact_sha256, m.window_start, m.window_end,
                m.artefact.is_not(None).label("kept"),
            ).where(m.tenant_id == tenant_id, named)
        )
        .one_or_none()
    )  # fmt: skip
    if row is None:
        raise NoSuchVersion
    if not row.kept:
        raise NotKept(f"{row.version} is too old: its artefact is no longer kept.")
    try:
        registered = serving.load(
            tenant_id, serving.Entry(row.id, row.version, row.artefact_sha256)
        )
    except BrokenArtefact as error:
        raise NotKept(f"{row.version} cannot be loaded: {error}.") from error
    window = (row.window_start, row.window_end) if row.window_start and row.window_end else None
    return _Tested(row.version, registered, window)


def _threshold(tested: _Tested, config: Thresholds) -> float:
    if tested.registered is None:
        return config.tenant.fraud_score_ticket_threshold
    return tested.registered.artefact.threshold


def _scores(tested: _Tested, punches: Served) -> tuple[FloatArray | None, FloatArray]:
    """What the model alone says, None of the rules; and the score as it would be served."""
    if tested.registered is None:
        return None, np.round(punches["rules"], 6)
    artefact = tested.registered.artefact
    vectors = punches.vectors
    said = np.concatenate(
        [
            artefact.probabilities(vectors[start : start + served.BATCH])
            for start in range(0, len(vectors), served.BATCH)
        ]
    )
    return said, np.round(artefact.combination.scores(said, punches["rules"]), 6)


def _psi(before: FloatArray, after: FloatArray) -> float:
    """How far the score lies from the one that was served, by deciles of the latter."""
    edges = with_common(deciles(before), before)
    return round(psi(binned(before, edges), binned(after, edges)), 6)


def _tickets(punches: Served, scores: FloatArray, threshold: float, config: Thresholds) -> int:
    """Tickets it would have opened: for what was an anomaly then, or is of risk HIGH to it."""
    logged = punches["type"] != NO_ANOMALY
    suspicious = logged | (scores >= HIGH)
    kinds = np.where(logged, punches["type"], _MODEL_SPEAKS)
    hours = hours_at(punches["site"], config)
    return suspects(
        punches["person"][suspicious],
        kinds[suspicious],
        punches["time"][suspicious],
        scores[suspicious],
        hours[suspicious],
    ).opened(threshold)


def _agreement(before: FloatArray, after: FloatArray, threshold: float) -> dict[str, Any]:
    """Of how many punches both say the same at ``threshold``, and who else speaks alone."""
    then, now = before >= threshold, after >= threshold
    return {
        "same": round(float((then == now).mean()), 6),
        "both": int((then & now).sum()),
        "only_served": int((then & ~now).sum()),
        "only_tested": int((now & ~then).sum()),
        "mean_difference": round(float(np.abs(after - before).mean()), 6),
    }


def _reproduced(punches: Served, said: FloatArray | None, scores: FloatArray) -> dict[str, int]:
    """Of the punches that this very version scored then, how many come out bit for bit."""
    own = punches["by_version"]
    then, again = (punches["score"], scores) if said is None else (punches["probability"], said)
    return {"punches": int(own.sum()), "identical": int((own & (then == again)).sum())}


def _warnings(tested: _Tested, punches: Served, labelled: int, known: BoolArray) -> list[str]:
    told = []
    if punches.total > len(punches):
        told.append(
            f"Only the newest {len(punches):,} of {punches.total:,} punches of the period count."
        )
    if not labelled:
        told.append("Nobody has reviewed any of these punches: nothing can be said of hits.")
    if tested.window is not None:
        first, last = tested.window
        times = punches["time"]
        inside = (times >= first.timestamp() * 1e6) & (times <= last.timestamp() * 1e6)
        seen = int((inside & known).sum())
        if inside.any():
            told.append(
                f"The period overlaps what {tested.version} learned from ({first:%Y-%m-%d} to "
                f"{last:%Y-%m-%d}): it may have seen {seen:,} of the {labelled:,} verdicts, so its "
                "figures flatter."
            )
    return told

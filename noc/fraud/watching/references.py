"""What a score is compared with: punches as they were served when it learned."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from sqlalchemy import select

from noc.extensions import session
from noc.fraud.columns import FloatArray
from noc.fraud.features import FEATURES
from noc.fraud.predictor import RULES
from noc.fraud.registry import serving
from noc.fraud.registry.artefact import BrokenArtefact
from noc.fraud.registry.models import FraudModel, ModelMetrics
from noc.fraud.watching import served
from noc.fraud.watching.served import NO_ANOMALY, Served
from noc.fraud.watching.shares import binned, deciles, with_common
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

BEFORE = dt.timedelta(days=28)
"""The rules did not learn: they are compared with the four weeks before."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is watched: the active model, or the rules (``model_id`` None).

    ``threshold`` is the score from which it says fraud, None for the rules, which leave that to
    the ticket threshold; ``report`` that of its training.
    """

    version: str
    model_id: uuid.UUID | None = None
    sha256: str = ""
    window: tuple[dt.datetime, dt.datetime] | None = None
    threshold: float | None = None
    report: Mapping[str, Any] | None = None


def find_subject(tenant_id: int) -> Subject:
    """The tenant's active model, else the rules. One query."""
    m = FraudModel
    row = (
        session()
        .execute(
            select(
                m.id, m.version, m.artefact_sha256, m.window_start, m.window_end, m.thresholds,
                m.report,
            ).where(m.tenant_id == tenant_id, m.is_active)
        )
        .one_or_none()
    )  # fmt: skip
    if row is None:
        return Subject(RULES.version)
    window = (row.window_start, row.window_end) if row.window_start and row.window_end else None
    threshold = row.thresholds.get("operating")
    return Subject(
        row.version,
        row.id,
        row.artefact_sha256,
        window,
        None if threshold is None else float(threshold),
        row.report,
    )


def reference(
    subject: Subject,
    start: dt.datetime,
    *,
    tenant_id: int,
    now: dt.datetime,
    ticket_threshold: float,
) -> dict[str, Any]:
    """The reference of a week that begins at ``start``, as JSON has it.

    A model's is made once, at its first watch, from every punch served in its training window
    (not from the labelled ones, which were selected), and read from its latest watch afterwards.
    The rules' are the four weeks before ``start``, and go on with the time.

    ``features`` and ``score`` hold ``edges`` and ``shares`` (what is missing in the last bin);
    ``score`` is what the model alone says, and None where it cannot be loaded.
    """
    if subject.model_id is None or subject.window is None:
        since, until = start - BEFORE, start
    else:
        kept = _kept(subject, tenant_id)
        if kept is not None:
            return kept
        since, until = subject.window[0], served.including(subject.window[1])
    punches = served.read(since, until, tenant_id=tenant_id, now=now, spread=True)
    said, scores = _said(subject, punches, tenant_id)
    report = subject.report or {}
    edges_of = report.get("reference", {})
    days = max((until - since) / dt.timedelta(days=1), 1.0)
    return {
        "from": since.isoformat(),
        "to": until.isoformat(),
        "punches": punches.total,
        "looked_at": len(punches),
        "features": {
            name: _bins(punches[name], edges_of.get(name, {}).get("edges")) for name in FEATURES
        },
        "score": None if said is None else _bins(said, _score_edges(report)),
        "alert_rate": None if scores is None else alert_rate(scores, ticket_threshold),
        "ticket_threshold": ticket_threshold,
        "anomalies_per_day": anomalies_per_day(punches, days),
    }


def alert_rate(scores: FloatArray, threshold: float) -> float | None:
    """The share of scores from which a ticket opens; None without scores."""
    return round(float((scores >= threshold).mean()), 6) if len(scores) else None


def anomalies_per_day(punches: Served, days: float) -> float:
    """How many punches a day were logged as anomalies."""
    share = float((punches["type"] != NO_ANOMALY).mean()) if len(punches) else 0.0
    return round(share * punches.total / days, 4)


def _bins(values: FloatArray, edges: list[float] | None) -> dict[str, Any]:
    chosen = deciles(values) if edges is None else [float(edge) for edge in edges]
    chosen = with_common(chosen, values)
    return {"edges": chosen, "shares": [round(share, 8) for share in binned(values, chosen)]}


def _score_edges(report: Mapping[str, Any]) -> list[float] | None:
    edges: list[float] | None = (report.get("score_reference") or {}).get("edges")
    return edges


def _said(
    subject: Subject, punches: Served, tenant_id: int
) -> tuple[FloatArray | None, FloatArray | None]:
    """What the subject alone says of the punches, and the score as it would be served."""
    if subject.model_id is None:
        return punches["rules"], punches["rules"]
    entry = serving.Entry(subject.model_id, subject.version, subject.sha256)
    try:
        artefact = serving.load(tenant_id, entry).artefact
    except BrokenArtefact as error:
        metrics.FAILURES.labels("fraud_model").inc()
        log.error("model_not_watched", model_version=subject.version, error=str(error))
        return None, None
    if not len(punches):
        return np.empty(0), np.empty(0)
    said = artefact.probabilities(punches.vectors)
    return said, np.round(artefact.combination.scores(said, punches["rules"]), 6)


def _kept(subject: Subject, tenant_id: int) -> dict[str, Any] | None:
    m = ModelMetrics
    kept: dict[str, Any] | None = session().scalar(
        select(m.detail["reference"])
        .where(
            m.tenant_id == tenant_id,
            m.model_version == subject.version,
            m.kind == "live",
            m.detail.has_key("reference"),
        )
        .order_by(m.window_end.desc())
        .limit(1)
    )
    # A model that could not be loaded at its first watch gets its reference at the next.
    return None if kept is None or kept.get("score") is None else kept

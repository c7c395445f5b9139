"""How well the scores find the simulated fraud: measured against the ground truth.

The truth is not in the database: it is worked out again from the scale that marks each tenant.
Punches that the stream has sent since the seed are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from noc.database.tenancy import tenant_context
from noc.demo import batches, bulk
from noc.demo.days import simulate
from noc.demo.marks import Simulated
from noc.demo.scale import Flags, Floats, Ints
from noc.demo.truth import Lookalike, Typology
from noc.demo.world import build_companies
from noc.extensions import session

_SCORES = text(
    """
    SELECT p.external_id, l.fraud_score, l.actual_fraud_detected AS label,
        EXISTS (SELECT FROM attendance_anomaly_log a
                WHERE a.tenant_id = l.tenant_id
                  AND a.attendance_event_id = l.attendance_event_id) AS anomaly
    FROM fraud_prediction_log l
    JOIN attendance_event p ON p.tenant_id = l.tenant_id AND p.id = l.attendance_event_id
    WHERE l.tenant_id = :tenant AND NOT l.is_shadow AND p.received_at <= :now
    """
)


class NotSimulatedAsStored(LookupError):
    """What is stored was simulated by another version: seed again before evaluating."""


@dataclass
class Scored:
    """Punches of the seed with what was thought of them; ``label``: 1, 0, or -1 for none."""

    truth: Ints
    alike: Ints
    score: Floats
    anomaly: Flags
    label: Ints


@dataclass(frozen=True, slots=True)
class Found:
    """Of ``count`` punches of a kind: how many stand as an anomaly, how many reach a ticket."""

    name: str
    count: int
    anomalies: int
    tickets: int
    median_score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall of all punches that reach a score."""

    threshold: float
    flagged: int
    precision: float
    recall: float


def read_scored(simulated: Sequence[Simulated]) -> Scored:
    """The truth and the scores side by side. NotSimulatedAsStored where they do not fit."""
    return bulk.joined([_read(one) for one in simulated])


def average_precision(truth: Flags, score: Floats) -> float:
    """Area under the precision-recall curve, as a step function; equal scores count together."""
    order = np.argsort(-score, kind="stable")
    hits, ranked = np.cumsum(truth[order]), score[order]
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    recall = hits[last] / max(int(truth.sum()), 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * hits[last] / (last + 1)))


def quality(scored: Scored, thresholds: Sequence[float]) -> list[Quality]:
    """Precision and recall at each threshold."""
    fraud = scored.truth != Typology.HONEST
    rows = []
    for threshold in thresholds:
        flagged = scored.score >= threshold
        right = int((flagged & fraud).sum())
        rows.append(
            Quality(
                threshold,
                int(flagged.sum()),
                right / max(int(flagged.sum()), 1),
                right / max(int(fraud.sum()), 1),
            )
        )
    return rows


def summary(scored: Scored) -> str:
    """The sizes in a sentence, and the average precision."""
    fraud = scored.truth != Typology.HONEST
    labelled = scored.label >= 0
    return (
        f"{len(fraud):,} punches, {int(fraud.sum())} of them fraud ({fraud.mean():.2%}); "
        f"{int(labelled.sum())} labelled, {int((scored.label == 1).sum())} as fraud, "
        f"{int((labelled & (scored.label != fraud)).sum())} of these labels wrong. "
        f"Average precision {average_precision(fraud, scored.score):.3f}."
    )


def found_by_typology(scored: Scored, ticket_at: float) -> list[Found]:
    """How much of each kind of fraud is found."""
    return [
        _found(scored, scored.truth == kind, kind.name.lower(), ticket_at)
        for kind in Typology
        if kind is not Typology.HONEST
    ]


def flagged_by_lookalike(scored: Scored, ticket_at: float) -> list[Found]:
    """How many innocents of each kind are suspected; ``none`` are the ordinary punches."""
    honest = scored.truth == Typology.HONEST
    return [
        _found(scored, honest & (scored.alike == kind), kind.name.lower(), ticket_at)
        for kind in Lookalike
    ]


def _found(scored: Scored, rows: Flags, name: str, ticket_at: float) -> Found:
    name = name.replace("_", " ")
    if not rows.any():
        return Found(name, 0, 0, 0, float("nan"))
    score = scored.score[rows]
    return Found(
        name,
        int(rows.sum()),
        int(scored.anomaly[rows].sum()),
        int((score >= ticket_at).sum()),
        float(np.median(score)),
    )


def punches_of(simulated: Simulated) -> batches.Batch:
    """The punches of a company's seed with the truth about each, worked out again."""
    scale = simulated.scale
    company = next(c for c in build_companies(scale) if c.plan.slug == simulated.tenant.slug)
    days = [simulate(company, day) for day in range(scale.first_day, scale.today + 2)]
    return batches.punches_received(days, scale.now.timestamp())


def _read(simulated: Simulated) -> Scored:
    tenant, scale = simulated.tenant, simulated.scale
    batch = punches_of(simulated)
    with tenant_context(session(), tenant.id):
        rows = {
            row.external_id: row
            for row in session().execute(_SCORES, {"tenant": tenant.id, "now": scale.now})
        }
    keys = [str(key) for key in batch.keys]
    if set(keys) != rows.keys():
        raise NotSimulatedAsStored(
            f"the {len(rows)} punches of {tenant.slug} are not those that would be simulated now: "
            "they were seeded by another version; `noc demo seed` makes them anew"
        )
    return Scored(
        truth=batch.punches.truth,
        alike=batch.punches.alike,
        score=np.array([rows[key].fraud_score for key in keys]),
        anomaly=np.array([rows[key].anomaly for key in keys]),
        label=np.array([_label(rows[key].label) for key in keys]),
    )


def _label(value: bool | None) -> int:
    return -1 if value is None else int(value)

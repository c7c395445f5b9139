"""Model, rules, and both together, on the simulated truth: punches that each version scored live,

as the active model or as a shadow, after it was trained. So nothing was seen before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from noc.database.tenancy import tenant_context
from noc.demo.evaluation import average_precision, punches_of
from noc.demo.marks import Simulated
from noc.demo.truth import Typology
from noc.extensions import session

LEAST_FRAUDS = 10
"""Versions that saw fewer frauds live are left out: chance would decide."""

_SAID = text(
    """
    SELECT l.model_version, p.external_id, l.fraud_score, l.probability, l.rule_score
    FROM fraud_prediction_log l
    JOIN attendance_event p ON p.tenant_id = l.tenant_id AND p.id = l.attendance_event_id
    WHERE l.tenant_id = :tenant AND l.probability IS NOT NULL AND p.received_at <= :now
    """
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Average precision of a version on what it scored live, beside either part alone."""

    company: str
    version: str
    punches: int
    frauds: int
    rules: float
    model: float
    together: float


def compare(simulated: Sequence[Simulated]) -> list[Compared]:
    """Every version of every company that saw enough, in the order of companies and versions."""
    return [row for one in simulated for row in _of_company(one)]


def _of_company(simulated: Simulated) -> list[Compared]:
    batch = punches_of(simulated)
    fraud = {
        str(key): bool(kind != Typology.HONEST)
        for key, kind in zip(batch.keys, batch.punches.truth, strict=True)
    }
    tenant = simulated.tenant
    by_version: dict[str, list[tuple[bool, float, float, float]]] = {}
    with tenant_context(session(), tenant.id):
        for row in session().execute(_SAID, {"tenant": tenant.id, "now": simulated.scale.now}):
            if row.external_id in fraud:
                by_version.setdefault(row.model_version, []).append(
                    (fraud[row.external_id], row.rule_score, row.probability, row.fraud_score)
                )
    compared = []
    for version in sorted(by_version):
        truth, rules, model, together = (
            np.array(part) for part in zip(*by_version[version], strict=True)
        )
        if truth.sum() >= LEAST_FRAUDS:
            compared.append(
                Compared(
                    tenant.slug,
                    version,
                    len(truth),
                    int(truth.sum()),
                    *(average_precision(truth, part) for part in (rules, model, together)),
                )
            )
    return compared

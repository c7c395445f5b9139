"""What to look at next: what is most suspicious, what would teach the most, and some by chance."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, text

from noc.extensions import session
from noc.fraud.models import PredictionLog
from noc.fraud.registry.models import FraudModel
from noc.fraud.reports import plain, select_scores
from noc.fraud.review.audits import AUDIT_SHARE
from noc.fraud.review.sight import sites_in_sight

AUDIT, HIGHEST, UNCERTAIN = "random audit", "highest score", "most uncertain"
KINDS = (AUDIT, HIGHEST, UNCERTAIN)

RULES_THRESHOLD = 0.5
"""Where the rules are most in doubt; a model has a threshold of its own."""

NEAR = 0.1
"""A score so close to the threshold counts among those that wait as uncertain."""

MAX_DAYS = 90

# One pass over the index (tenant, occurred_at, fraud_score); three short sorts of what is open.
# Drawn punches come as audits only: were those with high scores looked at first, the audits
# that are done would no longer be a fair sample of those that were drawn.
# Whoever was looked at without an answer goes behind the others of the kind.
_OPEN = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT l.id, l.attendance_event_id AS punch, l.fraud_score AS score,
            abs(l.fraud_score - :threshold) AS away, l.label_note IS NOT NULL AS looked_at,
            l.attendance_event_id IN (
                SELECT attendance_event_id FROM fraud_audit_draw
                WHERE tenant_id = :tenant AND occurred_at >= :since) AS drawn
        FROM fraud_prediction_log l
        WHERE l.tenant_id = :tenant AND l.occurred_at >= :since AND l.occurred_at <= :now
          AND NOT l.is_shadow AND l.actual_fraud_detected IS NULL
          AND (CAST(:sites AS bigint[]) IS NULL OR l.site_id = ANY(:sites))
          AND l.attendance_event_id NOT IN (
              SELECT e.id FROM attendance_event e
              WHERE e.tenant_id = :tenant AND e.voided_at IS NOT NULL AND e.occurred_at >= :since)
    ),
    audits AS (
        SELECT w.id, 0 AS kind,
            row_number() OVER (ORDER BY w.looked_at, d.drawn_at, md5(w.punch::text)) AS place
        FROM waiting w
        JOIN fraud_audit_draw d ON d.tenant_id = :tenant AND d.attendance_event_id = w.punch
        WHERE w.drawn
        ORDER BY w.looked_at, d.drawn_at, md5(w.punch::text) LIMIT :limit
    ),
    highest AS (
        SELECT id, 1, row_number() OVER (ORDER BY looked_at, score DESC, punch DESC) FROM (
            SELECT * FROM waiting WHERE NOT drawn
            ORDER BY looked_at, score DESC, punch DESC LIMIT :limit) AS first
    ),
    uncertain AS (
        SELECT id, 2, row_number() OVER (ORDER BY looked_at, away, punch DESC) FROM (
            SELECT * FROM waiting WHERE NOT drawn
            ORDER BY looked_at, away, punch DESC LIMIT :limit) AS first
    ),
    counted AS (
        SELECT count(*) AS total,
            count(*) FILTER (WHERE drawn) AS audits,
            count(*) FILTER (WHERE NOT drawn AND score >= :threshold) AS highest,
            count(*) FILTER (
                WHERE NOT drawn AND score < :threshold AND away <= :near) AS uncertain
        FROM waiting
    )
    SELECT c.total, c.audits, c.highest, c.uncertain, found.id, found.kind
    FROM counted c LEFT JOIN (
        SELECT * FROM audits UNION ALL SELECT * FROM highest UNION ALL SELECT * FROM uncertain
    ) AS found ON true
    ORDER BY found.kind, found.place
    """
)
_AUDITS = text(
    """
    SELECT count(*) AS drawn, count(l.actual_fraud_detected) AS labelled
    FROM fraud_audit_draw d
    JOIN fraud_prediction_log l
        ON l.tenant_id = d.tenant_id AND l.attendance_event_id = d.attendance_event_id
        AND NOT l.is_shadow
    JOIN attendance_event e
        ON e.tenant_id = d.tenant_id AND e.id = d.attendance_event_id AND e.voided_at IS NULL
    WHERE d.tenant_id = :tenant AND d.occurred_at >= :since AND d.occurred_at <= :now
      AND (CAST(:sites AS bigint[]) IS NULL OR d.site_id = ANY(:sites))
    """
)


def review_queue(
    *,
    tenant_id: int,
    now: dt.datetime,
    limit: int = 50,
    site_ids: Collection[int] | None = None,
    site_id: int | None = None,
    days: int = 14,
) -> dict[str, Any]:
    """The next ``limit`` punches of the last ``days`` to look at, unlabelled and not voided.

    Of a page a twentieth (at least one while any wait) are random audits, oldest draw first; of
    the rest two thirds are those with the highest ``fraud_score``, one third those nearest to
    the operating threshold. Where a kind runs out the others fill the page. No punch comes
    twice, and the kinds alternate, so that whoever stops early has done some of each. The same
    state gives the same page.

    ``items`` say ``why``; ``waiting`` counts what is open: audits, the rest from the threshold
    on, the rest within :data:`NEAR` below it, and all; ``audits`` how many were drawn and how
    many of these have a label. Problem 404 for a site that is not there or out of sight. At most
    five queries.
    """
    sites = sites_in_sight(tenant_id, site_ids, site_id)
    threshold = operating_threshold(tenant_id)
    scope = {
        "tenant": tenant_id,
        "since": now - dt.timedelta(days=days),
        "now": now,
        "sites": sites,
    }
    asked = scope | {"threshold": threshold, "near": NEAR, "limit": limit}
    rows = session().execute(_OPEN, asked).all()
    found: dict[int, list[uuid.UUID]] = {0: [], 1: [], 2: []}
    for row in rows:
        if row.id is not None:
            found[row.kind].append(row.id)
    chosen = mix(found[0], found[1], found[2], limit)
    audits = session().execute(_AUDITS, scope).one()
    return {
        "threshold": threshold,
        "days": days,
        "items": _items(chosen, tenant_id, site_ids),
        "waiting": {
            AUDIT: rows[0].audits,
            HIGHEST: rows[0].highest,
            UNCERTAIN: rows[0].uncertain,
            "total": rows[0].total,
        },
        "audits": {"drawn": audits.drawn, "labelled": audits.labelled},
    }


def operating_threshold(tenant_id: int) -> float:
    """The score from which the active model says fraud; :data:`RULES_THRESHOLD` without one."""
    thresholds = session().scalar(
        select(FraudModel.thresholds).where(FraudModel.tenant_id == tenant_id, FraudModel.is_active)
    )
    return float((thresholds or {}).get("operating", RULES_THRESHOLD))


def mix(
    audits: Sequence[uuid.UUID],
    highest: Sequence[uuid.UUID],
    uncertain: Sequence[uuid.UUID],
    limit: int,
) -> list[tuple[uuid.UUID, str]]:
    """At most ``limit`` of the three, in their shares and without repeats, alternating."""
    by_chance = list(audits[: min(limit, max(1, round(AUDIT_SHARE * limit)))])
    # The other two come from the same punches: where there are few, these are shared out.
    left = min(limit - len(by_chance), len(highest))
    suspicious = list(highest[: (2 * left + 1) // 3])
    taken = set(suspicious)
    doubtful = [one for one in uncertain if one not in taken][: left - len(suspicious)]
    more = limit - len(by_chance) - left
    by_chance += audits[len(by_chance) : len(by_chance) + more]
    picked = zip(KINDS, (by_chance, suspicious, doubtful), strict=True)
    placed = sorted(
        (place / len(ones), rank, one, kind)
        for rank, (kind, ones) in enumerate(picked)
        for place, one in enumerate(ones)
    )
    return [(one, kind) for _, _, one, kind in placed]


def _items(
    chosen: Sequence[tuple[uuid.UUID, str]], tenant_id: int, site_ids: Collection[int] | None
) -> list[dict[str, Any]]:
    if not chosen:
        return []
    ids = [one for one, _ in chosen]
    query = select_scores(tenant_id, site_ids).add_columns(
        PredictionLog.probability, PredictionLog.label_note
    )
    rows = session().execute(query.where(PredictionLog.id.in_(ids)))
    told = {row.prediction_id: plain(row) for row in rows}
    return [{"why": why} | _shown(told[one]) for one, why in chosen if one in told]


_SHOWN = (
    "prediction_id", "punch_id", "person_id", "person_name", "site_id", "site_name", "timezone",
    "kind", "occurred_at", "fraud_score", "probability", "risk_level", "model_version", "reasons",
    "anomaly_types", "fraud_type", "ticket_id", "alert_id",
)  # fmt: skip


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """``looked_at`` is what somebody wrote who found no answer, None where nobody looked."""
    return {name: row[name] for name in _SHOWN} | {"looked_at": row["label_note"]}

"""Calibration as the random audits show it: nothing else is looked at without a selection."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.watching.shares import estimate

DAYS = 90

_AUDITS = text(
    """
    SELECT count(*) AS drawn,
        count(*) FILTER (WHERE looked) AS reviewed,
        count(*) FILTER (WHERE looked AND fraud) AS frauds,
        coalesce(sum(weight) FILTER (WHERE looked), 0) AS weight,
        coalesce(sum(weight * weight) FILTER (WHERE looked), 0) AS squares,
        sum(weight * score) FILTER (WHERE looked) AS predicted,
        sum(weight * fraud::int) FILTER (WHERE looked) AS observed,
        sum(weight * (score - fraud::int) ^ 2) FILTER (WHERE looked) AS brier
    FROM (
        SELECT 1 / d.inclusion_probability AS weight, l.fraud_score AS score,
            l.actual_fraud_detected AS fraud,
            l.actual_fraud_detected IS NOT NULL AND l.labelled_at <= :now AS looked
        FROM fraud_audit_draw d
        JOIN fraud_prediction_log l ON l.tenant_id = d.tenant_id
            AND l.attendance_event_id = d.attendance_event_id AND NOT l.is_shadow
        JOIN attendance_event e
            ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
        WHERE d.tenant_id = :tenant AND l.model_version = :version
          AND d.occurred_at >= :since AND d.occurred_at < :until
    ) AS audits
    """
)


def calibration(
    version: str, until: dt.datetime, *, tenant_id: int, now: dt.datetime
) -> dict[str, Any]:
    """``predicted`` mean score beside the ``observed`` share of fraud, and the Brier score.

    Of the punches that ``version`` scored, that were drawn at random in the DAYS before ``until``
    and have a verdict; each counts 1 / its chance of being drawn (Hajek's estimate), the interval
    is Wilson's of 90 % with Kish's effective number. ``agrees`` says whether it holds the
    predicted mean; None where nothing was reviewed. One query.
    """
    params = {
        "tenant": tenant_id,
        "version": version,
        "since": until - dt.timedelta(days=DAYS),
        "until": until,
        "now": now,
    }
    row = session().execute(_AUDITS, params).one()
    counts = {"days": DAYS, "drawn": row.drawn, "reviewed": row.reviewed, "frauds": row.frauds}
    if not row.reviewed:
        nothing = {"predicted": None, "observed": estimate(None, 0), "brier": None, "agrees": None}
        return counts | nothing
    predicted = row.predicted / row.weight
    observed = estimate(min(row.observed / row.weight, 1.0), row.weight * row.weight / row.squares)
    low, high = observed["low"], observed["high"]
    return counts | {
        "predicted": round(predicted, 6),
        "observed": observed,
        "brier": round(row.brier / row.weight, 6),
        "agrees": low is not None and high is not None and low <= predicted <= high,
    }

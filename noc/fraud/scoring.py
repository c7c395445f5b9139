"""Scoring of punches: features, predictor, rules, and what follows, once per punch.

However often and by however many workers a punch is scored, it gets one prediction, at most one
anomaly, one alert and one ticket link: its row is locked while it is scored, the unique keys of
the prediction and anomaly logs decide, and effects follow only for rows really inserted.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from noc.domain import RiskLevel
from noc.extensions import session
from noc.fraud.judging import judge
from noc.fraud.reasons import Reason
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

BATCH = 1000
"""Punches scored together: enough to make the cost of queries small, few enough to stay quick."""

FAULTS = (DBAPIError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a punch with impossible values can raise; anything else fails the whole call."""

_LONGEST_HOURS = 168
"""A punch that was set aside is tried again at least once a week: the code may have been mended."""

_LOCK = text(
    """
    SELECT id FROM attendance_event
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND scored_at IS NULL AND voided_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
    """
)
_CLAIM = text(
    """
    SELECT id FROM attendance_event
    WHERE tenant_id = :tenant AND scored_at IS NULL AND voided_at IS NULL
      AND (score_again_at IS NULL OR score_again_at <= :now)
    ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
    """
)
_SCORED = text(
    """
    UPDATE attendance_event SET scored_at = :now
    WHERE tenant_id = :tenant AND id = ANY(:ids)
    """
)
_SET_ASIDE = text(
    """
    UPDATE attendance_event SET
        scoring_failures = scoring_failures + 1,
        score_again_at = CAST(:now AS timestamptz)
            + least(power(2, least(scoring_failures, 16)), :longest) * interval '1 hour'
    WHERE tenant_id = :tenant AND id = :id
    RETURNING scoring_failures
    """
)
_STORED = text(
    """
    SELECT l.attendance_event_id AS punch_id, l.person_id, l.site_id, l.occurred_at,
        l.fraud_score, l.risk_level, l.model_type, l.model_version, l.reasons,
        coalesce(a.anomaly_types, '{}') AS anomaly_types, a.fraud_type, a.id AS anomaly_id,
        a.alert_id, a.ticket_id
    FROM fraud_prediction_log l
    JOIN attendance_event e
        ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id AND e.voided_at IS NULL
    LEFT JOIN attendance_anomaly_log a
        ON a.tenant_id = l.tenant_id AND a.attendance_event_id = l.attendance_event_id
    WHERE l.tenant_id = :tenant AND l.attendance_event_id = ANY(:ids) AND NOT l.is_shadow
    ORDER BY l.attendance_event_id
    """
)


@dataclass(frozen=True, slots=True)
class PunchScore:
    """What was thought of a punch. ``fraud_type`` and the ids are None where nothing stands."""

    punch_id: int
    person_id: int
    site_id: int
    occurred_at: dt.datetime
    fraud_score: float
    risk_level: RiskLevel
    model_type: str
    model_version: str
    reasons: list[Reason]
    anomaly_types: list[str]
    fraud_type: str | None
    anomaly_id: uuid.UUID | None
    alert_id: int | None
    ticket_id: int | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        values = asdict(self)
        values["occurred_at"] = self.occurred_at.isoformat()
        values["anomaly_id"] = str(self.anomaly_id) if self.anomaly_id else None
        return values


def score_punches(
    punch_ids: Sequence[int], *, tenant_id: int, now: dt.datetime
) -> list[PunchScore]:
    """Score those of the punches that never were; return the scores of all, by punch id.

    Voided and unknown punches, and those that cannot be scored, are left out. Flushes, and
    leaves the commit to the caller; until then nobody else scores these punches.
    """
    wanted = sorted({int(punch_id) for punch_id in punch_ids})
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        new = session().scalars(_LOCK, {"tenant": tenant_id, "ids": part}).all()
        score_locked(new, tenant_id=tenant_id, now=now)
    return _stored(wanted, tenant_id)


def score_pending(*, tenant_id: int, now: dt.datetime, limit: int = BATCH) -> int:
    """Score up to ``limit`` punches that never were, oldest arrivals first; how many it took.

    Punches that another worker is scoring are passed over. One transaction: the caller commits.
    """
    claimed = claim(tenant_id=tenant_id, now=now, limit=limit)
    score_locked(claimed, tenant_id=tenant_id, now=now)
    return len(claimed)


def claim(*, tenant_id: int, now: dt.datetime, limit: int) -> list[int]:
    """Lock up to ``limit`` punches to be scored until the transaction ends.

    Those that were never scored, but for those set aside until later.
    """
    rows = session().scalars(_CLAIM, {"tenant": tenant_id, "limit": limit, "now": now})
    return list(rows)


def score_locked(punch_ids: Sequence[int], *, tenant_id: int, now: dt.datetime) -> int:
    """Score punches that this transaction has locked, and mark them as scored; how many.

    A punch whose values cannot be worked with holds up no other: the batch is halved until the
    punch is alone, and it is set aside, for an hour at first and twice as long each time.
    """
    if not punch_ids:
        return 0
    try:
        with session().begin_nested():
            judge(punch_ids, tenant_id=tenant_id, now=now)
            session().execute(_SCORED, {"tenant": tenant_id, "ids": list(punch_ids), "now": now})
    except OperationalError:
        raise
    except FAULTS as error:
        if len(punch_ids) == 1:
            _set_aside(punch_ids[0], error, tenant_id=tenant_id, now=now)
            return 0
    else:
        return len(punch_ids)
    half = len(punch_ids) // 2
    return sum(
        score_locked(part, tenant_id=tenant_id, now=now)
        for part in (punch_ids[:half], punch_ids[half:])
    )


def _set_aside(punch_id: int, error: Exception, *, tenant_id: int, now: dt.datetime) -> None:
    failures = session().scalar(
        _SET_ASIDE,
        {"tenant": tenant_id, "id": punch_id, "now": now, "longest": _LONGEST_HOURS},
    )
    metrics.FAILURES.labels("fraud_scoring").inc()
    log.error(
        "punch_not_scored",
        tenant_id=tenant_id,
        punch_id=punch_id,
        error_type=type(error).__name__,
        failures=failures,
        # Where in the code, once a punch; the later failures are the same.
        exc_info=failures == 1,
    )


def _stored(punch_ids: Sequence[int], tenant_id: int) -> list[PunchScore]:
    rows = session().execute(_STORED, {"tenant": tenant_id, "ids": list(punch_ids)})
    return [PunchScore(**row._asdict()) for row in rows]

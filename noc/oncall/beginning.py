"""Where an escalation begins and ends: in the transaction in which the alert does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from noc.alerts.transitions import Step
from noc.database.tenancy import after_commit, required_tenant
from noc.domain import SEVERITIES
from noc.events.news import Told
from noc.extensions import session
from noc.monitoring import metrics

BEGINS = frozenset(
    {"alert_opened", "alert_escalated", "alert_reopened", "alert_unmuted", "alert_returned"}
)
"""News of an alert that waits for somebody from now on."""

_ANSWERS = frozenset({"acknowledge", "assign", "shelve"})
"""Only somebody takes these steps; others come also from monitors, or with time."""

_BACK = frozenset({"reopen", "unshelve", "lapse"})

# Most tenants pay this alone: planning the statement below takes longer than carrying it out.
_ANY = text("SELECT EXISTS (SELECT FROM escalation_policy WHERE tenant_id = :tenant AND active)")

# The key-share lock waits for a policy that is just being deleted, which the row would point to.
# The moment is that of the alert's latest change, which was made in this transaction. An alert
# that got worse begins no second time what came to nothing; one that another policy takes by now
# goes over to that one.
_BEGIN = text(
    """
    WITH policy AS MATERIALIZED (
        SELECT id, position, min_severity, site_ids, alert_types,
               (steps -> 0 ->> 'after_minutes')::int AS minutes
        FROM escalation_policy WHERE tenant_id = :tenant AND active
        FOR KEY SHARE
    )
    INSERT INTO alert_escalation AS run (tenant_id, alert_id, policy_id, begun_at, next_at)
    SELECT :tenant, a.id, taken.id, changed.at, changed.at + make_interval(mins => taken.minutes)
    FROM unnest(CAST(:alerts AS bigint[]), CAST(:worse AS boolean[])) AS n(alert_id, worse)
    JOIN noc_alert_event a ON a.tenant_id = :tenant AND a.id = n.alert_id
    CROSS JOIN LATERAL (
        SELECT c.at FROM noc_alert_change c
        WHERE c.tenant_id = a.tenant_id AND c.alert_id = a.id ORDER BY c.id DESC LIMIT 1
    ) AS changed
    CROSS JOIN LATERAL (
        SELECT p.id, p.minutes FROM policy p
        WHERE array_position(CAST(:severities AS text[]), a.severity)
              >= array_position(CAST(:severities AS text[]), p.min_severity)
          AND (p.site_ids = '{}' OR a.site_id = ANY(p.site_ids))
          AND (p.alert_types = '{}' OR a.alert_type = ANY(p.alert_types))
        ORDER BY p.position, p.id LIMIT 1
    ) AS taken
    WHERE a.status = 'NEW' AND a.muted_until IS NULL
      AND NOT (n.worse AND EXISTS (
          SELECT FROM alert_escalation e
          WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id
            AND e.policy_id = taken.id AND e.state = 'exhausted'))
    ORDER BY a.id
    ON CONFLICT (tenant_id, alert_id) WHERE state = 'active' DO UPDATE SET
        policy_id = excluded.policy_id, begun_at = excluded.begun_at, next_at = excluded.next_at,
        round = 1, step = 0, last_told_at = NULL
        WHERE run.policy_id IS DISTINCT FROM excluded.policy_id
    RETURNING run.id
    """
)

# A policy is locked before its escalations, as whoever deletes it does: the other way about, a
# transaction that ends one and begins another (a webhook's group) and the deletion would wait for
# each other. The alerts are locked, so that none begins meanwhile.
_END = text(
    """
    WITH policy AS MATERIALIZED (
        SELECT p.id FROM escalation_policy p
        WHERE p.tenant_id = :tenant AND p.id IN (
            SELECT e.policy_id FROM alert_escalation e
            WHERE e.tenant_id = :tenant AND e.alert_id = ANY(CAST(:alerts AS bigint[]))
              AND e.state = 'active')
        FOR KEY SHARE
    )
    UPDATE alert_escalation SET
        state = :state, reason = :reason, answered_by = :user, ended_at = :now, next_at = NULL
    WHERE tenant_id = :tenant AND alert_id = ANY(CAST(:alerts AS bigint[])) AND state = 'active'
      AND (SELECT count(*) FROM policy) >= 0
    RETURNING id
    """
)


def on_news(_: Any, *, current: Session, tenant_id: int, told: list[Told]) -> None:
    """Begin an escalation for each alert of the news that a policy takes.

    One look-up where there is no policy, else two statements however many; none where no alert is
    concerned. What is muted, or has been answered by the end of its transaction, begins none.
    """
    # Of an alert that opened and got worse in one transaction, it counts that it opened.
    worse: dict[int, bool] = {}
    for one in told:
        if one.news.kind in BEGINS and one.row.alert_id is not None:
            only_worse = one.news.kind == "alert_escalated"
            worse[one.row.alert_id] = worse.get(one.row.alert_id, True) and only_worse
    if not worse or not current.scalar(_ANY, {"tenant": tenant_id}):
        return
    alerts = sorted(worse)
    values = {
        "tenant": tenant_id,
        "alerts": alerts,
        "worse": [worse[key] for key in alerts],
        "severities": list(SEVERITIES),
    }
    count(current, "begun", len(current.scalars(_BEGIN, values).all()))


def on_alerts_stepped(_: Any, *, step: Step, alert_ids: Sequence[int]) -> None:
    """End what was going on about alerts that somebody sees to, or that are over. One statement."""
    if step.action in _BACK:
        # To be answered again: the news of it begins another escalation.
        return
    answered = step.action in _ANSWERS or step.user_id is not None
    end(
        alert_ids,
        "answered" if answered else "ended",
        reason=step.action,
        user_id=step.user_id,
        now=step.now,
    )


def end(
    alert_ids: Sequence[int], state: str, *, reason: str, user_id: int | None, now: dt.datetime
) -> None:
    """End what is active of the alerts. One statement."""
    values = {
        "tenant": required_tenant(),
        "alerts": sorted(alert_ids),
        "state": state,
        "reason": reason,
        "user": user_id,
        "now": now,
    }
    count(session(), state, len(session().scalars(_END, values).all()))


def count(current: Session, outcome: str, number: int) -> None:
    """Count in the metrics what is committed."""
    if number:
        after_commit(current, lambda: metrics.ESCALATIONS.labels(outcome).inc(number))

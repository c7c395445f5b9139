"""The one way in for alerts: a report becomes an alert, or adds to the one that is open."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm.util import identity_key

from noc.alerts.dedup import AlertInput, Trouble, default_dedup_key, troubles
from noc.alerts.frames import announce_alert
from noc.alerts.models import Alert
from noc.alerts.suppression.muting import ACTIVE, window_for
from noc.database.tenancy import required_tenant
from noc.domain import SEVERITIES
from noc.events.news import NewsKind
from noc.extensions import session
from noc.workforce.references import References, look_up

__all__ = [
    "AlertInput",
    "ProcessedAlert",
    "UnknownReference",
    "default_dedup_key",
    "process_alert",
    "process_alerts",
    "process_known",
]

# The unique index over open alerts decides whether a report is the first, so two writers of one
# key cannot both be. ``old`` (PostgreSQL 18) is the alert as it stood before this report.
# The windows that are active are read by the same statement: one that is made at this very moment
# may mute the alert or not, but the alert is stored either way.
_RAISE = text(
    f"""
    WITH {ACTIVE}, raised AS (
        INSERT INTO noc_alert_event AS alert (
            tenant_id, alert_type, severity, message, dedup_key, suppressed_count, entity_type,
            entity_id, person_id, site_id, occurred_at, created_at, last_seen_at, metadata,
            muted_by, muted_until)
        SELECT :tenant_id, r.alert_type, r.severity, r.message, r.key, r.reports - 1,
               r.entity_type, r.entity_id, r.person_id, r.site_id, r.began_at, :now,
               r.last_seen_at, r.metadata::jsonb, muting.id, muting.ends_at
        FROM unnest(
            CAST(:alert_type AS text[]), CAST(:severity AS text[]), CAST(:message AS text[]),
            CAST(:key AS text[]), CAST(:reports AS bigint[]), CAST(:entity_type AS text[]),
            CAST(:entity_id AS text[]), CAST(:person_id AS bigint[]), CAST(:site_id AS bigint[]),
            CAST(:began_at AS timestamptz[]), CAST(:last_seen_at AS timestamptz[]),
            CAST(:metadata AS text[])
        ) WITH ORDINALITY AS r(alert_type, severity, message, key, reports, entity_type,
                               entity_id, person_id, site_id, began_at, last_seen_at, metadata, n)
        LEFT JOIN LATERAL ({window_for("r")}) AS muting ON true
        ORDER BY r.n
        ON CONFLICT (tenant_id, dedup_key) WHERE status <> 'RESOLVED' DO UPDATE SET
            suppressed_count = alert.suppressed_count + excluded.suppressed_count + 1,
            last_seen_at = greatest(alert.last_seen_at, excluded.last_seen_at),
            (severity, message, metadata) = (
                SELECT severity, message, metadata FROM (
                    VALUES (alert.severity, alert.message, alert.metadata, 1),
                           (excluded.severity, excluded.message, excluded.metadata, 2)
                ) AS report(severity, message, metadata, n)
                ORDER BY array_position(CAST(:severities AS text[]), severity) DESC, n LIMIT 1),
            -- What is muted and gets worse stays so only where a window mutes the worse, too; what
            -- is heard of already stays so.
            (muted_by, muted_until) = (
                SELECT CASE WHEN same THEN alert.muted_by ELSE excluded.muted_by END,
                       CASE WHEN same THEN alert.muted_until ELSE excluded.muted_until END
                FROM (SELECT alert.muted_until IS NULL
                          OR array_position(CAST(:severities AS text[]), excluded.severity)
                             <= array_position(CAST(:severities AS text[]), alert.severity)
                     ) AS mute(same))
        RETURNING alert.id, alert.dedup_key, alert.alert_type, alert.severity, alert.message,
                  alert.status, alert.person_id, alert.site_id, alert.suppressed_count,
                  alert.last_seen_at, alert.muted_by, alert.muted_until,
                  alert.assignee_id,
                  old.id IS NULL AS created, old.severity AS old_severity,
                  old.suppressed_count AS old_suppressed_count,
                  old.last_seen_at AS old_last_seen_at,
                  old.muted_by AS old_muted_by, old.muted_until AS old_muted_until
    ), history AS (
        INSERT INTO noc_alert_change (
            tenant_id, alert_id, at, action, old_status, new_status, detail)
        SELECT :tenant_id, id, :now, CASE WHEN created THEN 'created' ELSE 'worsened' END,
               CASE WHEN created THEN NULL ELSE status END, status,
               CASE WHEN NOT created
                    THEN jsonb_build_object('from', old_severity, 'to', severity)
                    WHEN muted_until IS NOT NULL
                    THEN jsonb_build_object('muted_by', muted_by, 'muted_until', muted_until) END
        FROM raised WHERE created OR severity <> old_severity
        UNION ALL
        SELECT :tenant_id, id, :now, 'unmuted', status, status,
               jsonb_build_object('muted_by', old_muted_by, 'worsened', true)
        FROM raised WHERE old_muted_until IS NOT NULL AND muted_until IS NULL
    )
    SELECT * FROM raised
    """  # noqa: S608 (of the constants above alone)
)


@dataclass(frozen=True, slots=True)
class ProcessedAlert:
    """The alert that a report became or added to; ``created`` for the report that opened it.

    ``muted``: a suppression window keeps it quiet, so that no ticket is opened about it by itself.
    """

    id: int
    created: bool
    muted: bool = False


class UnknownReference(ValueError):
    """A report names a site or a person that the tenant does not have."""

    def __init__(self, index: int, field: str, reason: str) -> None:
        super().__init__(f"alert {index}: {field} {reason}")
        self.index = index
        self.field = field
        self.reason = reason


def process_alert(alert: AlertInput, *, now: dt.datetime) -> ProcessedAlert:
    """:func:`process_alerts` of one."""
    return process_alerts([alert], now=now)[0]


def process_alerts(alerts: Sequence[AlertInput], *, now: dt.datetime) -> list[ProcessedAlert]:
    """Open or repeat an alert for each report; answers are in the order of ``alerts``.

    At most one alert that is not resolved exists per deduplication key, however many writers
    report it at once. A repeat raises ``suppressed_count`` and ``last_seen_at``; a worse one
    also the severity, with its message and metadata. What is raised inside a suppression window
    is stored muted. Emits ``alert_created`` for a new alert and ``alert_updated`` where an
    operator should see the repeat. Three statements, whatever the size.
    :class:`UnknownReference`, and nothing written, where a site or a person does not
    exist in the tenant.
    """
    references = _references(alerts)
    unknown = _unknown(alerts, references)
    if unknown:
        raise next(iter(unknown.values()))
    return _raise(alerts, references, now)


def process_known(
    alerts: Sequence[AlertInput], *, now: dt.datetime
) -> list[ProcessedAlert | UnknownReference]:
    """:func:`process_alerts` that leaves out, and answers, what names an unknown site or person."""
    references = _references(alerts)
    unknown = _unknown(alerts, references)
    known = [alert for index, alert in enumerate(alerts) if index not in unknown]
    processed = iter(_raise(known, references, now))
    return [unknown[index] if index in unknown else next(processed) for index in range(len(alerts))]


def _references(alerts: Sequence[AlertInput]) -> References:
    return look_up((alert.person_id for alert in alerts), (alert.site_id for alert in alerts))


def _unknown(alerts: Sequence[AlertInput], references: References) -> dict[int, UnknownReference]:
    """What is wrong with the alerts that name a site or a person there is not, by index."""
    problems: dict[int, UnknownReference] = {}
    for index, alert in enumerate(alerts):
        if alert.site_id is not None and alert.site_id not in references.sites:
            reason = f"{alert.site_id} is not a site of this tenant"
            problems[index] = UnknownReference(index, "site_id", reason)
        elif alert.person_id is not None and alert.person_id not in references.people:
            reason = f"{alert.person_id} is not a person of this tenant"
            problems[index] = UnknownReference(index, "person_id", reason)
    return problems


def _raise(
    alerts: Sequence[AlertInput], references: References, now: dt.datetime
) -> list[ProcessedAlert]:
    if not alerts:
        return []
    session().flush()
    parameters = {"tenant_id": required_tenant(), "now": now, "severities": list(SEVERITIES)}
    rows = session().execute(_RAISE, parameters | _columns(troubles(alerts))).all()
    for row in rows:
        _forget_loaded(row)
        if row.created:
            announce_alert(
                "alert_created", row, references.people.get(row.person_id), "alert_opened"
            )
        elif _worth_telling(row):
            worse: NewsKind | None = "alert_escalated" if row.severity != row.old_severity else None
            announce_alert("alert_updated", row, references.people.get(row.person_id), worse)
    return _answers(alerts, rows)


def _columns(reported: Sequence[Trouble]) -> dict[str, list[Any]]:
    return {
        "key": [item.key for item in reported],
        "reports": [item.reports for item in reported],
        "began_at": [item.began_at for item in reported],
        "last_seen_at": [item.last_seen_at for item in reported],
        "alert_type": [item.first.alert_type for item in reported],
        "entity_type": [item.first.entity_type for item in reported],
        "entity_id": [item.first.entity_id for item in reported],
        "person_id": [item.first.person_id for item in reported],
        "site_id": [item.first.site_id for item in reported],
        "severity": [item.worst.severity for item in reported],
        "message": [item.worst.message for item in reported],
        "metadata": [json.dumps(item.worst.metadata, allow_nan=False) for item in reported],
    }


def _worth_telling(row: Row[Any]) -> bool:
    """Whether the feed should hear of a repeat: a worse one, the first, then one a minute.

    A monitor that fires ten times a second must not use up the tenant's share of the feed.
    What is shelved or muted is heard of only when it gets worse.
    """
    if row.severity != row.old_severity:
        return True
    if row.status == "SHELVED" or row.muted_until is not None:
        return False
    return bool(
        row.old_suppressed_count == 0 or _minute(row.last_seen_at) > _minute(row.old_last_seen_at)
    )


def _minute(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0)


def _answers(alerts: Sequence[AlertInput], rows: Sequence[Row[Any]]) -> list[ProcessedAlert]:
    by_key = {row.dedup_key: row for row in rows}
    opened: set[str] = set()
    answers = []
    for alert in alerts:
        row = by_key[alert.key]
        answers.append(_answer(row, first=alert.key not in opened))
        opened.add(alert.key)
    return answers


def _answer(row: Row[Any], *, first: bool) -> ProcessedAlert:
    return ProcessedAlert(row.id, row.created and first, row.muted_until is not None)


def _forget_loaded(row: Row[Any]) -> None:
    """An alert that this session holds is read again when it is next asked for."""
    loaded = session().identity_map.get(identity_key(Alert, (required_tenant(), row.id)))
    if loaded is not None:
        session().expire(loaded)

"""Alerts of Prometheus Alertmanager: firing opens or repeats one of ours, resolved ends it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import structlog
from sqlalchemy import select

from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, ProcessedAlert, process_alerts
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.database.tenancy import required_tenant
from noc.domain import Severity
from noc.extensions import session, settings
from noc.integrations.schemas import ALERTS, AlertmanagerAlert, AlertmanagerIn
from noc.monitoring import metrics
from noc.rest.batches import check_items, outcome
from noc.rest.body import MAX_METADATA_BYTES
from noc.rest.quantities import clock
from noc.workforce.models import Site

log = structlog.get_logger(__name__)

SOURCE = "alertmanager"
"""``entity_type`` of these alerts, and how their deduplication keys begin."""

SEVERITY_OF: Mapping[str, Severity] = MappingProxyType(
    {
        **dict.fromkeys(("critical", "emergency", "fatal", "page", "disaster"), "CRITICAL"),
        **dict.fromkeys(("high", "error", "major"), "HIGH"),
        **dict.fromkeys(("medium", "warning", "warn", "average"), "MEDIUM"),
        **dict.fromkeys(("low", "minor", "notice"), "LOW"),
        **dict.fromkeys(("info", "information", "informational", "none", "debug"), "INFO"),
    }
)
"""Severity by the label ``severity`` in small letters. There is no standard: these are the words
of Prometheus's and Kubernetes's own rules (critical, warning, info, none, page), of syslog and of
Zabbix."""

DEFAULT_SEVERITY: Severity = "MEDIUM"
"""Where the label is absent or says something else."""

MAX_ALERTS = 10_000
"""Of one group, some seconds of work; a statement takes 65,535 values at most. The first so many

are taken: Alertmanager would drop all of a group that is refused, and send one for ever that fails.
"""

MAX_MESSAGE = 4000
"""Characters, as of every report; a longer one is cut."""

_STATUSES = ("stored", "duplicate", "resolved", "unknown")


def take_group(group: AlertmanagerIn, *, now: dt.datetime) -> dict[str, Any]:
    """Take each alert of a group; say of each what came of it. The caller commits.

    ``stored`` opened an alert, ``duplicate`` added to the open one, ``resolved`` ended it,
    ``unknown`` is resolved there and not open here, ``rejected`` has a field and a reason.
    ``truncated`` counts what was left out, by the sender or beyond :data:`MAX_ALERTS`.
    Statements do not grow with the group.
    """
    alerts = group.alerts[:MAX_ALERTS]
    left_out = len(group.alerts) - len(alerts)
    if left_out:
        metrics.FAILURES.labels("alertmanager_truncated").inc()
        log.warning("alertmanager_group_too_large", alerts=len(group.alerts), left_out=left_out)
    good, rejected = check_items(ALERTS, alerts)
    resolved = [(index, alert) for index, alert in good if alert.status == "resolved"]
    firing = [(index, alert) for index, alert in good if alert.status == "firing"]
    if resolved and firing:
        _hold([alert.fingerprint for _, alert in good])
    # What is told to be over and on at once is on.
    outcomes = _resolve(resolved, group, now) | _raise(firing, group, now)
    result = outcome(len(alerts), outcomes, rejected)
    counts = result.counts()
    return {
        **{status: counts[status] for status in _STATUSES},
        "rejected": result.rejected,
        "truncated": group.truncatedAlerts + left_out,
        "items": result.items,
    }


def _hold(fingerprints: Iterable[str]) -> None:
    """Lock the open alerts of the group in the order of keys, in which everybody locks them.

    Those that are over first and those that are on then would be another order, which could
    deadlock with whoever acts on several of them.
    """
    session().execute(
        select(Alert.id)
        .where(
            Alert.tenant_id == required_tenant(),
            Alert.dedup_key.in_([dedup_key(one) for one in fingerprints]),
            Alert.status != "RESOLVED",
        )
        .order_by(Alert.dedup_key.collate("C"))
        .with_for_update(key_share=True)
    )


def dedup_key(fingerprint: str) -> str:
    """The deduplication key of the alerts with this fingerprint."""
    return f"{SOURCE}:{fingerprint}"


def _raise(
    firing: Sequence[tuple[int, AlertmanagerAlert]], group: AlertmanagerIn, now: dt.datetime
) -> dict[int, dict[str, Any]]:
    sites = _sites(alert.labels.get("site") for _, alert in firing)
    believed = clock(settings(), now, limits=True)
    reports = []
    for _, alert in firing:
        began = _moment(alert.startsAt)
        if began is None or believed.refusal(began):
            began = now
        reports.append(_report(alert, group, sites.get(alert.labels.get("site", "")), began))
    processed = process_alerts(reports, now=now)
    return {
        index: _stored(alert, report, one)
        for (index, alert), report, one in zip(firing, reports, processed, strict=True)
    }


def _stored(
    alert: AlertmanagerAlert, report: AlertInput, processed: ProcessedAlert
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": processed.id,
        "status": "stored" if processed.created else "duplicate",
    }
    if "site" in alert.labels and report.site_id is None:
        told["unknown_site"] = alert.labels["site"]
    return told


def _report(
    alert: AlertmanagerAlert, group: AlertmanagerIn, site_id: int | None, began: dt.datetime
) -> AlertInput:
    return AlertInput(
        alert_type=_alert_type(alert.labels.get("alertname", "")),
        severity=SEVERITY_OF.get(
            alert.labels.get("severity", "").strip().lower(), DEFAULT_SEVERITY
        ),
        message=_message(alert),
        occurred_at=began,
        dedup_key=dedup_key(alert.fingerprint),
        site_id=site_id,
        entity_type=SOURCE,
        entity_id=alert.fingerprint,
        metadata=_metadata(alert, group),
    )


def _alert_type(name: str) -> str:
    """The alert's name as a type: what a type cannot have becomes an underscore."""
    written = re.sub(r"[^A-Za-z0-9_.:-]", "_", name)[:100]
    if not written or not written[0].isalpha():
        written = f"ALERT_{written}"[:100].rstrip("_")
    return written


def _message(alert: AlertmanagerAlert) -> str:
    for words in (
        alert.annotations.get("summary", ""),
        alert.annotations.get("description", ""),
        alert.annotations.get("message", ""),
        alert.labels.get("alertname", ""),
    ):
        if written := words.strip():
            return written[:MAX_MESSAGE]
    return f"Alert {alert.fingerprint}"


def _metadata(alert: AlertmanagerAlert, group: AlertmanagerIn) -> dict[str, Any]:
    """All that was told, less the annotations or the labels where it would be too much."""
    told: dict[str, Any] = {
        "source": SOURCE,
        "receiver": group.receiver[:200],
        "external_url": group.externalURL[:500],
        "generator_url": alert.generatorURL[:2000],
    }
    for name in ("labels", "annotations"):
        more = told | {name: getattr(alert, name)}
        if len(json.dumps(more, ensure_ascii=False).encode()) <= MAX_METADATA_BYTES:
            told = more
        else:
            told[f"{name}_left_out"] = True
    return told


def _resolve(
    resolved: Sequence[tuple[int, AlertmanagerAlert]], group: AlertmanagerIn, now: dt.datetime
) -> dict[int, dict[str, Any]]:
    """End the open alerts of these fingerprints; only what Alertmanager itself reported."""
    if not resolved:
        return {}
    rows = session().execute(
        select(Alert.id, Alert.dedup_key).where(
            Alert.tenant_id == required_tenant(),
            Alert.dedup_key.in_([dedup_key(alert.fingerprint) for _, alert in resolved]),
            Alert.entity_type == SOURCE,
            Alert.status != "RESOLVED",
        )
    )
    ids = {row.dedup_key: row.id for row in rows}
    note = f"Alertmanager says it is over (receiver {group.receiver[:200] or 'unnamed'})."
    step = Step("resolve", now, note=note, resolution="FIXED")
    # Who resolved it meanwhile has refused the step: then it is over just the same.
    done = {one.alert_id for one in take(step, ids.values()) if one.changed}
    outcomes: dict[int, dict[str, Any]] = {}
    for index, alert in resolved:
        key = ids.get(dedup_key(alert.fingerprint))
        outcomes[index] = {"id": key, "status": "resolved" if key in done else "unknown"}
    return outcomes


def _sites(codes: Iterable[str | None]) -> dict[str, int]:
    wanted = sorted({code for code in codes if code})
    if not wanted:
        return {}
    rows = session().execute(
        select(Site.code, Site.id).where(Site.tenant_id == required_tenant(), Site.code.in_(wanted))
    )
    return {row.code: row.id for row in rows}


def _moment(written: str) -> dt.datetime | None:
    """A time of Go's JSON, with up to nine digits of a second; None where it is none."""
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    if moment.tzinfo is None or not 1970 < moment.year < 9999:
        return None
    return moment.astimezone(dt.UTC)

"""Which reports are of the same trouble, and what several of them add up to."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from noc.domain import SEVERITIES, Severity, severity_rank

MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class AlertInput:
    """A report that something is wrong.

    ``dedup_key`` says which trouble it is; without one, :func:`default_dedup_key` does.
    ValueError for an unknown severity, an empty type or message, or a time without a zone.
    """

    alert_type: str
    severity: Severity
    message: str
    occurred_at: dt.datetime
    dedup_key: str | None = None
    site_id: int | None = None
    person_id: int | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity is one of {', '.join(SEVERITIES)}, not {self.severity!r}")
        if not self.alert_type or not self.message:
            raise ValueError("an alert has a type and a message")
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at has a time zone")

    @property
    def key(self) -> str:
        """The deduplication key in force."""
        return self.dedup_key or default_dedup_key(self)


def default_dedup_key(alert: AlertInput) -> str:
    """Same type, same entity, same person and same site are the same trouble.

    ``TYPE|entity=<type>/<id>|person=<id>|site=<id>``, what is absent left out; the entity is
    percent-encoded, so that no two troubles share a key. A key of more than 255 characters is
    replaced by the type and the SHA-256 of it.
    """
    parts = [alert.alert_type]
    if alert.entity_type is not None or alert.entity_id is not None:
        names = (alert.entity_type or "", alert.entity_id or "")
        parts.append("entity=" + "/".join(quote(name, safe="") for name in names))
    if alert.person_id is not None:
        parts.append(f"person={alert.person_id}")
    if alert.site_id is not None:
        parts.append(f"site={alert.site_id}")
    key = "|".join(parts)
    if len(key) > MAX_KEY:
        return f"{alert.alert_type[:100]}|sha256={hashlib.sha256(key.encode()).hexdigest()}"
    return key


@dataclass(frozen=True, slots=True)
class Trouble:
    """All reports of one key in a batch."""

    key: str
    first: AlertInput
    worst: AlertInput
    began_at: dt.datetime
    last_seen_at: dt.datetime
    reports: int


def troubles(alerts: Sequence[AlertInput]) -> list[Trouble]:
    """The batch by key, in the order of keys: whoever locks in this order never deadlocks.

    The first report says what it is about; the worst (the earliest of those) how bad it is, in
    which words and with which metadata.
    """
    by_key: dict[str, list[AlertInput]] = {}
    for alert in alerts:
        by_key.setdefault(alert.key, []).append(alert)
    return [
        Trouble(
            key=key,
            first=reports[0],
            worst=max(reports, key=lambda report: severity_rank(report.severity)),
            began_at=min(report.occurred_at for report in reports),
            last_seen_at=max(report.occurred_at for report in reports),
            reports=len(reports),
        )
        for key, reports in sorted(by_key.items())
    ]

"""The numbers of the overview: each part is one statement or two, however many rows there are."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from dashboards import ages
from dashboards.queries.reader import seen_sites
from dashboards.queries.work import FRAUD_ALERTS
from noc.alerts.models import Alert
from noc.audit.models import Finding
from noc.audit.presence import Present, presence
from noc.events.stats import event_stats
from noc.extensions import session
from noc.fraud.so_far import FraudSoFar, fraud_so_far
from noc.identity.principal import required_principal
from noc.identity.site_settings import SiteSettings, read_site_settings
from noc.tickets import clock
from noc.tickets.board import list_due
from noc.tickets.models import OPEN_STATUSES, Ticket
from noc.tickets.schemas import TicketFilters
from noc.workforce.models import Site

AWAY = ("DEVICE_SILENT", "POST_ABANDONED")
"""Findings that say that somebody is not heard of, or not where they should be."""

POINTS = {"CRITICAL": 8, "HIGH": 4, "MEDIUM": 2, "LOW": 1, "INFO": 0} | {
    "overdue": 4, "fraud": 2, "away": 4,
}  # fmt: skip
"""What a site's troubles count in its rank. Our own choice: critical work first, no learned weight.

``fraud`` is a fraud alert of the last 24 hours, on top of what it counts while it is open.
"""

RESPONSE_DAYS = 7

Grid = dict[str, Counter[str]]


def config() -> SiteSettings:
    """The settings that these numbers depend on. One query."""
    return read_site_settings(
        required_principal().tenant_id, ("fraud_score_ticket_threshold", "audit_pulse_minutes")
    )


def open_alerts(now: dt.datetime) -> Grid:
    """Open alerts by severity and age; muted ones are open, too. One query."""
    query = select(Alert.severity, _age(Alert.occurred_at, now), func.count()).where(
        *_mine(Alert), Alert.status != "RESOLVED"
    )
    found: Grid = {}
    for severity, age, count in session().execute(query.group_by(Alert.severity, "age")):
        found.setdefault(severity, Counter())[age] += count
    return found


def open_tickets(now: dt.datetime) -> tuple[Grid, Counter[str]]:
    """Open tickets by priority and age, and by how they stand with their time. One query."""
    sla = clock.standing(now).label("sla")
    query = (
        select(Ticket.priority, _age(Ticket.created_at, now), sla, func.count())
        .where(*_mine(Ticket), Ticket.status.in_(OPEN_STATUSES))
        .group_by(Ticket.priority, "age", "sla")
    )
    found: Grid = {}
    standing: Counter[str] = Counter()
    for priority, age, how, count in session().execute(query):
        found.setdefault(priority, Counter())[age] += count
        standing[how] += count
    return found, standing


def urgent(now: dt.datetime, limit: int) -> list[dict[str, Any]]:
    """The tickets that are overdue or at risk, the longest overdue first. One query."""
    late = TicketFilters(open=True, sla=("overdue", "at_risk"))
    return list_due(late, now=now, limit=limit, site_ids=seen_sites())


@dataclass
class SiteTrouble:
    """What is wrong at a site: ``counts`` by the names of :data:`POINTS`."""

    id: int
    name: str
    counts: Counter[str] = field(default_factory=Counter)
    finding_id: int | None = None

    @property
    def points(self) -> int:
        """The place in the rank."""
        return sum(POINTS[what] * count for what, count in self.counts.items())

    @property
    def alerts(self) -> int:
        """Open alerts that are not muted."""
        return sum(self.counts[code] for code in ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"))


def sites_by_trouble(now: dt.datetime) -> list[SiteTrouble]:
    """Every site that is seen, the most troubled first. One query.

    Muted alerts do not count: somebody has said that they were to be expected.
    """
    troubles = union_all(
        _per_site(
            Alert,
            Alert.severity,
            Alert.status != "RESOLVED",
            Alert.muted_until.is_(None),
        ),
        _per_site(
            Alert,
            literal("fraud"),
            Alert.alert_type.in_(FRAUD_ALERTS),
            Alert.occurred_at > now - dt.timedelta(hours=24),
        ),
        _per_site(
            Ticket,
            literal("overdue"),
            Ticket.status.in_(OPEN_STATUSES),
            clock.standing(now) == "overdue",
        ),
        _per_site(
            Finding,
            literal("away"),
            Finding.status != "RESOLVED",
            Finding.finding_type.in_(AWAY),
            newest=func.max(Finding.id),
        ),
    ).subquery()
    query = (
        select(Site.id, Site.name, troubles.c.what, troubles.c.count, troubles.c.newest)
        .outerjoin(troubles, troubles.c.site_id == Site.id)
        .where(Site.tenant_id == required_principal().tenant_id)
    )
    limited = seen_sites()
    if limited is not None:
        query = query.where(Site.id.in_(limited))
    sites: dict[int, SiteTrouble] = {}
    for row in session().execute(query).mappings():
        site = sites.setdefault(row["id"], SiteTrouble(row["id"], row["name"]))
        if row["what"] is not None:
            site.counts[row["what"]] += row["count"]
            site.finding_id = row["newest"] or site.finding_id
    return sorted(sites.values(), key=lambda site: (-site.points, -site.alerts, site.name))


def fraud_today(now: dt.datetime, settings: SiteSettings) -> FraudSoFar:
    """Fraud so far today, and what is usual by this hour. One query."""
    principal = required_principal()
    return fraud_so_far(
        tenant_id=principal.tenant_id, now=now, config=settings, site_ids=principal.site_ids
    )


def on_duty(now: dt.datetime, settings: SiteSettings) -> list[Present]:
    """Who is on duty now, those not heard of first. Two queries."""
    principal = required_principal()
    return presence(
        now, tenant_id=principal.tenant_id, config=settings, site_ids=principal.site_ids
    )


def feed(now: dt.datetime) -> dict[str, Any]:
    """Events of the last hour and how fast they were told. Two queries."""
    principal = required_principal()
    return event_stats(principal.tenant_id, now=now, hours=1, site_ids=principal.site_ids)


def response_times(now: dt.datetime) -> dict[str, dict[str, Any]]:
    """``count``, ``mean`` and ``median`` seconds of the last :data:`RESPONSE_DAYS`. One query.

    ``acknowledge`` and ``resolve`` of alerts, from their beginning; ``ticket`` from its opening
    to its resolution, the time on hold not counted. What expired by itself is nobody's doing.
    """
    since = now - dt.timedelta(days=RESPONSE_DAYS)
    parts = union_all(
        _spread("acknowledge", Alert, Alert.acknowledged_at, Alert.occurred_at, since),
        _spread("resolve", Alert, Alert.resolved_at, Alert.occurred_at, since).where(
            Alert.status == "RESOLVED", Alert.resolution != "EXPIRED"
        ),
        _spread(
            "ticket", Ticket, Ticket.resolved_at, Ticket.created_at, since, Ticket.paused_seconds
        ),
    )
    return {row["what"]: dict(row) for row in session().execute(parts).mappings()}


def _spread(
    what: str, model: Any, until: Any, start: Any, since: dt.datetime, off: Any = 0
) -> Select[Any]:
    seconds = func.greatest(func.extract("epoch", until - start) - off, 0)
    return select(
        literal(what).label("what"),
        func.count().label("count"),
        func.avg(seconds).label("mean"),
        func.percentile_cont(0.5).within_group(seconds).label("median"),
    ).where(*_mine(model), until > since)


def _per_site(
    model: Any, what: Any, *conditions: ColumnElement[bool], newest: Any = None
) -> Select[Any]:
    query = select(
        model.site_id,
        what.label("what"),
        func.count().label("count"),
        cast(null() if newest is None else newest, BigInteger).label("newest"),
    ).where(*_mine(model), model.site_id.is_not(None), *conditions)
    return query.group_by(model.site_id, "what")


def _age(moment: Any, now: dt.datetime) -> Any:
    return ages.of(moment, now).label("age")


def _mine(model: Any) -> list[ColumnElement[bool]]:
    """The tenant's rows, at the sites that the reader sees."""
    conditions: list[ColumnElement[bool]] = [model.tenant_id == required_principal().tenant_id]
    limited = seen_sites()
    return conditions if limited is None else [*conditions, model.site_id.in_(limited)]

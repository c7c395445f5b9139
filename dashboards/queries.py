"""What the pages read: the domain's own functions, for whoever is signed in.

Each function answers for the tenant and the sites of the request's principal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import func, or_, select

from dashboards import words
from noc.alerts.queries import alert_facets, find_alert
from noc.alerts.schemas import AlertFilters
from noc.attendance.models import AttendanceEvent
from noc.events import log
from noc.events.frames import event_fields
from noc.extensions import session
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.identity.models import Tenant, User
from noc.identity.principal import required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.tickets.models import Ticket, TicketEvidence
from noc.workforce.models import Person, Site

FEED_LENGTH = 200
"""Events of the log that the live page begins with."""

FRAUD_ALERTS = ("ATTENDANCE_ANOMALY", "ML_FRAUD_PREDICTION")


def seen_sites() -> Collection[int] | None:
    """The sites the principal is limited to; None for all."""
    return required_principal().site_ids


def account() -> dict[str, str]:
    """Who is signed in: name, role and company, as words."""
    principal = required_principal()
    tenant = session().get_one(Tenant, principal.tenant_id)
    user = session().get(User, (principal.tenant_id, principal.user_id))
    return {
        "name": principal.name,
        "role": words.say(words.ROLE, user.role) if user else "API token",
        "tenant": tenant.name,
    }


def sites() -> dict[str, dict[str, str]]:
    """Name and time zone of each site that is seen, by its id as text."""
    query = select(Site.id, Site.name, Site.timezone).where(
        Site.tenant_id == required_principal().tenant_id
    )
    limited = seen_sites()
    if limited is not None:
        query = query.where(Site.id.in_(limited))
    rows = session().execute(query.order_by(Site.name))
    return {str(row.id): {"name": row.name, "timezone": row.timezone} for row in rows}


def last_seq() -> int:
    """Where the tenant's event log ends."""
    return log.bounds(required_principal().tenant_id)[1]


def recent_frames() -> list[dict[str, Any]]:
    """The last events of the log as the feed's frames, oldest first."""
    principal = required_principal()
    after = max(0, last_seq() - FEED_LENGTH)
    events = log.read_after(principal.tenant_id, after, FEED_LENGTH, site_ids=principal.site_ids)
    return [event_fields(event) for event in events]


def counts(now: dt.datetime) -> dict[str, Any]:
    """The numbers above the feed: what is open, and how much is going on."""
    principal = required_principal()
    limited = seen_sites()
    open_alerts = alert_facets(AlertFilters(open=True), site_ids=limited)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    fraud = AlertFilters(alert_type=FRAUD_ALERTS, since=today)
    punches = select(func.count()).where(
        AttendanceEvent.tenant_id == principal.tenant_id,
        AttendanceEvent.occurred_at > now - dt.timedelta(hours=1),
        AttendanceEvent.occurred_at <= now,
    )
    if limited is not None:
        punches = punches.where(AttendanceEvent.site_id.in_(limited))
    return {
        "alerts": open_alerts["total"],
        "by_severity": {item["value"]: item["count"] for item in open_alerts["severity"]},
        "tickets": _open_tickets(limited),
        "punches": session().scalar(punches) or 0,
        "fraud_today": alert_facets(fraud, site_ids=limited)["total"],
    }


def _open_tickets(limited: Collection[int] | None) -> int:
    return 0


def find_people(text: str, *, limit: int, site_id: int | None = None) -> list[dict[str, Any]]:
    """People whose name or code contains ``text`` (any case), by name; with their home site."""
    query = (
        select(
            Person.id,
            Person.name,
            Person.code,
            Person.kind,
            Person.active,
            Person.home_site_id,
            Site.name.label("site_name"),
        )
        .outerjoin(Site, (Site.tenant_id == Person.tenant_id) & (Site.id == Person.home_site_id))
        .where(Person.tenant_id == required_principal().tenant_id)
        .order_by(Person.active.desc(), Person.name, Person.id)
        .limit(limit)
    )
    if wanted := text.strip():
        query = query.where(
            or_(
                Person.name.icontains(wanted, autoescape=True),
                Person.code.icontains(wanted, autoescape=True),
            )
        )
    limited = seen_sites()
    if limited is not None:
        query = query.where(Person.home_site_id.in_(limited))
    if site_id is not None:
        query = query.where(Person.home_site_id == site_id)
    return [dict(row) for row in session().execute(query).mappings()]


def zone(site_id: int | None) -> str | None:
    """The site's time zone."""
    return session().scalar(
        select(Site.timezone).where(
            Site.tenant_id == required_principal().tenant_id, Site.id == site_id
        )
    )


def ticket_threshold(site_id: int | None = None) -> float:
    """The score from which a ticket opens, as it holds for the site."""
    return tenant_settings(site_id).fraud_score_ticket_threshold


def alert(alert_id: int) -> dict[str, Any] | None:
    """An alert with its history; None if it is not to be seen."""
    return find_alert(alert_id, site_ids=seen_sites())


def anomaly_of_alert(alert_id: int) -> dict[str, Any] | None:
    """What was found about the punch that raised the alert, and by which model."""
    tenant_id = required_principal().tenant_id
    row = session().execute(
        select(
            AnomalyLog.anomaly_types,
            AnomalyLog.fraud_score,
            AnomalyLog.reasons,
            AnomalyLog.evidence,
            AnomalyLog.site_id,
            AnomalyLog.ticket_id,
            PredictionLog.model_version,
        )
        .outerjoin(
            PredictionLog,
            (PredictionLog.tenant_id == AnomalyLog.tenant_id)
            & (PredictionLog.attendance_event_id == AnomalyLog.attendance_event_id)
            & ~PredictionLog.is_shadow,
        )
        .where(AnomalyLog.tenant_id == tenant_id, AnomalyLog.alert_id == alert_id)
        .order_by(AnomalyLog.detected_at.desc())
        .limit(1)
    )
    found = row.mappings().one_or_none()
    return dict(found) if found else None


def ticket_of_alert(alert_id: int) -> dict[str, Any] | None:
    """The newest ticket that has the alert as evidence."""
    query = (
        select(Ticket.id, Ticket.number, Ticket.status)
        .join(
            TicketEvidence,
            (TicketEvidence.tenant_id == Ticket.tenant_id)
            & (TicketEvidence.ticket_id == Ticket.id),
        )
        .where(
            Ticket.tenant_id == required_principal().tenant_id,
            TicketEvidence.kind == "alert",
            TicketEvidence.ref == str(alert_id),
        )
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    found = session().execute(query).mappings().one_or_none()
    return dict(found) if found else None

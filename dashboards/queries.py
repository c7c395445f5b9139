"""What the pages read: the domain's own functions, for whoever is signed in.

Each function answers for the tenant and the sites of the request's principal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import func, or_, select

from dashboards import words
from noc.alerts.models import Alert
from noc.alerts.queries import alert_facets, find_alert, list_alerts
from noc.alerts.schemas import AlertFilters
from noc.attendance.models import AttendanceEvent
from noc.events import log
from noc.events.frames import event_fields
from noc.extensions import session
from noc.fraud import drilldown, reports
from noc.fraud.models import AnomalyLog
from noc.identity.models import Tenant, User
from noc.identity.principal import required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.rest.keyset import Key, Page
from noc.tickets.models import OPEN_STATUSES, Ticket, TicketEvidence
from noc.tickets.queries import find_ticket, list_tickets
from noc.tickets.schemas import TicketFilters
from noc.workforce.models import Person, Site

FEED_LENGTH = 200
"""Events of the log that the live page begins with."""

FRAUD_ALERTS = ("ATTENDANCE_ANOMALY", "ML_FRAUD_PREDICTION")


def seen_sites() -> Collection[int] | None:
    """The sites the principal is limited to; None for all."""
    return required_principal().site_ids


def account() -> dict[str, Any]:
    """Who is signed in: name, role and company as words; ``simulated`` for a demonstration."""
    principal = required_principal()
    tenant = session().get_one(Tenant, principal.tenant_id)
    user = session().get(User, (principal.tenant_id, principal.user_id))
    return {
        "name": principal.name,
        "role": words.say(words.ROLE, user.role) if user else "API token",
        "tenant": tenant.name,
        "simulated": tenant.simulated is not None,
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
    """The last events of the log as the feed's frames, oldest first.

    With ``occurred_at`` beside: when the alert began or the ticket was opened, which may be long
    before it was logged.
    """
    principal = required_principal()
    after = max(0, last_seq() - FEED_LENGTH)
    events = log.read_after(principal.tenant_id, after, FEED_LENGTH, site_ids=principal.site_ids)
    frames = [event_fields(event) for event in events]
    began = {
        name: _moments(model, moment, {frame[name] for frame in frames if frame.get(name)})
        for name, model, moment in (
            ("alert_id", Alert, Alert.occurred_at),
            ("ticket_id", Ticket, Ticket.created_at),
        )
    }
    for frame in frames:
        name = "ticket_id" if frame["type"] == "ticket_updated" else "alert_id"
        at = began[name].get(frame.get(name) or 0)
        frame["occurred_at"] = at.isoformat() if at else None
    return frames


def _moments(model: Any, moment: Any, keys: Collection[int]) -> dict[int, dt.datetime]:
    rows = session().execute(
        select(model.id, moment).where(
            model.tenant_id == required_principal().tenant_id, model.id.in_(keys)
        )
    )
    return {row[0]: row[1] for row in rows}


def counts(now: dt.datetime) -> dict[str, Any]:
    """The numbers above the feed: what is open, and how much is going on."""
    principal = required_principal()
    limited = seen_sites()
    open_alerts = alert_facets(AlertFilters(open=True), site_ids=limited)
    fraud = AlertFilters(alert_type=FRAUD_ALERTS, since=now - dt.timedelta(hours=24))
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
        "fraud": alert_facets(fraud, site_ids=limited)["total"],
    }


def _open_tickets(limited: Collection[int] | None) -> int:
    query = select(func.count()).where(
        Ticket.tenant_id == required_principal().tenant_id, Ticket.status.in_(OPEN_STATUSES)
    )
    if limited is not None:
        query = query.where(Ticket.site_id.in_(limited))
    return session().scalar(query) or 0


def alert_filters(
    state: str | None, severity: str | None, kind: str | None, site: str | None
) -> AlertFilters:
    """The filters of the alerts page; ValidationError for a value it does not offer."""
    return AlertFilters.model_validate(
        {
            "status": state if state not in (None, "open", "all") else (),
            "open": True if state == "open" else None,
            "severity": severity or (),
            "alert_type": FRAUD_ALERTS if kind == "fraud" else kind or (),
            "site_id": site or (),
        }
    )


def alerts_of(person_id: int) -> AlertFilters:
    """The filters that keep the alerts about one person."""
    return AlertFilters(person_id=person_id)


def alerts(filters: AlertFilters, *, limit: int, cursor: list[Any] | None = None) -> Page:
    """A page of alerts, latest first."""
    return list_alerts(filters, site_ids=seen_sites(), limit=limit, after=_key(cursor))


def alert_counts(filters: AlertFilters) -> dict[str, Any]:
    """How many alerts each choice of each filter would list."""
    return alert_facets(filters, site_ids=seen_sites())


def ticket_filters(
    *,
    open: bool | None = None,
    assignee_id: int | None = None,
    site: str | None = None,
    person_id: int | None = None,
) -> TicketFilters:
    """The filters of the tickets page; ValidationError for a value it does not offer."""
    wanted = {"open": open, "assignee_id": assignee_id, "person_id": person_id}
    return TicketFilters.model_validate(wanted | {"site_id": site or ()})


def tickets(filters: TicketFilters, *, limit: int, cursor: list[Any] | None = None) -> Page:
    """A page of tickets, latest first."""
    return list_tickets(filters, site_ids=seen_sites(), limit=limit, after=_key(cursor))


def ticket(ticket_id: int) -> dict[str, Any] | None:
    """A ticket with its evidence and history; None if it is not to be seen."""
    return find_ticket(ticket_id, site_ids=seen_sites())


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


def punch_of_alert(alert_id: int) -> int | None:
    """The punch that raised the alert, where a punch did."""
    return session().scalar(
        select(AnomalyLog.attendance_event_id)
        .where(
            AnomalyLog.tenant_id == required_principal().tenant_id, AnomalyLog.alert_id == alert_id
        )
        .order_by(AnomalyLog.detected_at.desc())
        .limit(1)
    )


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


def punch_score(punch_id: int) -> dict[str, Any] | None:
    """Score and reasons of a punch; None where it has none or is not to be seen."""
    found = punch_scores([punch_id])
    return found[0] if found else None


def punch_scores(punch_ids: Collection[int]) -> list[dict[str, Any]]:
    """Scores and reasons of punches, latest first, as far as they are to be seen."""
    principal = required_principal()
    return drilldown.of_punches(
        punch_ids, tenant_id=principal.tenant_id, site_ids=principal.site_ids
    )


def cell_scores(
    site_id: int, hour: int, days: int, now: dt.datetime, limit: int
) -> list[dict[str, Any]]:
    """The punches behind a cell of the heatmap, highest score first."""
    principal = required_principal()
    return drilldown.of_cell(
        site_id,
        hour,
        days,
        tenant_id=principal.tenant_id,
        now=now,
        limit=limit,
        site_ids=principal.site_ids,
    )


def heatmap(days: int, site_id: int | None, now: dt.datetime) -> dict[str, Any]:
    """Scores by site and hour of the week; the share counts what would open a ticket."""
    principal = required_principal()
    return reports.heatmap(
        days,
        site_id,
        tenant_id=principal.tenant_id,
        now=now,
        threshold=ticket_threshold(site_id),
        site_ids=principal.site_ids,
    )


def score_history(person_id: int, days: int, now: dt.datetime) -> dict[str, Any]:
    """A person's scores and habits; Problem 404 where they are not to be seen."""
    principal = required_principal()
    return reports.history(
        person_id, days, tenant_id=principal.tenant_id, now=now, site_ids=principal.site_ids
    )


def person(person_id: int) -> dict[str, Any] | None:
    """Name, code and home site of a person; None where they are not to be seen.

    Seen is who is at home at a seen site, or has punched at one.
    """
    principal = required_principal()
    query = (
        select(
            Person.id,
            Person.name,
            Person.code,
            Person.kind,
            Person.active,
            Person.home_site_id,
            Site.name.label("site_name"),
            Site.timezone,
        )
        .outerjoin(Site, (Site.tenant_id == Person.tenant_id) & (Site.id == Person.home_site_id))
        .where(Person.tenant_id == principal.tenant_id, Person.id == person_id)
    )
    if principal.site_ids is not None:
        here = select(AttendanceEvent.id).where(
            AttendanceEvent.tenant_id == principal.tenant_id,
            AttendanceEvent.person_id == person_id,
            AttendanceEvent.site_id.in_(principal.site_ids),
        )
        query = query.where(Person.home_site_id.in_(principal.site_ids) | here.exists())
    found = session().execute(query).mappings().one_or_none()
    return dict(found) if found else None


def next_key(page: Page) -> list[Any] | None:
    """Where the next page begins, as the browser keeps it; None on the last one."""
    return [page.after[0].isoformat(), page.after[1]] if page.after else None


def _key(kept: list[Any] | None) -> Key | None:
    return (dt.datetime.fromisoformat(kept[0]), int(kept[1])) if kept else None

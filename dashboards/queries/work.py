"""Alerts and tickets: lists, single ones, and what belongs together."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from dashboards import ages
from dashboards.queries.reader import seen_sites
from noc.alerts.models import Alert
from noc.alerts.queries import alert_facets, find_alert, list_alerts
from noc.alerts.schemas import AlertFilters
from noc.audit.queries import find_finding, name_findings
from noc.database.base import utcnow
from noc.extensions import session
from noc.fraud.models import AnomalyLog
from noc.identity.principal import required_principal
from noc.incidents.queries import find_incident
from noc.rest.keyset import Key, Page
from noc.tickets import board
from noc.tickets.models import Ticket, TicketEvidence
from noc.tickets.queries import find_ticket, list_tickets
from noc.tickets.schemas import TicketFilters
from noc.workforce.models import Site

FRAUD_ALERTS = ("ATTENDANCE_ANOMALY", "ML_FRAUD_PREDICTION")


def alert_filters(
    state: str | None,
    severity: str | None,
    kind: str | None,
    site: int | None,
    age: str | None = None,
) -> AlertFilters:
    """The filters of the alerts page; ValidationError for a value it does not offer."""
    return AlertFilters.model_validate(
        {
            "status": state if state not in (None, "open", "all", "MUTED") else (),
            "open": True if state in ("open", "MUTED") else None,
            "muted": True if state == "MUTED" else None,
            "severity": severity or (),
            "alert_type": FRAUD_ALERTS if kind == "fraud" else kind or (),
            "site_id": (site,) if site else (),
        }
        | ages.period(age, utcnow())
    )


def alerts_of(person_id: int) -> AlertFilters:
    """The filters that keep the alerts about one person."""
    return AlertFilters(person_id=person_id)


def alerts(filters: AlertFilters, *, limit: int, cursor: Key | None = None) -> Page:
    """A page of alerts, latest first."""
    return list_alerts(filters, site_ids=seen_sites(), limit=limit, after=cursor)


def alert_counts(filters: AlertFilters) -> dict[str, Any]:
    """How many alerts each choice of each filter would list."""
    return alert_facets(filters, site_ids=seen_sites())


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


def zones_of_alerts(alert_ids: Collection[int]) -> dict[int, str]:
    """The time zone of each alert's site, of those that have one."""
    rows = session().execute(
        select(Alert.id, Site.timezone)
        .join(Site, (Site.tenant_id == Alert.tenant_id) & (Site.id == Alert.site_id))
        .where(Alert.tenant_id == required_principal().tenant_id, Alert.id.in_(alert_ids))
    )
    return {row.id: row.timezone for row in rows}


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


def finding(finding_id: int) -> dict[str, Any] | None:
    """A finding with its evidence; None if it is not to be seen."""
    return find_finding(finding_id, site_ids=seen_sites())


def findings(finding_ids: Collection[int]) -> list[dict[str, Any]]:
    """Those of the findings that are to be seen, latest first."""
    return name_findings(finding_ids, site_ids=seen_sites())


def incident(incident_id: uuid.UUID) -> dict[str, Any] | None:
    """An incident with its alerts and notes; None if it is not to be seen."""
    return find_incident(incident_id, site_ids=seen_sites())


def ticket_filters(
    *,
    open: bool | None = None,
    assignee_id: int | None = None,
    site: int | None = None,
    person_id: int | None = None,
    sla: str | None = None,
    priority: str | None = None,
    category: str | None = None,
    age: str | None = None,
) -> TicketFilters:
    """The filters of the tickets page; ValidationError for a value it does not offer."""
    chosen = {"sla": sla, "priority": priority, "category": category, "site_id": site}
    wanted: dict[str, Any] = {name: (value,) for name, value in chosen.items() if value}
    wanted |= {"open": open, "assignee_id": assignee_id, "person_id": person_id}
    return TicketFilters.model_validate(wanted | ages.period(age, utcnow()))


def tickets(filters: TicketFilters, *, limit: int, cursor: Key | None = None) -> Page:
    """A page of tickets, latest first."""
    return list_tickets(filters, now=utcnow(), site_ids=seen_sites(), limit=limit, after=cursor)


def ticket_board(filters: TicketFilters, limit: int) -> dict[str, dict[str, Any]]:
    """The columns of the board, each with its first tickets."""
    return board.board(filters, now=utcnow(), limit=limit, site_ids=seen_sites())


def ticket_counts(filters: TicketFilters) -> dict[str, int]:
    """How many open tickets there are, and of them overdue, at risk, the reader's own."""
    return board.open_counts(
        filters, user_id=required_principal().user_id, now=utcnow(), site_ids=seen_sites()
    )


def ticket_numbered(number: str) -> int | None:
    """The id of the ticket that people call so; None if it is not to be seen."""
    found = list_tickets(
        TicketFilters(number=number), now=utcnow(), site_ids=seen_sites(), limit=1
    ).items
    return found[0]["id"] if found else None


def ticket(ticket_id: int) -> dict[str, Any] | None:
    """A ticket with its evidence and history; None if it is not to be seen."""
    return find_ticket(ticket_id, now=utcnow(), site_ids=seen_sites())


def next_key(page: Page) -> list[Any] | None:
    """Where the next page begins, as the browser keeps it; None on the last one."""
    return [page.after[0].isoformat(), page.after[1]] if page.after else None

"""Tickets that somebody opens from alerts, with the alerts as their evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from noc.alerts.models import Alert
from noc.database.tenancy import required_tenant
from noc.domain import SEVERITIES
from noc.extensions import session
from noc.rest.problems import Problem, not_found
from noc.tickets.models import OPEN_STATUSES, Ticket, TicketEvidence
from noc.tickets.workflow import TicketDraft, open_once
from noc.workforce.references import look_up

_FRAUD = frozenset({"ATTENDANCE_ANOMALY", "ML_FRAUD_PREDICTION"})
_PRIORITY = {"CRITICAL": "HIGH", "HIGH": "HIGH", "MEDIUM": "MEDIUM"}
_LISTED = 20
"""Alerts that the description names one by one; all of them are evidence."""


@dataclass(frozen=True, slots=True)
class Ticketed:
    """The open ticket that has the alert as evidence, or the problem.

    ``created`` is False where an open ticket had it already.
    """

    alert_id: int
    ticket_id: int | None = None
    number: str = ""
    created: bool = False
    problem: Problem | None = None


def open_tickets(
    alert_ids: Collection[int],
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    names: Mapping[str, str] | None = None,
) -> list[Ticketed]:
    """Open a ticket about the alerts, one for each site among them; answers in their order.

    An alert that an open ticket has as evidence stays with that one. The alerts are locked
    first, so that of two people who open tickets from the same alert the second finds the
    first's. A fraud alert brings its punch, so that the ticket's outcome labels it. 404 for an
    alert that is not there for whoever is limited to ``site_ids``. ``names``: words for types
    of alerts. The number of statements does not depend on that of alerts.
    """
    wanted = list(dict.fromkeys(alert_ids))
    alerts = {alert.id: alert for alert in _locked(wanted, site_ids)}
    held = _holders(alerts, site_ids)
    by_site: dict[int | None, list[Alert]] = {}
    for key in wanted:
        if key in alerts and key not in held:
            by_site.setdefault(alerts[key].site_id, []).append(alerts[key])
    drafts = _drafts(list(by_site.values()), names or {})
    opened: dict[int, Ticketed] = {}
    for group, ticket in zip(
        by_site.values(), open_once(drafts, now=now, user_id=user_id), strict=True
    ):
        for alert in group:
            opened[alert.id] = Ticketed(alert.id, ticket.ticket_id, ticket.number, created=True)
    return [
        opened.get(key) or held.get(key) or Ticketed(key, problem=not_found("alert"))
        for key in wanted
    ]


def _locked(alert_ids: Sequence[int], site_ids: Collection[int] | None) -> Sequence[Alert]:
    # In the order in which every writer of alerts locks them: two orders would deadlock.
    query = select(Alert).where(Alert.tenant_id == required_tenant(), Alert.id.in_(alert_ids))
    if site_ids is not None:
        query = query.where(Alert.site_id.in_(site_ids))
    return (
        session()
        .scalars(
            query.order_by(Alert.dedup_key.collate("C"))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        .all()
    )


def _holders(alert_ids: Collection[int], site_ids: Collection[int] | None) -> dict[int, Ticketed]:
    """The newest open ticket that has each alert as evidence, of those that may be seen."""
    query = (
        select(TicketEvidence.ref, Ticket.id, Ticket.number)
        .join(
            Ticket,
            (Ticket.tenant_id == TicketEvidence.tenant_id)
            & (Ticket.id == TicketEvidence.ticket_id),
        )
        .where(
            TicketEvidence.tenant_id == required_tenant(),
            TicketEvidence.kind == "alert",
            TicketEvidence.ref.in_([str(key) for key in alert_ids]),
            Ticket.status.in_(OPEN_STATUSES),
        )
        .order_by(Ticket.id)
    )
    if site_ids is not None:
        query = query.where(Ticket.site_id.in_(site_ids))
    return {
        int(row.ref): Ticketed(int(row.ref), row.id, row.number) for row in session().execute(query)
    }


def _drafts(groups: Sequence[Sequence[Alert]], names: Mapping[str, str]) -> list[TicketDraft]:
    alerts = [alert for group in groups for alert in group]
    known = look_up((alert.person_id for alert in alerts), (alert.site_id for alert in alerts))
    return [_draft(group, known.people, known.sites, names) for group in groups]


def _draft(
    alerts: Sequence[Alert],
    people: Mapping[int, str],
    sites: Mapping[int, str],
    names: Mapping[str, str],
) -> TicketDraft:
    worst = max(alerts, key=lambda alert: SEVERITIES.index(alert.severity))
    fraud = all(alert.alert_type in _FRAUD for alert in alerts)
    person_ids = {alert.person_id for alert in alerts}
    person_id = next(iter(person_ids)) if len(person_ids) == 1 else None
    site_id = alerts[0].site_id
    where = people.get(person_id or 0) or sites.get(site_id or 0) or "whole company"
    kind = names.get(worst.alert_type) or worst.alert_type.replace("_", " ").capitalize()
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    punches = [
        ("punch", alert.entity_id)
        for alert in alerts
        if alert.alert_type in _FRAUD and alert.entity_type == "punch" and alert.entity_id
    ]
    return TicketDraft(
        title=f"{kind}{more}: {where}"[:200],
        description=_description(alerts),
        priority=_PRIORITY.get(worst.severity, "LOW"),
        category="SECURITY_FRAUD" if fraud else "SECURITY",
        source="MANUAL",
        site_id=site_id,
        person_id=person_id,
        evidence=(*(("alert", str(alert.id)) for alert in alerts), *punches),
    )


def _description(alerts: Sequence[Alert]) -> str:
    lines = [
        f"- {alert.occurred_at:%Y-%m-%d %H:%M} UTC, {alert.severity.lower()}: {alert.message}"
        for alert in alerts[:_LISTED]
    ]
    left = len(alerts) - _LISTED
    return "\n".join((*lines, f"- and {left} more") if left > 0 else lines)

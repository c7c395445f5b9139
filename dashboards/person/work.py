"""The work about the person: their latest alerts and tickets, for everybody who sees the page."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks, queries, words
from dashboards.person import parts
from dashboards.tickets.wording import title

LISTED = 10


def lists(person: dict[str, Any]) -> list[html.Section]:
    """Alerts and tickets, latest first; each opens in the drawer."""
    return [
        _alerts(person["id"], person["timezone"]),
        _tickets(person["id"], person["timezone"]),
    ]


def _alerts(person_id: int, zone: str | None) -> html.Section:
    page = queries.work.alerts(queries.work.alerts_of(person_id), limit=LISTED)
    rows = [
        html.Li(
            [
                marks.severity(item["severity"]),
                marks.opens(f"alert:{item['id']}", words.say(words.ALERT, item["alert_type"])),
                marks.state(item["status"]),
                marks.moment(item["occurred_at"], zone),
            ]
        )
        for item in page.items
    ]
    return _listing("Alerts", rows, "No alerts about this person.")


def _tickets(person_id: int, zone: str | None) -> html.Section:
    page = queries.work.tickets(queries.work.ticket_filters(person_id=person_id), limit=LISTED)
    rows = [
        html.Li(
            [
                marks.severity(item["priority"]),
                marks.opens(f"ticket:{item['id']}", f"{item['number']}: {title(item)}"),
                marks.state(item["status"]),
                marks.moment(item["created_at"], zone),
            ]
        )
        for item in page.items
    ]
    return _listing("Tickets", rows, "No tickets about this person.")


def _listing(name: str, rows: list[html.Li], nothing: str) -> html.Section:
    body = html.Ul(rows, className="lines") if rows else parts.nothing(nothing)
    return marks.section(name, body)

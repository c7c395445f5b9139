"""What a ticket has left of its time, counted down by ``assets/tickets.js``."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import words
from dashboards.marks import data


def left(ticket: dict[str, Any], zone: str | None = None) -> html.Time | html.Span:
    """The time left, or by how much it is late; it stands while the ticket is on hold."""
    if ticket["due_at"] is None or ticket["sla"] == "none":
        return html.Span("No time set", className="left muted")
    if ticket["sla"] in ("met", "missed"):
        return html.Span(words.SLA[ticket["sla"]], className=f"left sla-{ticket['sla']}")
    seconds = ticket["remaining_seconds"]
    late = seconds < 0
    stands = ticket["status"] == "ON_HOLD"
    text = f"{words.span(abs(seconds))} {'late' if late else 'left'}"
    return html.Time(
        f"{text}, clock stands" if stands else text,
        dateTime=ticket["due_at"].isoformat(),
        className=f"left sla-{ticket['sla']}",
        **data(
            left=str(seconds),
            stands="yes" if stands else "",
            zone=zone or "",
        ),
    )

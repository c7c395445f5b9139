"""What can be done with a ticket in the drawer."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards.detail import parts
from dashboards.marks import aria
from noc.identity.assignees import list_assignees
from noc.identity.capabilities import OPERATE
from noc.identity.principal import required_principal
from noc.tickets.models import PRIORITIES, RESOLUTIONS
from noc.tickets.transitions import TRANSITIONS

STEPS = {
    "IN_PROGRESS": "Start work",
    "ON_HOLD": "Put on hold",
    "CLOSED": "Close",
    "CANCELLED": "Cancel",
}


def actions(ticket: dict[str, Any]) -> html.Div | None:
    """Fields and buttons for what the workflow allows now; nothing for who may not operate."""
    principal = required_principal()
    if not principal.may(OPERATE):
        return None
    key, allowed = ticket["id"], TRANSITIONS[ticket["status"]]
    mine = ticket["assignee_id"] == principal.user_id
    steps = [
        parts.button("ticket", status, key, label, primary=status == "IN_PROGRESS" and mine)
        for status, label in _labels(ticket["status"]).items()
        if status in allowed
    ]
    if not mine and "RESOLVED" in allowed and principal.user_id is not None:
        steps.insert(0, parts.button("ticket", "mine", key, "Take it", primary=True))
    return html.Div(
        [
            parts.note("ticket", key, "Comment: what was found, what the guard says"),
            _line(parts.button("ticket", "comment", key, "Comment"), *steps),
            *(_of_open(ticket) if "RESOLVED" in allowed else []),
        ],
        className="act",
    )


def _of_open(ticket: dict[str, Any]) -> list[Any]:
    key = ticket["id"]
    return [
        _line(
            parts.resolution("ticket", key, RESOLUTIONS),
            parts.button("ticket", "RESOLVED", key, "Resolve"),
        ),
        _line(
            parts.priority("ticket", key, PRIORITIES, ticket["priority"]),
            parts.button("ticket", "priority", key, "Set priority"),
        ),
        _line(_people(ticket), parts.button("ticket", "assign", key, "Assign")),
        _line(
            dmc.TextInput(
                id={"type": "ticket-into", "key": key},
                placeholder="T-000001",
                className="resolution typed",
                **aria(label="Number of the ticket that goes on"),
            ),
            parts.button("ticket", "merge", key, "Merge into that one"),
        ),
        html.P(
            "Merged, this ticket is resolved as a duplicate, and the other one gets its evidence.",
            className="act-hint",
        ),
    ]


def _people(ticket: dict[str, Any]) -> dmc.Select:
    has = ticket["assignee_id"]
    people = [one for one in list_assignees() if one.sees_site(ticket["site_id"])]
    known = {one.user_id for one in people}
    return dmc.Select(
        id={"type": "ticket-assignee", "key": ticket["id"]},
        data=[{"value": str(one.user_id), "label": one.name} for one in people],
        # Who has it may have left; then nobody is chosen.
        value=str(has) if has in known else None,
        placeholder="To whom",
        searchable=True,
        nothingFoundMessage="Nobody of that name works here",
        className="resolution",
        **aria(label="To whom"),
    )


def _line(*controls: Any) -> html.Div:
    return html.Div(list(controls), className="actions")


def _labels(status: str) -> dict[str, str]:
    return STEPS | ({"IN_PROGRESS": "Reopen"} if status == "RESOLVED" else {})

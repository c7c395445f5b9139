"""The drawer at the right: one alert, ticket or punch, with its evidence and next steps."""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from pydantic import Field
from typing_extensions import TypedDict

from dashboards import browser, callbacks, states
from dashboards.detail import alert, finding, incident, punch, ticket, ticket_unlinking
from dashboards.live import acting

KINDS = {
    "alert": alert,
    "ticket": ticket,
    "punch": punch,
    "finding": finding,
    "incident": incident,
}
"""Modules with ``TITLE`` and ``content(id)``."""

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""How an incident's id is written."""


def drawer() -> html.Div:
    """The empty drawer of the frame, and what carries actions on alerts to the server and back."""
    return html.Div(
        [
            dcc.Store(id="feed-action"),
            dcc.Store(id="feed-result"),
            *(dcc.Store(id=name) for name in ("undo-offer", "ticket-undo", "ticket-undone")),
            dmc.Drawer(
                [
                    html.Div(id="drawer-looking", className="looking", role="status"),
                    html.Div(id="detail"),
                ],
                id="drawer",
                title="",
                position="right",
                size=500,
                opened=False,
                closeButtonProps={"aria-label": "Close"},
            ),
        ]
    )


def register(ui: Dash) -> None:
    """Opened by ``noc.drawer.open(id)`` of ``shell.js``; filled here."""
    target, opened = Input("drawer-target", "data"), Input("drawer", "opened")
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "showDrawer", Output("drawer", "opened"), target, on_load=False)
    browser.call(ui, "drawerToggled", done, opened, on_load=False)
    callbacks.register(
        ui,
        fill,
        Output("detail", "children"),
        Output("drawer", "title"),
        Input("drawer-target", "data"),
        prevent_initial_call=True,
        running=[(Output("detail", "className"), "is-loading", "")],
    )
    browser.call(ui, "acted", done, Input("feed-result", "data"), on_load=False)
    browser.call(ui, "offerUndo", done, Input("undo-offer", "data"), on_load=False)
    browser.call(ui, "detailShown", done, Input("detail", "children"), on_load=False)
    callbacks.register(
        ui,
        acting.act,
        Output("feed-result", "data"),
        Input("feed-action", "data"),
        prevent_initial_call=True,
    )
    alert.register(ui)
    finding.register(ui)
    ticket.register(ui)
    ticket_unlinking.register(ui)


class Target(TypedDict):
    """What to show."""

    id: Annotated[str, Field(max_length=100)]


def fill(target: Target) -> tuple[Any, str]:
    """The content for ``{"id": "alert:12"}``, and the drawer's title."""
    kind, _, key = target["id"].partition(":")
    number = _number(kind, key)
    if kind not in KINDS or number is None:
        return states.not_found(kind if kind in KINDS else "thing"), ""
    return KINDS[kind].content(number), KINDS[kind].TITLE


def _number(kind: str, key: str) -> Any:
    """The key as its table has it; None where it cannot be one."""
    if kind == "incident":
        return uuid.UUID(key) if re.fullmatch(UUID, key) else None
    return int(key) if re.fullmatch("[0-9]{1,18}", key) else None

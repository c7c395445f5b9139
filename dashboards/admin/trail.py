"""Who did what: filters, pages, and the table as CSV."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html

from dashboards import browser, callbacks, marks, states, words
from dashboards.admin import kit, said, sight, steps
from dashboards.callbacks import Choice, Clicks, Cursor
from dashboards.marks import aria, icon
from noc.database.base import utcnow
from noc.identity import trail

LABEL = "Who did what"
WHAT = "The record of who did what"

PAGE = 100
_DAYS = (("1", "Today and yesterday"), ("7", "7 days"), ("30", "30 days"), ("365", "A year"))
_KINDS = (
    "user", "token", "setting", "site", "route", "window", "model", "baseline", "job",
)  # fmt: skip


def content() -> html.Div:
    """The filters; the table is read by a callback of its own."""
    return html.Div(
        [
            dcc.Store(id="admin-trail-next"),
            html.Div(
                [
                    dmc.TextInput(
                        id="admin-actor",
                        placeholder="Who",
                        debounce=300,
                        className="admin-filter",
                        leftSection=icon("search"),
                        **aria(label="Who did it, a part of the name"),
                    ),
                    dmc.TextInput(
                        id="admin-target",
                        placeholder="To what",
                        debounce=300,
                        className="admin-filter",
                        **aria(label="To what it was done, a part of the name"),
                    ),
                    dmc.Select(
                        id="admin-kind",
                        placeholder="Everything",
                        data=[
                            {"value": kind, "label": f"{words.say(said.TARGETS, kind)}s"}
                            for kind in _KINDS
                        ],
                        clearable=True,
                        className="toolbar-select",
                        **aria(label="What kind of thing"),
                    ),
                    dmc.Select(
                        id="admin-days",
                        placeholder="All time",
                        data=[{"value": value, "label": label} for value, label in _DAYS],
                        clearable=True,
                        className="toolbar-select",
                        **aria(label="Since when"),
                    ),
                    html.Span(className="spring"),
                    html.Button(
                        "CSV",
                        className="btn btn-small export",
                        title="Save the table as CSV: who did what",
                        type="button",
                        **marks.data(table="admin-trail-table", file="who-did-what"),
                    ),
                ],
                className="toolbar",
            ),
            html.Div(states.skeleton(34, 46, 46, 46, 46, 46), id="admin-trail-list"),
            html.Div(
                [
                    html.Button(
                        "Back to the newest", id="admin-trail-first", className="btn", n_clicks=0,
                        hidden=True,
                    ),
                    html.Button(
                        "Show older", id="admin-trail-older", className="btn", n_clicks=0,
                        hidden=True,
                    ),
                ],
                className="actions admin-pages",
            ),
        ],
        className="stack",
    )  # fmt: skip


def register(ui: Dash) -> None:
    """Read the list when a filter changes, and turn its pages."""
    filters = ("admin-actor", "admin-target", "admin-kind", "admin-days")
    callbacks.register(
        ui,
        show,
        Output("admin-trail-list", "children"),
        Output("admin-trail-next", "data"),
        Output("admin-trail-older", "hidden"),
        Output("admin-trail-first", "hidden"),
        *(Input(name, "value") for name in filters),
        Input("admin-trail-older", "n_clicks"),
        Input("admin-trail-first", "n_clicks"),
        State("admin-trail-next", "data"),
        running=[(Output("admin-trail-list", "className"), "is-loading", "")],
    )
    browser.keep_address(ui, *filters)


def show(
    actor: Choice, target: Choice, kind: Choice, days: Choice,
    _older: Clicks, _first: Clicks, cursor: Cursor,
) -> tuple[Any, ...]:  # fmt: skip
    """A page of it, latest first."""
    principal = sight.act("trail")
    older = ctx.triggered_id == "admin-trail-older"
    after = cursor if older else None
    since = utcnow() - dt.timedelta(days=int(days)) if days in dict(_DAYS) else None
    page = trail.read(
        tenant_id=principal.tenant_id,
        limit=PAGE,
        after=after,
        actor=steps.cleaned(actor),
        action=kind if kind in _KINDS else None,
        target=steps.cleaned(target),
        since=since,
    )
    following = [page.after[0].isoformat(), page.after[1]] if page.after else None
    return _table(page.items), following, page.after is None, after is None


def _table(items: list[dict[str, Any]]) -> Any:
    if not items:
        return html.Div(
            states.empty(
                "Nothing was done",
                "Changes of users, tokens, settings, sites, routes, windows, models and baselines "
                "are written down here for ever. With these filters there are none.",
                mark="search",
            ),
            className="panel",
        )
    rows = [
        kit.row(
            marks.moment(item["at"]),
            ("Who", _actor(item)),
            ("What", said.action(item["action"])),
            ("To what", kit.two(_target(item), words.say(said.TARGETS, item["target_kind"]))),
            ("Detail", html.Span(said.detail(item), className="admin-detail")),
        )
        for item in items
    ]
    head = ("When", "Who", "What", "To what", "Detail")
    table = kit.table("admin-trail-table", head, rows, label="Who did what")
    return html.Div(table, className="panel")


def _actor(item: dict[str, Any]) -> Any:
    if item["token_id"] is not None:
        return kit.two(item["actor"], "API token")
    return item["actor"][:1].upper() + item["actor"][1:]


def _target(item: dict[str, Any]) -> str:
    if item["target_kind"] == "setting":
        return said.setting(item["target_name"])
    return said.RUNS.get(item["target_name"]) or str(item["target_name"])

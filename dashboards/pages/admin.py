"""Administration: users, tokens, settings, sites, notifications, windows, jobs, who did what."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from dash import ALL, Dash, Input, Output, State, dcc, html

from dashboards import browser, callbacks, states
from dashboards.addresses import Address, query_of
from dashboards.admin import (
    jobs,
    kit,
    notifications,
    settings,
    sight,
    sites,
    tokens,
    trail,
    users,
    windows,
)
from dashboards.callbacks import Choice, Clicks
from dashboards.marks import aria
from noc.identity.capabilities import ADMIN
from noc.identity.principal import required_principal

TITLE = "Administration"

_PARTS: dict[str, ModuleType] = {
    "users": users,
    "tokens": tokens,
    "settings": settings,
    "sites": sites,
    "notifications": notifications,
    "windows": windows,
    "jobs": jobs,
    "trail": trail,
}
"""By the name in the address; each has ``LABEL``, ``WHAT``, ``content`` (which takes what else the
address says) and ``register``."""


def layout(query: dict[str, str]) -> html.Div:
    """The tabs and a place for the part; ``?part=tokens`` chooses one."""
    seen = sight.open_to(required_principal())
    if not seen:
        return html.Div(states.forbidden("Administration", ADMIN), className="panel")
    tabs = [
        dcc.Link(
            _PARTS[part].LABEL,
            href=f"/app/admin?part={part}",
            className="admin-tab",
            id={"type": "admin-tab", "part": part},
        )
        for part in seen
    ]
    return html.Div(
        [
            dcc.Store(id="admin-part", data=_chosen(query.get("part"))),
            html.Nav(tabs, className="admin-tabs", **aria(label="Parts of the administration")),
            html.Div(id="admin-secret"),
            html.Div(states.skeleton(44, 46, 46, 46, 46, 46), id="admin-body"),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """The part of the address; what each part does is its own."""
    callbacks.register(
        ui,
        show,
        Output("admin-body", "children"),
        Input("admin-part", "data"),
        Input({"type": "retry", "page": "admin-part", "n": ALL}, "n_clicks"),
        State("url", "search"),
    )
    browser.call(
        ui,
        "adminPart",
        Output("admin-part", "data"),
        Output("admin-secret", "children"),
        Input("url", "search"),
        State("admin-part", "data"),
        on_load=False,
    )
    marked = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "adminTabs", marked, Input("admin-part", "data"))
    browser.call(ui, "arrived", marked, Input("admin-body", "children"))
    browser.call(
        ui,
        "adminForget",
        Output("admin-secret", "children", allow_duplicate=True),
        Input("admin-secret-close", "n_clicks"),
        on_load=False,
    )
    for part in _PARTS.values():
        part.register(ui)


def show(part: Choice, _retries: Clicks = None, search: Address = None) -> Any:
    """The part, its lists as the address says, for whoever may use it."""
    name = _chosen(part)
    need = sight.NEEDS[name]
    principal = required_principal()
    module = _PARTS[name]
    if not principal.may(need.capability):
        return html.Div(states.forbidden(module.WHAT, need.capability), className="panel")
    if need.whole and principal.site_ids is not None:
        notice = states.empty(
            f"{module.WHAT} concerns the whole company",
            "Your account is limited to some sites. An administrator without a limit can help.",
            mark="lock",
        )
        return html.Div(notice, className="panel")
    query = query_of(search)
    shown = kit.or_failed(module.WHAT, "part", lambda: module.content(query))
    return html.Div(shown, id=f"admin-{name}")


def _chosen(part: str | None) -> str:
    """A part there is: the one asked for, else the first that is open to the reader."""
    if part in _PARTS:
        return str(part)
    return next(iter(sight.open_to(required_principal())), "users")

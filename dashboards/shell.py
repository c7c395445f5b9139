"""What stands around every page: navigation, who is signed in, the feed's badge, colours."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from flask import request

from dashboards import browser, finder, queries, theme, words
from dashboards.detail import drawer
from dashboards.marks import aria, icon, icon_button
from dashboards.places import Nav, navigation
from dashboards.states import skeleton
from noc.identity.capabilities import FRAUD_VIEW, OPERATE
from noc.identity.principal import required_principal


def scheme() -> theme.Scheme:
    """Dark or light, as ``appearance.js`` told by cookie."""
    return "light" if request.cookies.get("noc_scheme") == "light" else "dark"


def layout() -> dmc.MantineProvider:
    """The frame for whoever is signed in, made anew for each page load."""
    who, lines = queries.reader.account(), navigation(required_principal())
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="scheme", data=scheme()),
            dcc.Store(id="feed-config", data=_feed_config()),
            dcc.Store(id="drawer-target"),
            dcc.Store(id="sink"),
            html.A("Skip to the page", href="#page", className="skip"),
            html.Div(
                [
                    _navigation(who, lines),
                    _top(),
                    html.Main(skeleton(72, 40, 420), id="page", tabIndex=0),
                ],
                className="shell",
            ),
            _sheet(who, lines),
            drawer(),
            html.Div(id="toasts", className="toasts", role="status", **aria(live="polite")),
        ],
        id="mantine",
        theme=theme.mantine(),
        forceColorScheme=scheme(),
    )


def register(ui: Dash) -> None:
    """The frame runs in the browser alone."""
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "start", done, Input("feed-config", "data"))
    browser.call(ui, "navigated", done, Input("url", "pathname"), Input("url", "search"))
    browser.call(
        ui,
        "switchScheme",
        Output("scheme", "data"),
        Output("mantine", "forceColorScheme"),
        Input("scheme-switch", "n_clicks"),
        State("scheme", "data"),
        on_load=False,
    )


def _feed_config() -> dict[str, Any]:
    """What the feed's script starts from: where to resume, and what this reader may do."""
    principal = required_principal()
    return {
        "path": "/ws/noc/dashboard/",
        "probe": "/api/v2/noc/events/",
        "after": queries.activity.last_seq(),
        "server_time": dt.datetime.now(dt.UTC).isoformat(),
        "sites": queries.reader.sites(),
        "may_operate": principal.may(OPERATE) and principal.user_id is not None,
        "may_see_fraud": principal.may(FRAUD_VIEW),
        "user_id": principal.user_id,
        "tenant_id": principal.tenant_id,
        "assignees": queries.reader.assignees(),
        "words": words.for_script(),
    }


def _navigation(who: dict[str, Any], lines: list[Nav]) -> html.Nav:
    more = html.Button(
        [icon("more"), html.Span("More")],
        id="nav-more",
        className="nav-link",
        type="button",
        **aria(haspopup="dialog", expanded="false", controls="nav-sheet"),
    )
    return html.Nav(
        [
            dcc.Link(
                [
                    html.Img(src=finder.MARK, alt="", width=24, height=24),
                    html.Span(
                        [
                            html.Span("NOC Intelligence", className="brand-name"),
                            html.Span(who["tenant"], className="brand-tenant"),
                        ]
                    ),
                ],
                href="/app/",
                className="brand",
            ),
            html.Div([*_groups(lines, "nav"), more], className="nav-links"),
            _simulated(who),
            _account(who),
        ],
        className="nav",
        **aria(label="Pages"),
    )


def _sheet(who: dict[str, Any], lines: list[Nav]) -> html.Dialog:
    """What a phone's bar has no room for; opened and closed by ``assets/shell.js``."""
    return html.Dialog(
        [
            html.Header(
                [html.H2("More pages"), icon_button("close", "Close", id="nav-sheet-close")],
                className="sheet-head",
            ),
            html.Nav(
                _groups([nav for nav in lines if not nav.near], "nav-more"),
                **aria(label="More pages"),
            ),
            _simulated(who),
            _account(who),
        ],
        id="nav-sheet",
        className="sheet",
        **aria(label="More pages"),
    )


def _groups(lines: list[Nav], kind: str) -> list[html.Div]:
    return [
        html.Div([html.H2(group), *(_link(nav, kind) for nav in found)], className="nav-group")
        for group, found in groupby(lines, key=lambda nav: nav.group)
    ]


def _link(nav: Nav, kind: str) -> dcc.Link:
    return dcc.Link(
        [icon(nav.icon), html.Span(nav.label)],
        href=nav.href,
        className="nav-link nav-near" if nav.near else "nav-link",
        id={"type": kind, "href": nav.href},
    )


def _simulated(who: dict[str, Any]) -> html.P | None:
    if not who["simulated"]:
        return None
    return html.P("Simulated company: people and punches are invented.", className="simulated")


def _account(who: dict[str, Any]) -> html.Div:
    initials = "".join(part[0] for part in who["name"].split()[:2]).upper()
    return html.Div(
        [
            html.Span(initials, className="initials", **aria(hidden="true")),
            html.Div(
                [
                    html.Div(who["name"], className="account-name"),
                    html.Div(who["role"], className="account-role"),
                ],
                className="account-words",
                title=f"{who['name']}, {who['role']}, {who['tenant']}",
            ),
            html.Form(
                icon_button("logout", "Sign out", type="submit"), action="/logout", method="POST"
            ),
        ],
        className="account",
    )


def _top() -> html.Header:
    return html.Header(
        [
            html.H1("", id="title"),
            finder.layout(),
            html.Button(
                [html.I(className="badge-dot"), html.Span("connecting")],
                id="feed-badge",
                className="badge badge-connecting",
                title="The live feed's connection",
                **aria(live="polite"),
            ),
            icon_button(
                "contrast", "Switch between dark and light", id="scheme-switch", n_clicks=0
            ),
        ],
        className="top",
    )

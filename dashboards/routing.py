"""Which page an address leads to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from dash import Dash, Input, Output, State

from dashboards import states
from dashboards.pages import alerts, heatmap, live, people, person, tickets

ROUTES = (
    (re.compile(r"^/app/?$"), live),
    (re.compile(r"^/app/heatmap/?$"), heatmap),
    (re.compile(r"^/app/people/?$"), people),
    (re.compile(r"^/app/person/(?P<person_id>[0-9]{1,18})/?$"), person),
    (re.compile(r"^/app/alerts/?$"), alerts),
    (re.compile(r"^/app/tickets/?$"), tickets),
)
"""Address and page module; a page has ``TITLE`` and ``layout(query, **parts of the address)``."""


def register(ui: Dash) -> None:
    """Show the page of the address, the first one and each one clicked to."""
    ui.callback(
        Output("page", "children"),
        Output("title", "children"),
        Input("url", "pathname"),
        State("url", "search"),
    )(show)


def show(pathname: str | None, search: str | None) -> tuple[Any, str]:
    """The page's content and its title."""
    query = {name: values[-1] for name, values in parse_qs((search or "").lstrip("?")).items()}
    for pattern, page in ROUTES:
        match = pattern.match(pathname or "/app/")
        if match:
            parts = {name: int(value) for name, value in match.groupdict().items()}
            return page.layout(query, **parts), page.TITLE
    return states.not_found("page"), "Not found"

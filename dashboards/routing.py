"""Which page an address leads to."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import parse_qs

from dash import Dash, Input, Output, State
from pydantic import Field

from dashboards import callbacks, states
from dashboards.pages import alerts, heatmap, live, model, people, person, tickets

Address = Annotated[str | None, Field(max_length=4000)]

ROUTES = (
    (re.compile(r"^/app/?$"), live),
    (re.compile(r"^/app/heatmap/?$"), heatmap),
    (re.compile(r"^/app/people/?$"), people),
    (re.compile(r"^/app/person/(?P<person_id>[0-9]{1,18})/?$"), person),
    (re.compile(r"^/app/alerts/?$"), alerts),
    (re.compile(r"^/app/tickets/?$"), tickets),
    (re.compile(r"^/app/model/?$"), model),
)
"""Address and page module; a page has ``TITLE`` and ``layout(query, **parts of the address)``."""


def register(ui: Dash) -> None:
    """Show the page of the address, the first one and each one clicked to."""
    callbacks.register(
        ui,
        show,
        Output("page", "children"),
        Output("title", "children"),
        Input("url", "pathname"),
        State("url", "search"),
    )


def show(pathname: Address, search: Address) -> tuple[Any, str]:
    """The page's content and its title."""
    query = {name: values[-1] for name, values in parse_qs((search or "").lstrip("?")).items()}
    for pattern, page in ROUTES:
        match = pattern.match(pathname or "/app/")
        if match:
            parts = {name: int(value) for name, value in match.groupdict().items()}
            return page.layout(query, **parts), page.TITLE
    return states.not_found("page"), "Not found"

"""Which page an address leads to."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State

from dashboards import callbacks, states
from dashboards.addresses import Address, query_of
from dashboards.places import PLACES


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
    query = query_of(search)
    for place in PLACES:
        parts = place.parts(pathname or "/app/")
        if parts is not None:
            return place.page.layout(query, **parts), place.page.TITLE
    return states.not_found("page"), "Not found"

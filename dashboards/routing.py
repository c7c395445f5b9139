"""Which page an address leads to."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from dash import Dash, Input, Output, State
from pydantic import Field

from dashboards import callbacks, states
from dashboards.places import PLACES

Address = Annotated[str | None, Field(max_length=4000)]


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
    for place in PLACES:
        parts = place.parts(pathname or "/app/")
        if parts is not None:
            return place.page.layout(query, **parts), place.page.TITLE
    return states.not_found("page"), "Not found"

"""Finding a person by name or code, from anywhere."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output

from dashboards import browser, callbacks, queries
from dashboards.callbacks import Choice
from dashboards.marks import aria
from dashboards.public_files import address

MARK = address("mark.svg")

_BETWEEN = " · "


def layout() -> dmc.Select:
    """The search field; ``/`` puts the cursor into it (``assets/shell.js``)."""
    return dmc.Select(
        id="finder",
        placeholder="Find a person",
        searchable=True,
        clearable=False,
        data=[],
        value=None,
        nothingFoundMessage="Nobody of that name or code",
        className="finder",
        **aria(label="Find a person by name or code"),
    )


def register(ui: Dash) -> None:
    """Search as the reader types; a choice leads to the person's page."""
    callbacks.register(
        ui,
        search,
        Output("finder", "data"),
        Input("finder", "searchValue"),
        prevent_initial_call=True,
    )
    browser.call(
        ui,
        "goTo",
        Output("url", "pathname"),
        Output("url", "search"),
        Output("finder", "value"),
        Input("finder", "value"),
        on_load=False,
    )


def search(text: Choice) -> list[dict[str, Any]]:
    """Up to twelve people whose name or code contains ``text``; a choice still finds itself."""
    wanted = (text or "").partition(_BETWEEN)[0]
    return [
        {"value": str(person["id"]), "label": f"{person['name']}{_BETWEEN}{person['code']}"}
        for person in queries.people.find_people(wanted, limit=12)
    ]

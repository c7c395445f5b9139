"""People: find a guard by name, code or site."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

from dashboards import browser, callbacks, queries, states, words
from dashboards.callbacks import Choice, Clicks, SiteChoice
from dashboards.marks import aria, icon

TITLE = "People"

SHOWN = 100


def layout(query: dict[str, str]) -> html.Div:
    """The search and what it finds; ``?text=&site=`` come from a link."""
    sites = queries.reader.sites()
    site = query.get("site")
    return html.Div(
        [
            html.Div(
                [
                    dmc.TextInput(
                        id="people-text",
                        value=query.get("text", ""),
                        placeholder="Name or code",
                        debounce=200,
                        leftSection=icon("search"),
                        className="people-search",
                        **aria(label="Name or code"),
                    ),
                    dmc.Select(
                        id="people-site",
                        placeholder="All sites",
                        value=site if site in sites else None,
                        data=[{"value": key, "label": one["name"]} for key, one in sites.items()],
                        clearable=True,
                        searchable=True,
                        className="toolbar-select",
                        **aria(label="Home site"),
                    ),
                ],
                className="toolbar",
            ),
            html.Div(states.skeleton(56, 56, 56, 56, 56), id="people-list"),
        ],
        className="page page-narrow",
    )


def register(ui: Dash) -> None:
    """Search as the reader types."""
    callbacks.register(
        ui,
        show,
        Output("people-list", "children"),
        Input("people-text", "value"),
        Input("people-site", "value"),
        states.asked_again("people"),
        running=[(Output("people-list", "className"), "is-loading", "")],
    )
    browser.keep_address(ui, "people-text", "people-site")


def show(text: Choice, site: SiteChoice, _again: Clicks = None) -> Any:
    """Up to :data:`SHOWN` people by name, each leading to their page."""
    return states.or_failed("The people", "people", lambda: _show(text, site))


def _show(text: str | None, site: int | None) -> Any:
    found = queries.people.find_people(text or "", limit=SHOWN + 1, site_id=site)
    if not found:
        return html.Div(
            states.empty(
                "Nobody found",
                "Search by a part of the name or the employee code."
                if text
                else "People appear here once they are added over the API or by an import.",
                mark="people",
            ),
            className="panel",
        )
    rows = [html.Li(_person(person)) for person in found[:SHOWN]]
    beyond = f"The first {SHOWN}; type more of the name to narrow it." if found[SHOWN:] else None
    return [
        html.Ul(rows, className="people panel"),
        html.P(beyond or words.count(len(found), "person", "people"), className="muted after"),
    ]


def _person(person: dict[str, Any]) -> dcc.Link:
    place = person["site_name"] or "No home site"
    return dcc.Link(
        [
            html.Span(person["name"], className="people-name"),
            html.Span(person["code"], className="muted num"),
            html.Span(place if person["active"] else f"{place} · inactive", className="muted"),
            icon("chevron"),
        ],
        href=f"/app/person/{person['id']}",
        className="people-row",
    )

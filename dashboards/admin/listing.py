"""A long list with a search, read a page at a time, and a place beside it for one of its rows.

The list has a callback of its own: what is opened, asked about and written beside it leaves the
list as it stands, and only what was changed has it read anew, as far as it was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, Patch, State, ctx, dcc, html, no_update
from pydantic import Field

from dashboards import browser, callbacks, states
from dashboards.admin import kit, sight, steps
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.marks import aria, icon, section

PAGE = 50
MOST_AT_ONCE = 500
"""Rows that are read anew after a change, however many were shown."""

Place = tuple[Id, Annotated[int, Field(ge=0, le=1_000_000)]] | None
"""The last row shown, and how many are."""

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Listing:
    """What is listed. ``read`` takes what was searched for, the last row shown, and how many."""

    part: str
    title: str
    search: str
    new: str
    head: tuple[str, ...]
    read: Callable[[str, int | None, int], Rows]
    rows: Callable[[Rows], list[html.Tr]]
    counted: Callable[[str], str]
    nothing: Callable[[str], html.Div]


def frame(listing: Listing) -> html.Div:
    """The list's frame; its rows come by themselves."""
    part = listing.part
    more = html.Button(
        "Show more", id=f"admin-{part}-more", className="btn", n_clicks=0, hidden=True,
        type="button",
    )  # fmt: skip
    body = [
        html.Div(states.skeleton(46, 46, 46, 46), id=f"admin-{part}-notice"),
        kit.table(f"admin-{part}-table", listing.head, [], label=listing.title),
        html.Div(more, className="actions admin-pages"),
    ]
    found = section(listing.title, html.Div(body), aside=_tools(listing))
    return html.Div(
        [
            dcc.Store(id=f"admin-{part}-place"),
            dcc.Store(id=f"admin-{part}-changed"),
            html.Div(found, className="stack"),
            html.Div(id=f"admin-{part}-side", className=steps.BESIDE),
        ],
        className="admin-split",
    )


def _tools(listing: Listing) -> html.Div:
    part = listing.part
    return html.Div(
        [
            html.Span(id=f"admin-{part}-count", className="muted", role="status"),
            dmc.TextInput(
                id=f"admin-{part}-search",
                placeholder=listing.search,
                debounce=300,
                className="admin-filter",
                leftSection=icon("search"),
                **aria(label=listing.search),
            ),
            kit.button(part, "new", listing.new, look="primary"),
        ],
        className="actions admin-find",
    )


def register(ui: Dash, listing: Listing, act: steps.Act) -> None:
    """Read the list, and have ``act`` answer with what stands beside it; 403 as ever."""
    part = listing.part

    def show(
        text: Choice, _changed: Clicks, _more: Clicks, _retries: Clicks, place: Place
    ) -> tuple[Any, ...]:
        sight.act(part)
        wanted = steps.cleaned(text)
        if ctx.triggered_id == f"admin-{part}-more" and place is not None:
            return _read(listing, lambda: _following(listing, wanted, place))
        shown = place[1] if place and ctx.triggered_id == f"admin-{part}-changed" else 0
        limit = min(max(PAGE, shown), MOST_AT_ONCE)
        return _read(listing, lambda: _from_the_first(listing, wanted, limit))

    callbacks.register(
        ui,
        show,
        Output(f"admin-{part}-table-rows", "children"),
        Output(f"admin-{part}-place", "data"),
        Output(f"admin-{part}-more", "hidden"),
        Output(f"admin-{part}-count", "children"),
        Output(f"admin-{part}-notice", "children"),
        Input(f"admin-{part}-search", "value"),
        Input(f"admin-{part}-changed", "data"),
        Input(f"admin-{part}-more", "n_clicks"),
        Input({"type": "retry", "page": f"admin-{part}-list", "n": ALL}, "n_clicks"),
        State(f"admin-{part}-place", "data"),
        running=[(Output(f"admin-{part}-table-rows", "className"), "is-loading", "")],
    )
    marked = Output("sink", "data", allow_duplicate=True)
    browser.call(
        ui, "adminMark", marked, Input(f"admin-{part}-table-rows", "children"), on_load=False
    )
    steps.register(ui, part, act, beside=True)


def _read(listing: Listing, build: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    """The outputs; where the database does not answer, rows stay and the notice says so."""
    retry = {"type": "retry", "page": f"admin-{listing.part}-list", "n": 0}
    answer = states.or_failed(listing.title, retry, build)
    if isinstance(answer, tuple):
        return answer
    return no_update, no_update, no_update, no_update, answer


def _from_the_first(listing: Listing, text: str, limit: int) -> tuple[Any, ...]:
    found = listing.read(text, None, limit + 1)
    rows = listing.rows(found[:limit])
    notice = None if found else listing.nothing(text)
    return rows, *_place(found, limit, 0), listing.counted(text), notice


def _following(listing: Listing, text: str, place: tuple[int, int]) -> tuple[Any, ...]:
    found = listing.read(text, place[0], PAGE + 1)
    lines = Patch()
    lines.extend(listing.rows(found[:PAGE]))
    return lines, *_place(found, PAGE, place[1]), no_update, None


def _place(found: Rows, limit: int, before: int) -> tuple[list[int] | None, bool]:
    """Where the next page begins, and whether there is none."""
    page = found[:limit]
    place = [page[-1]["id"], before + len(page)] if page else None
    return place, len(found) <= limit

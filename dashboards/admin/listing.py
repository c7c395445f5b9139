"""A long list with a search, read a page at a time, and a place beside it for one of its rows.

The list has a callback of its own: what is opened, asked about and written beside it leaves the
list as it stands, and only what was changed has it read anew, as far as it was shown. What narrows
it and how many pages of it are shown stand in the page's address.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from dash import Dash, Input, Output, Patch, State, ctx, dcc, html, no_update
from pydantic import Field

from dashboards import browser, callbacks, exports, states
from dashboards.admin import kit, sight, steps
from dashboards.admin.controls import Asked, Control, asked
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.marks import section
from noc.rest.quantities import UtcMoment

PAGE = 50
MOST_AT_ONCE = 500
"""Rows that are read at once after a change or by a link, however many were shown."""

Place = Id
AtPlace = tuple[UtcMoment, Id]
AtUuidPlace = tuple[UtcMoment, uuid.UUID]
GroupPlace = tuple[Annotated[int, Field(ge=0, le=9)], UtcMoment, Id]
"""Where the last row shown stands in the order of its list: by id, by a moment, in groups."""

Pages = Annotated[int, Field(ge=1, le=1_000_000)] | None
"""How many pages are shown; None for one."""

Row = dict[str, Any]
Rows = Sequence[Row]


def _by_id(row: Row) -> Any:
    return row["id"]


@dataclass(frozen=True)
class Listing:
    """What is listed in a part. Ids and the address have its controls as ``<name>-<control>``.

    ``read`` takes what is asked for, the ``place`` of the last row shown, and how many.
    """

    part: str
    name: str
    title: str
    controls: tuple[Control, ...]
    head: tuple[str, ...]
    read: Callable[[Asked, Any, int], Rows]
    rows: Callable[[Rows], list[html.Tr]]
    counted: Callable[[Asked], Any]
    nothing: Callable[[Asked], html.Div]
    new: str = ""
    place: Callable[[Row], Any] = _by_id
    places: Any = Place
    """Of what type its places are."""
    paged: str = "page"
    """What the address calls the number of pages shown."""
    look: str = "admin-table"
    beside: bool = False
    """It stands itself beside a list, ``of`` what is asked for; the address tells nothing of it."""

    def key(self, control: str) -> str:
        """The id of a control; the address calls it what stands behind the first dash."""
        return f"{self.name}-{control}"


def frame(part: str, *lists: html.Section, look: str = "admin-split") -> html.Div:
    """The lists of a part, and the place for one of their rows."""
    return html.Div(
        [
            dcc.Store(id=f"admin-{part}-changed"),
            html.Div(lists, className="stack"),
            html.Div(id=f"admin-{part}-side", className=steps.BESIDE),
        ],
        className=look,
    )


def place_for(listing: Listing, query: Mapping[str, str]) -> html.Section:
    """The list's frame, its controls as the link says; its rows come by themselves."""
    body, tools = _body(listing, query), _tools(listing, query)
    return section(listing.title, html.Div(body), aside=tools)


def place_of(
    listing: Listing, of: str, *, title: str, head: Sequence[html.Th], aside: Any, note: Any
) -> html.Section:
    """The frame of a list that stands beside another, of the row that it belongs to."""
    told = dcc.Store(id=f"admin-{listing.name}-of", data=of)
    aside = html.Div([_tools(listing, {}), aside], className="actions")
    return section(title, html.Div([told, *_body(listing, {}, head), note]), aside=aside)


def _body(
    listing: Listing, query: Mapping[str, str], head: Sequence[html.Th] | None = None
) -> list[Any]:
    name = listing.name
    more = html.Button(
        "Show more", id=f"admin-{name}-more", className="btn", n_clicks=0, hidden=True,
        type="button",
    )  # fmt: skip
    return [
        dcc.Store(id=f"admin-{name}-place"),
        dcc.Store(id=listing.key(listing.paged), data=_asked_pages(query.get(listing.paged))),
        html.Div(states.skeleton(46, 46, 46, 46), id=f"admin-{name}-notice"),
        kit.table(
            f"admin-{name}-table", head or listing.head, [], label=listing.title, look=listing.look
        ),
        html.Div(more, className="actions admin-pages"),
    ]


def _asked_pages(text: str | None) -> int | None:
    pages = min(steps.whole(text) or 1, MOST_AT_ONCE // PAGE)
    return pages if pages > 1 else None


def _tools(listing: Listing, query: Mapping[str, str]) -> html.Div:
    name = listing.name
    new = kit.button(listing.part, "new", listing.new, look="primary") if listing.new else None
    return html.Div(
        [
            html.Span(id=f"admin-{name}-count", className="muted", role="status"),
            *(one.control(listing.key(one.name), query) for one in listing.controls),
            exports.rows(f"admin-{name}-table", name),
            new,
        ],
        className="actions admin-find",
    )


def register(ui: Dash, part: str, act: steps.Act | None, *lists: Listing) -> None:
    """Read the lists, and have ``act`` answer with what stands beside them; 403 as ever."""
    for listing in lists:
        _register(ui, listing)
    if act is not None:
        steps.register(ui, part, act, beside=True)


def _register(ui: Dash, listing: Listing) -> None:
    part, name = listing.part, listing.name
    chosen = {one.name: Input(listing.key(one.name), "value") for one in listing.controls}
    keys = {wire.component_id for wire in chosen.values()}

    def show(
        values: dict[str, Choice], told: Choice, _more: Clicks, _retries: Clicks,
        place: Any, pages: Pages,
    ) -> tuple[Any, ...]:  # fmt: skip
        sight.act(part)
        wanted = {**asked(listing.controls, values), "of": told or ""}
        if ctx.triggered_id == f"admin-{name}-more" and place is not None:
            return _read(listing, lambda: _following(listing, wanted, place, pages or 1))
        # Another search begins at its first page; all else leaves as much as was shown.
        shown = 1 if ctx.triggered_id in keys else pages or 1
        limit = min(shown * PAGE, MOST_AT_ONCE)
        return _read(listing, lambda: _from_the_first(listing, wanted, limit))

    # A place of another list would be refused by the database alone, as a fault of ours.
    show.__annotations__["place"] = listing.places | None
    callbacks.register(
        ui,
        show,
        Output(f"admin-{name}-table-rows", "children"),
        Output(f"admin-{name}-place", "data"),
        Output(listing.key(listing.paged), "data"),
        Output(f"admin-{name}-more", "hidden"),
        Output(f"admin-{name}-count", "children"),
        Output(f"admin-{name}-notice", "children"),
        chosen,
        Input(f"admin-{name}-of" if listing.beside else f"admin-{part}-changed", "data"),
        Input(f"admin-{name}-more", "n_clicks"),
        states.asked_again(f"admin-{name}-list"),
        State(f"admin-{name}-place", "data"),
        State(listing.key(listing.paged), "data"),
        running=[
            (Output(f"admin-{name}-table-rows", "className"), "is-loading", ""),
            # What stands there is of the search before: its end is no place in the next one.
            (Output(f"admin-{name}-more", "disabled"), True, False),
        ],
    )
    if not listing.beside:
        kept = Input(listing.key(listing.paged), "data")
        browser.keep_address(ui, *chosen.values(), kept)
    marked = Output("sink", "data", allow_duplicate=True)
    browser.call(
        ui, "adminMark", marked, Input(f"admin-{name}-table-rows", "children"), on_load=False
    )


def _read(listing: Listing, build: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    """The outputs; where the database does not answer, rows stay and the notice says so."""
    answer = states.or_failed(listing.title, f"admin-{listing.name}-list", build)
    if isinstance(answer, tuple):
        return answer
    return *[no_update] * 5, answer


def _from_the_first(listing: Listing, wanted: Asked, limit: int) -> tuple[Any, ...]:
    found = listing.read(wanted, None, limit + 1)
    page = found[:limit]
    pages = -(-len(page) // PAGE)
    return (
        listing.rows(page),
        _place(listing, page),
        pages if pages > 1 else None,
        len(found) <= limit,
        listing.counted(wanted),
        None if found else listing.nothing(wanted),
    )


def _following(listing: Listing, wanted: Asked, place: Any, pages: int) -> tuple[Any, ...]:
    found = listing.read(wanted, place, PAGE + 1)
    page = found[:PAGE]
    lines = Patch()
    lines.extend(listing.rows(page))
    return lines, _place(listing, page), pages + 1, len(found) <= PAGE, no_update, None


def _place(listing: Listing, page: Rows) -> Any:
    return listing.place(page[-1]) if page else None

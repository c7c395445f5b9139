"""Tickets: the work that waits for people, as a table or as a board."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboards import browser, callbacks, exports, queries, states, words
from dashboards.callbacks import Choice, Clicks, Cursor, SiteChoice
from dashboards.tickets import board, filters, moving, new
from dashboards.tickets.table import PAGE, row, table
from noc.identity.capabilities import OPERATE
from noc.identity.principal import required_principal

TITLE = "Tickets"

_RETRY = {"type": "retry", "page": "tickets", "n": 0}


def layout(query: dict[str, str]) -> html.Div:
    """The tickets with their filters; ``?show=board&view=&site=`` and others choose from a link."""
    as_board = query.get("show") == "board"
    return html.Div(
        [
            *[
                dcc.Store(id=f"tickets-{name}")
                for name in ("cursor", "tick", "move", "moved", "created")
            ],
            html.Div(
                [
                    *filters.choices(query),
                    html.Span(className="spring"),
                    html.Span(exports.table("tickets-grid", "tickets"), id="tickets-export"),
                    new.button(),
                ],
                className="toolbar",
            ),
            html.Div(
                [
                    *filters.narrowing(query),
                    html.Span(className="spring"),
                    html.Span(id="tickets-count", className="muted", role="status"),
                ],
                className="toolbar",
            ),
            html.Div(id="tickets-said"),
            html.Div(
                board.skeleton() if as_board else states.skeleton(34, 46, 46, 46, 46, 46),
                id="tickets-table",
                className="fill",
            ),
            html.Button("Show older", id="tickets-more", className="btn", hidden=True, n_clicks=0),
            new.form(),
        ],
        className="page page-full",
    )


def register(ui: Dash) -> None:
    """Read when a filter changes or the feed tells of a ticket, and the next page on demand."""
    controls = [f"tickets-{name}" for name in filters.CONTROLS]
    callbacks.register(
        ui,
        show,
        Output("tickets-table", "children"),
        Output("tickets-count", "children"),
        Output("tickets-view", "data"),
        Output("tickets-cursor", "data"),
        Output("tickets-more", "hidden"),
        Output("tickets-export", "hidden"),
        *[Input(control, "value") for control in controls],
        Input("tickets-tick", "data"),
        Input({"type": "retry", "page": "tickets", "n": ALL}, "n_clicks"),
    )
    callbacks.register(
        ui,
        more,
        Output("tickets-grid", "rowTransaction"),
        Output("tickets-cursor", "data", allow_duplicate=True),
        Output("tickets-more", "hidden", allow_duplicate=True),
        Input("tickets-more", "n_clicks"),
        State("tickets-cursor", "data"),
        *[State(control, "value") for control in controls[:-1]],
        prevent_initial_call=True,
    )
    moving.register(ui)
    new.register(ui)
    browser.keep_address(ui, *controls)
    browser.call(
        ui,
        "showChosen",
        Output("tickets-view", "value"),
        Input("tickets-show", "value"),
        State("tickets-view", "value"),
        on_load=False,
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "ticketsShown", done, Input("tickets-table", "children"))


def show(
    view: Choice,
    site: SiteChoice,
    priority: Choice,
    category: Choice,
    age: Choice,
    as_: Choice,
    _tick: Any = None,
    _retries: Clicks = None,
) -> tuple[Any, ...]:
    """The first page or the board, with the counts of the views beside them."""
    if as_ == "board" and view not in filters.BOARD_VIEWS:
        view = "open"
    narrowed = filters.narrowed(site, priority, category, age)
    answer: dict[str, Any] = {"count": "", "views": filters.views(as_), "key": None, "last": True}

    def build() -> Any:
        counts = queries.work.ticket_counts(queries.work.ticket_filters(**narrowed))
        answer["views"] = filters.views(as_, counts)
        if as_ == "board":
            return _board(view, narrowed, answer)
        if ctx.triggered_id == "tickets-tick":
            # A table that somebody reads is not taken away under them; its counts are.
            answer["count"] = answer["key"] = answer["last"] = no_update
            return no_update
        return _table(view, narrowed, answer)

    body = states.or_failed("The tickets", _RETRY, build)
    return (
        body,
        answer["count"],
        answer["views"],
        answer["key"],
        answer["last"],
        as_ == "board",
    )


def more(
    _: Clicks,
    cursor: Cursor,
    view: Choice,
    site: SiteChoice,
    priority: Choice,
    category: Choice,
    age: Choice,
) -> tuple[Any, ...]:
    """The next page, added below."""
    if not cursor:
        return no_update, no_update, True
    wanted = filters.of_view(view, **filters.narrowed(site, priority, category, age))
    page = queries.work.tickets(wanted, limit=PAGE, cursor=cursor)
    return (
        {"add": [row(item) for item in page.items]},
        queries.work.next_key(page),
        page.after is None,
    )


def _table(view: str | None, narrowed: dict[str, Any], answer: dict[str, Any]) -> Any:
    page = queries.work.tickets(filters.of_view(view, **narrowed), limit=PAGE)
    more_than = "+" if page.after else ""
    found = len(page.items)
    answer["count"] = f"{found:,}{more_than} {'ticket' if found == 1 else 'tickets'}"
    answer["key"], answer["last"] = queries.work.next_key(page), page.after is None
    return table(page.items, view)


def _board(view: str | None, narrowed: dict[str, Any], answer: dict[str, Any]) -> Any:
    wanted = filters.of_view(view, board=True, **narrowed)
    columns = queries.work.ticket_board(wanted, board.CARDS)
    total = sum(column["count"] for column in columns.values())
    answer["count"] = words.count(total, "ticket")
    may_move = required_principal().may(OPERATE)
    return board.board(columns, queries.reader.sites(), may_move=may_move)

"""A list page: filters that say how many they would list, and a table read page by page.

Every list looks and behaves the same: a skeleton until the first page is there, the old rows
dimmed while others are read, words where there are none, a way to try again where the database
does not answer, "Show older" where there is more. A page has a :class:`Listing`, a TypedDict of
what its filters hold, and two callbacks: ``show``, which answers with :meth:`Listing.first`, and
``more`` with :meth:`Listing.following`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from dashboards import browser, callbacks, exports, queries, states, words
from dashboards.marks import aria
from noc.domain import SEVERITIES

PAGE = 200
"""Rows that are read at once."""

Row = dict[str, Any]
Choices = list[dict[str, str]]


class Slice(NamedTuple):
    """Rows of a list, and where the next page of it begins; None on the last one."""

    rows: list[Row]
    key: list[Any] | None


class Counted(NamedTuple):
    """How many rows the filters keep, and the counted choices of each filter that has some."""

    total: int
    choices: Sequence[Choices]


@dataclass(frozen=True)
class Listing:
    """A list page whose components' ids begin with ``name``, which is also its noun's plural.

    ``filters`` are the names of its controls. ``counted`` are those of them whose choices
    ``show`` counts, together with the rows; with none of them the page counts by itself.
    """

    name: str
    noun: str
    filters: tuple[str, ...]
    counted: tuple[str, ...] = ()

    def layout(
        self,
        controls: Iterable[Any],
        *,
        above: Iterable[Any] = (),
        between: Iterable[Any] = (),
        look: str = "",
    ) -> html.Div:
        """The page with the ``controls`` in its toolbar; ``between`` stands above the table."""
        name = self.name
        return html.Div(
            [
                dcc.Store(id=f"{name}-cursor"),
                *above,
                html.Div(
                    [
                        *controls,
                        html.Span(className="spring"),
                        exports.table(f"{name}-grid", name),
                        html.Span(id=f"{name}-count", className="muted", role="status"),
                    ],
                    className="toolbar",
                ),
                *between,
                html.Div(
                    states.skeleton(34, 46, 46, 46, 46, 46), id=f"{name}-table", className="fill"
                ),
                html.Button("Show older", id=f"{name}-more", className="btn", hidden=True,
                            n_clicks=0),
            ],
            className=f"page page-full {look}".strip(),
        )  # fmt: skip

    def select(
        self,
        query: Mapping[str, str],
        filter_: str,
        label: str,
        choices: Choices,
        *,
        anything: str | None = None,
    ) -> dmc.Select:
        """A filter of one choice, first that of the link where it is offered.

        ``anything`` says that nothing is chosen; without it the first choice is.
        """
        wanted = query.get(filter_)
        offered = [choice["value"] for choice in choices]
        return dmc.Select(
            id=f"{self.name}-{filter_}",
            value=wanted if wanted in offered else None if anything else offered[0],
            placeholder=anything,
            data=choices,
            clearable=anything is not None,
            allowDeselect=False,
            searchable=filter_ == "site",
            className="toolbar-select",
            **aria(label=label),
        )

    def periods(
        self, query: Mapping[str, str], periods: Mapping[str, str], default: str
    ) -> dmc.SegmentedControl:
        """The filter ``days``: how far back the list goes, by its choices' names."""
        wanted = query.get("days", "")
        return dmc.SegmentedControl(
            id=f"{self.name}-days",
            value=wanted if wanted in periods else default,
            data=[{"value": value, "label": label} for value, label in periods.items()],
            **aria(label="Found within"),
        )

    def register(self, ui: Dash, show: Callable[..., Any], more: Callable[..., Any]) -> None:
        """Call ``show(chosen, again)`` when a filter changes, ``more(clicks, cursor, chosen)``

        on demand. ``chosen`` is a dict of what the filters hold.
        """
        name = self.name
        table, button = f"{name}-table", f"{name}-more"
        callbacks.register(
            ui,
            show,
            Output(table, "children"),
            Output(f"{name}-cursor", "data"),
            Output(button, "hidden"),
            *([Output(f"{name}-count", "children")] if self.counted else []),
            *[Output(f"{name}-{filter_}", "data") for filter_ in self.counted],
            self.chosen(Input),
            states.asked_again(name),
            running=[(Output(table, "className"), "fill is-loading", "fill")],
        )
        callbacks.register(
            ui,
            more,
            Output(f"{name}-grid", "rowTransaction"),
            Output(f"{name}-cursor", "data", allow_duplicate=True),
            Output(button, "hidden", allow_duplicate=True),
            Input(button, "n_clicks"),
            State(f"{name}-cursor", "data"),
            self.chosen(State),
            prevent_initial_call=True,
            running=[(Output(button, "disabled"), True, False)],
        )
        browser.keep_address(ui, *[f"{name}-{filter_}" for filter_ in self.filters])
        fitted = Output("sink", "data", allow_duplicate=True)
        browser.call(ui, "fitted", fitted, Input(table, "children"))

    def chosen(self, wire: type[Input | State]) -> dict[str, Input | State]:
        """The wires of a callback's ``chosen``."""
        return {filter_: wire(f"{self.name}-{filter_}", "value") for filter_ in self.filters}

    def first(
        self,
        read: Callable[[], Slice],
        table: Callable[[list[Row]], Any],
        nothing: html.Div,
        count: Callable[[], Counted] | None = None,
    ) -> tuple[Any, ...]:
        """What ``show`` answers: the first page as a ``table``, or ``nothing``; then the counts."""

        def build() -> tuple[Any, ...]:
            rows, key = read()
            shown = table(rows) if rows else _panel(nothing)
            counted: list[Any] = []
            if count is not None:
                total, choices = count()
                counted = [words.count(total, self.noun, self.name), *choices]
            return (shown, key, key is None, *counted)

        built: Any = states.or_failed(f"The {self.name}", self.name, build)
        if isinstance(built, tuple):
            return built
        # What can be chosen stays as it was; how many there are is not known.
        unknown = ["", *[no_update] * len(self.counted)] if self.counted else []
        return (_panel(built), None, True, *unknown)

    @staticmethod
    def following(cursor: Any, read: Callable[[], Slice]) -> tuple[Any, Any, bool]:
        """What ``more`` answers: the next page, added below. Nothing after the last one."""
        if not cursor:
            return no_update, no_update, True
        rows, key = read()
        return {"add": rows}, key, key is None


def choice(value: str, label: str, count: int | None = None) -> dict[str, str]:
    """A choice with the number of rows that it would list, where that is known."""
    return {"value": value, "label": label if count is None else f"{label} · {count:,}"}


def by_state(
    states: Sequence[str], over: str, counts: Mapping[str, int] | None = None, opened: str = "Open"
) -> Choices:
    """All that are not ``over``, each state, and all."""
    every = sum((counts or {}).values())
    totals = {"open": every - (counts or {}).get(over, 0), "all": every, **(counts or {})}
    names = {"open": opened, "all": "All"}
    return by_name(
        {
            code: names.get(code) or words.say(words.STATE, code)
            for code in ("open", *states, "all")
        },
        None if counts is None else totals,
    )


def by_severity(counts: Mapping[str, int] | None = None) -> Choices:
    """Each severity, the worst first."""
    names: dict[str, str] = {code: words.say(words.SEVERITY, code) for code in reversed(SEVERITIES)}
    return by_name(names, counts)


def by_site(counts: Mapping[str, int] | None = None) -> Choices:
    """Each site that the reader sees, by name; ``counts`` by id as text."""
    return by_name({key: site["name"] for key, site in queries.reader.sites().items()}, counts)


def by_name(names: Mapping[str, str], counts: Mapping[str, int] | None = None) -> Choices:
    """Each of the codes under its name, in their order."""
    return [
        choice(code, name, None if counts is None else counts.get(code, 0))
        for code, name in names.items()
    ]


def _panel(notice: html.Div) -> html.Div:
    return html.Div(notice, className="panel fill")

"""What the page of tickets can be narrowed to; table and board share it."""

from __future__ import annotations

from typing import Any, get_args

import dash_mantine_components as dmc

from dashboards import ages, queries, words
from dashboards.marks import aria
from noc.identity.principal import required_principal
from noc.tickets.schemas import Category, Priority, TicketFilters

SHOWS = (("table", "Table"), ("board", "Board"))
VIEWS = {
    "open": "Open",
    "overdue": "Overdue",
    "at_risk": "At risk",
    "mine": "Mine",
    "done": "Resolved",
    "all": "All",
}
BOARD_VIEWS = ("open", "overdue", "at_risk", "mine")
"""Views that a board has; what is resolved stands in a column of its own."""

PRIORITIES: tuple[str, ...] = tuple(reversed(get_args(Priority)))
CATEGORIES: tuple[str, ...] = get_args(Category)

CONTROLS = ("view", "site", "priority", "category", "age", "show")
"""The controls, in the order in which callbacks get them."""


def narrowed(
    site: int | None, priority: str | None, category: str | None, age: str | None
) -> dict[str, Any]:
    """The filters that table, board and counts share; what no control offers is left out."""
    return {
        "site": site,
        "priority": priority if priority in PRIORITIES else None,
        "category": category if category in CATEGORIES else None,
        "age": age,
    }


def of_view(view: str | None, *, board: bool = False, **others: Any) -> TicketFilters:
    """The filters of a view; the board has what is open and what was, so it leaves that to it."""
    user_id = required_principal().user_id
    return queries.work.ticket_filters(
        open=None if board or view == "all" else view != "done",
        assignee_id=user_id if view == "mine" else None,
        sla=view if view in ("overdue", "at_risk") else None,
        **others,
    )


def views(show: str | None, counts: dict[str, int] | None = None) -> list[dict[str, str]]:
    """The choices of the view, each with how many tickets it lists where that is known."""
    offered = BOARD_VIEWS if show == "board" else tuple(VIEWS)
    return [
        {
            "value": code,
            "label": f"{VIEWS[code]} · {counts[code]:,}"
            if counts and code in counts
            else VIEWS[code],
        }
        for code in offered
    ]


def choices(query: dict[str, str]) -> list[Any]:
    """Table or board, and which view of it, chosen from the page's address."""
    show = query.get("show") if query.get("show") in dict(SHOWS) else "table"
    view = query.get("view", "open")
    offered = BOARD_VIEWS if show == "board" else tuple(VIEWS)
    return [
        dmc.SegmentedControl(
            id="tickets-show",
            value=show,
            data=[{"value": value, "label": label} for value, label in SHOWS],
            **aria(label="Show as"),
        ),
        dmc.SegmentedControl(
            id="tickets-view",
            value=view if view in offered else "open",
            data=views(show),
            className="tickets-views",
            **aria(label="Which tickets"),
        ),
    ]


def narrowing(query: dict[str, str]) -> list[Any]:
    """Site, priority, category and age."""
    sites = [{"value": key, "label": site["name"]} for key, site in queries.reader.sites().items()]
    return [
        _select("site", "All sites", sites, query, searchable=True),
        _select("priority", "Any priority", _named(PRIORITIES, words.SEVERITY), query),
        _select("category", "Any category", _named(CATEGORIES, words.CATEGORY), query),
        _select("age", "Any age", ages.DATA, query),
    ]


def _named(codes: tuple[str, ...], names: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": code, "label": words.say(names, code)} for code in codes]


def _select(
    name: str,
    placeholder: str,
    data: list[dict[str, str]],
    query: dict[str, str],
    **props: Any,
) -> dmc.Select:
    wanted = query.get(name)
    return dmc.Select(
        id=f"tickets-{name}",
        placeholder=placeholder,
        value=wanted if wanted in {item["value"] for item in data} else None,
        data=data,
        clearable=True,
        className="toolbar-select",
        **props,
        **aria(label=placeholder),
    )

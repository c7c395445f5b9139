"""Every page: its address, its module, and where it stands in the navigation."""

from __future__ import annotations

import re
from types import ModuleType
from typing import NamedTuple

from dashboards.pages import alerts, heatmap, live, model, people, person, tickets


class Nav(NamedTuple):
    """A line of the navigation; ``group`` is the heading it stands below."""

    href: str
    label: str
    icon: str
    group: str


class Place(NamedTuple):
    """A page. The named parts of ``pattern`` (numbers) are given to its ``layout``."""

    pattern: re.Pattern[str]
    page: ModuleType
    nav: Nav | None = None


def _at(path: str, page: ModuleType, nav: Nav | None = None) -> Place:
    return Place(re.compile(f"^/app/{path}/?$" if path else "^/app/?$"), page, nav)


PLACES = (
    _at("", live, Nav("/app/", "Live feed", "pulse", "Now")),
    _at("alerts", alerts, Nav("/app/alerts", "Alerts", "bell", "Now")),
    _at("tickets", tickets, Nav("/app/tickets", "Tickets", "ticket", "Now")),
    _at("heatmap", heatmap, Nav("/app/heatmap", "Heatmap", "grid", "Fraud")),
    _at("people", people, Nav("/app/people", "People", "people", "Fraud")),
    _at("person/(?P<person_id>[0-9]{1,18})", person),
    _at("model", model, Nav("/app/model", "Model", "curve", "Fraud")),
)
"""A page's module has ``TITLE``, ``layout(query, **parts)`` and ``register(ui)``."""

PAGES = tuple(dict.fromkeys(place.page for place in PLACES))

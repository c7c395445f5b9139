"""Every page: its address, its module, and where it stands in the navigation."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from dashboards.admin import sight
from dashboards.detail import UUID
from dashboards.pages import (
    admin,
    alerts,
    baselines,
    findings,
    heatmap,
    incident,
    incidents,
    live,
    model,
    on_call,
    overview,
    people,
    person,
    review,
    tickets,
)
from noc.identity.capabilities import FRAUD_REVIEW, FRAUD_VIEW, VIEW
from noc.identity.principal import Principal


class Nav(NamedTuple):
    """A line of the navigation; ``group`` is the heading it stands below.

    ``open_to`` says to whom it is shown: the page itself refuses the others all the same. ``near``
    are the four that a phone has in its bar, the rest is behind "More".
    """

    href: str
    label: str
    icon: str
    group: str
    open_to: Callable[[Principal], Any] = lambda principal: principal.may(VIEW)
    near: bool = False


class Place(NamedTuple):
    """A page. The named parts of ``pattern`` (numbers or UUIDs) are given to its ``layout``."""

    pattern: re.Pattern[str]
    page: ModuleType
    nav: Nav | None = None

    def parts(self, pathname: str) -> dict[str, Any] | None:
        """The named parts of the address as ``int`` or ``UUID``; None where it is another's."""
        match = self.pattern.match(pathname)
        if match is None:
            return None
        return {name: _key(value) for name, value in match.groupdict().items()}


def _key(value: str) -> int | uuid.UUID:
    return int(value) if value.isdecimal() else uuid.UUID(value)


def _scores(principal: Principal) -> bool:
    return principal.may(FRAUD_VIEW)


def _verdicts(principal: Principal) -> bool:
    return principal.may(FRAUD_REVIEW)


def _models(principal: Principal) -> bool:
    return principal.may(FRAUD_VIEW) and principal.site_ids is None


def _at(path: str, page: ModuleType, nav: Nav | None = None) -> Place:
    return Place(re.compile(f"^/app/{path}/?$" if path else "^/app/?$"), page, nav)


PLACES = (
    _at("overview", overview, Nav("/app/overview", "Overview", "gauge", "Now", near=True)),
    _at("", live, Nav("/app/", "Live feed", "pulse", "Now", near=True)),
    _at("alerts", alerts, Nav("/app/alerts", "Alerts", "bell", "Now", near=True)),
    _at("tickets", tickets, Nav("/app/tickets", "Tickets", "ticket", "Now", near=True)),
    _at("findings", findings, Nav("/app/findings", "Findings", "flag", "Now")),
    _at("incidents", incidents, Nav("/app/incidents", "Incidents", "linked", "Now")),
    _at(f"incident/(?P<incident_id>{UUID})", incident),
    _at("review", review, Nav("/app/review", "Review", "eye", "Fraud", _verdicts)),
    _at("heatmap", heatmap, Nav("/app/heatmap", "Heatmap", "grid", "Fraud", _scores)),
    _at("model", model, Nav("/app/model", "Model", "curve", "Fraud", _models)),
    _at("people", people, Nav("/app/people", "People", "people", "Company")),
    _at("person/(?P<person_id>[0-9]{1,18})", person),
    _at("baselines", baselines, Nav("/app/baselines", "Baselines", "band", "Company")),
    _at("on-call", on_call, Nav("/app/on-call", "On call", "oncall", "Company")),
    _at("admin", admin, Nav("/app/admin", "Administration", "gear", "Company", sight.open_to)),
)
"""A page's module has ``TITLE``, ``layout(query, **parts)`` and ``register(ui)``."""

PAGES = tuple(dict.fromkeys(place.page for place in PLACES))


def navigation(principal: Principal) -> list[Nav]:
    """The lines of the navigation, in order, for whoever this is."""
    return [place.nav for place in PLACES if place.nav and place.nav.open_to(principal)]

"""What the page of findings can be narrowed to; its list and its counts share it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from typing_extensions import TypedDict

from dashboards import listing, queries, words
from dashboards.callbacks import Choice, SiteChoice
from dashboards.findings import summary
from dashboards.listing import Choices, Listing
from noc.audit.models import STATUSES
from noc.audit.schemas import FindingFilters
from noc.database.base import utcnow

LIST = Listing(
    name="findings",
    noun="finding",
    filters=("state", "type", "category", "severity", "site", "days"),
)

COUNTED = ("state", "type", "category", "severity", "site")
"""The filters whose choices are counted, in the order of :func:`choices`."""

PERIODS = {"1": "24 h", "7": "7 days", "30": "30 days"}
USUAL = "7"


class Chosen(TypedDict):
    """What the filters hold."""

    state: Choice
    type: Choice
    category: Choice
    severity: Choice
    site: SiteChoice
    days: Choice


def controls(query: dict[str, str]) -> list[Any]:
    """The filters, as a link has chosen."""
    anything = (None, "Any type", "Any category", "Any severity", "All sites")
    labels = ("State", "Type", "Category", "Severity", "Site")
    return [
        *[
            LIST.select(query, name, label, offered, anything=nothing)
            for name, label, offered, nothing in zip(
                COUNTED, labels, choices(), anything, strict=True
            )
        ],
        LIST.periods(query, PERIODS, USUAL),
    ]


def choices(counts: dict[str, Any] | None = None) -> list[Choices]:
    """What each filter of :data:`COUNTED` offers, with ``counts`` of ``noc.audit.facets``."""
    by = counts or dict.fromkeys(("status", "finding_type", "category", "severity", "site"))
    categories = {code: summary.CATEGORIES[code] for code in summary.USED}
    return [
        listing.by_state(STATUSES, "RESOLVED", by["status"]),
        listing.by_name(words.FINDING, by["finding_type"]),
        listing.by_name(categories, by["category"]),
        listing.by_severity(by["severity"]),
        listing.by_site(by["site"]),
    ]


def days(chosen: Chosen) -> int:
    """How many days back the list goes."""
    wanted = chosen["days"]
    return int(wanted if wanted in PERIODS else USUAL)


def wanted(chosen: Chosen) -> FindingFilters:
    """The filters of the list; ValidationError for a value that it does not offer."""
    return queries.findings.filters(
        chosen["state"],
        chosen["type"],
        chosen["category"],
        chosen["severity"],
        chosen["site"],
        utcnow() - dt.timedelta(days=days(chosen)),
    )

"""Findings: the list, its counts, and what became of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dashboards.queries.reader import seen_sites
from noc.audit import facets, queries
from noc.audit.schemas import FindingFilters
from noc.rest.keyset import Key, Page


def filters(
    state: str | None,
    kind: str | None,
    category: str | None,
    severity: str | None,
    site: int | None,
    since: dt.datetime | None,
) -> FindingFilters:
    """The filters of the list; ValidationError for a value that it does not offer."""
    return FindingFilters.model_validate(
        {
            "status": state if state not in (None, "open", "all") else (),
            "open": True if state in (None, "open") else None,
            "finding_type": kind or (),
            "category": category or (),
            "severity": severity or (),
            "site_id": (site,) if site else (),
            "since": since,
        }
    )


def page(wanted: FindingFilters, *, limit: int, after: Key | None = None) -> Page:
    """A page of findings, latest first."""
    return queries.list_findings(wanted, site_ids=seen_sites(), limit=limit, after=after)


def counts(wanted: FindingFilters) -> dict[str, Any]:
    """How many findings each choice of each filter would list."""
    return facets.finding_facets(wanted, site_ids=seen_sites())


def matrix(wanted: FindingFilters) -> list[dict[str, Any]]:
    """Count and worst severity by type and site."""
    return facets.finding_matrix(wanted, site_ids=seen_sites())


def became(days: int, site: int | None, now: dt.datetime) -> dict[str, Any]:
    """What became of the findings of the last ``days``, of one site or of all that are seen."""
    limited = seen_sites()
    sites = limited if site is None else {site} if limited is None else {site} & set(limited)
    return queries.escalation_stats(days, now=now, site_ids=sites)

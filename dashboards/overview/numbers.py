"""The overview's reads, each made once and only where a part asks for it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cached_property
from typing import Any

from dashboards import queries
from dashboards.queries.overview import Grid, SiteTrouble
from noc.audit.presence import Present
from noc.fraud.so_far import FraudSoFar
from noc.identity.site_settings import SiteSettings

URGENT = 6
"""Tickets that are named on the page."""


class Numbers:
    """What the parts show, as of ``now``."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    @cached_property
    def settings(self) -> SiteSettings:
        """Thresholds and pulses, as they hold at each site."""
        return queries.overview.config()

    @cached_property
    def places(self) -> dict[str, dict[str, str]]:
        """Name and time zone of each site, by its id as text."""
        return queries.reader.sites()

    @cached_property
    def alerts(self) -> Grid:
        """Open alerts by severity and age."""
        return queries.overview.open_alerts(self.now)

    @cached_property
    def tickets(self) -> tuple[Grid, Counter[str]]:
        """Open tickets by priority and age, and by how they stand with their time."""
        return queries.overview.open_tickets(self.now)

    @cached_property
    def urgent(self) -> list[dict[str, Any]]:
        """The tickets that are overdue or at risk, the most urgent first."""
        return queries.overview.urgent(self.now, URGENT)

    @cached_property
    def sites(self) -> list[SiteTrouble]:
        """Every site, the most troubled first."""
        return queries.overview.sites_by_trouble(self.now)

    @cached_property
    def fraud(self) -> FraudSoFar:
        """Fraud so far today."""
        return queries.overview.fraud_today(self.now, self.settings)

    @cached_property
    def duty(self) -> list[Present]:
        """Who is on duty, those not heard of first."""
        return queries.overview.on_duty(self.now, self.settings)

    @cached_property
    def feed(self) -> dict[str, Any]:
        """Events of the last hour."""
        return queries.overview.feed(self.now)

    @cached_property
    def responses(self) -> dict[str, dict[str, Any]]:
        """How long alerts and tickets waited."""
        return queries.overview.response_times(self.now)

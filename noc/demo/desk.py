"""Simulated people at the desks, live: they see to alerts and tickets over the same interface.

Slowly, so that whoever tries the product gets to most things first, and only what the stream has
brought about: what the seed left open stays open.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from typing import Any
from urllib.parse import urlencode

import structlog

from noc.demo.client import Client, Refused

log = structlog.get_logger(__name__)

SEEN_AFTER, CLOSED_AFTER = 240.0, 2400.0
BEGUN_AFTER, RESOLVED_AFTER = 420.0, 2700.0
"""Seconds: until an alert is acknowledged and closed, a ticket begun and resolved."""

NEVER = 8
"""One ticket in so many is never looked at."""

_AT_A_TIME = 3
_CATEGORIES = "SECURITY_FRAUD,SECURITY_AUDIT"
_REMEMBERED = 50_000


class Desk:
    """The operators and managers of one company."""

    def __init__(self, client: Client, since: float) -> None:
        """Whatever began before ``since`` (epoch seconds) is left alone."""
        self._client = client
        self._since = since
        self._truth: OrderedDict[int, bool] = OrderedDict()

    def learn(self, punch_id: int, fraud: bool) -> None:
        """What a punch that was sent really is."""
        self._truth[punch_id] = fraud
        if len(self._truth) > _REMEMBERED:
            self._truth.popitem(last=False)

    def work(self, now: float) -> None:
        """Do a little of what is due. What the product refuses is logged and left.

        Unavailable and Unauthorised are the caller's to deal with.
        """
        for task in (self._acknowledge, self._close, self._begin, self._resolve):
            try:
                task(now)
            except Refused as error:
                # Somebody real was faster, or has other ideas: theirs count.
                log.info("demo_desk_refused", error=str(error))

    def _acknowledge(self, now: float) -> None:
        alerts = self._list("alerts/", now - SEEN_AFTER, status="NEW")
        self._act(alerts[-_AT_A_TIME:], action="acknowledge")

    def _close(self, now: float) -> None:
        alerts = self._list("alerts/", now - CLOSED_AFTER, status="ACKNOWLEDGED")
        for alert in alerts[-_AT_A_TIME:]:
            self._act([alert], action="resolve", resolution=self._resolution(alert))

    def _resolution(self, alert: dict[str, Any]) -> str:
        if alert.get("entity_type") != "punch":
            return "FIXED"
        verdict = self._truth.get(int(alert["entity_id"]))
        return {True: "CONFIRMED", False: "FALSE_POSITIVE", None: "EXPIRED"}[verdict]

    def _begin(self, now: float) -> None:
        for ticket in self._tickets(now - BEGUN_AFTER, "NEW,ASSIGNED")[-1:]:
            self._move(ticket, "IN_PROGRESS", comment="Looking at the footage.")

    def _resolve(self, now: float) -> None:
        for ticket in self._tickets(now - RESOLVED_AFTER, "IN_PROGRESS")[-1:]:
            shown = self._client.get(f"tickets/{ticket['id']}/")
            punches = [int(e["ref"]) for e in shown["evidence"] if e["kind"] == "punch"]
            if ticket["category"] == "SECURITY_AUDIT":
                self._move(ticket, "RESOLVED", resolution="FIXED", comment="Reached by radio.")
                continue
            known = {punch: self._truth[punch] for punch in punches if punch in self._truth}
            if not known:
                self._move(ticket, "RESOLVED", resolution="INCONCLUSIVE")
                continue
            self._move(
                ticket,
                "RESOLVED",
                resolution="CONFIRMED" if any(known.values()) else "FALSE_POSITIVE",
                comment="Checked with the site.",
                verdicts={
                    str(punch): "CONFIRMED" if fraud else "FALSE_POSITIVE"
                    for punch, fraud in known.items()
                },
            )

    def _tickets(self, until: float, status: str) -> list[dict[str, Any]]:
        tickets = self._list("tickets/", until, status=status, category=_CATEGORIES)
        return [ticket for ticket in tickets if ticket["id"] % NEVER]

    def _list(self, path: str, until: float, **filters: str) -> list[dict[str, Any]]:
        """What began between the stream's start and ``until``, latest first."""
        if until <= self._since:
            return []
        window = {"since": _iso(self._since), "until": _iso(until), "limit": "100"}
        rows: list[dict[str, Any]] = self._client.get(f"{path}?{urlencode(window | filters)}")
        return rows

    def _act(self, alerts: list[dict[str, Any]], **values: str) -> None:
        if alerts:
            self._client.post("alerts/bulk/", {"ids": [alert["id"] for alert in alerts], **values})

    def _move(self, ticket: dict[str, Any], status: str, **values: Any) -> None:
        self._client.post(f"tickets/{ticket['id']}/transition/", {"status": status, **values})


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()

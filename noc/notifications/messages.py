"""News in words: a sentence for people, JSON for programs."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from noc.events.news import EVENT_TYPE
from noc.notifications.models import ESCALATION, TEST

_LONGEST_SUBJECT = 200
_LONGEST_TEXT = 3000
"""Characters of a sentence; Slack cuts at 4,000."""

_PAGES = {"alert": "/app/alerts", "escalation": "/app/alerts", "ticket": "/app/tickets"}

_OPENED = {"escalation": "alert"}
"""What the page opens, where it is not called as the news is."""


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery with everything that its words need."""

    delivery_id: uuid.UUID
    route_name: str
    tenant_id: int
    tenant_name: str
    kind: str
    severity: str
    site_id: int | None
    site_name: str | None
    timezone: str | None
    event_id: uuid.UUID
    seq: int | None
    moment: dt.datetime
    payload: dict[str, Any]

    @property
    def test(self) -> bool:
        """Whether somebody only wants to see that it arrives."""
        return self.kind == TEST


def sentence(message: Message) -> str:
    """What has happened, on one line."""
    at = f" at {message.site_name}" if message.site_name else ""
    told = _TELLING[message.kind].format(
        at=at, severity=message.severity, **_words(message), route=message.route_name
    )
    return _one_line(told)[:_LONGEST_TEXT]


_TELLING = {
    "alert_opened": "{severity} alert{at}: {message}",
    "alert_escalated": "Alert now {severity}{at}: {message}",
    "alert_reopened": "{severity} alert open again{at}: {message}",
    "alert_unmuted": "{severity} alert that was muted until now{at}: {message}",
    "alert_returned": "{severity} alert that nobody works on any more{at}: {message}",
    "escalation_exhausted": "{severity} alert that nobody answered{at}: {message}",
    ESCALATION: "{severity} alert waits for an answer{at}, step {step}: {message}",
    "ticket_opened": "Ticket {ticket_number} opened{at}, priority {severity}: {title}",
    "ticket_assigned": "Ticket {ticket_number}{at} given to {assignee}: {title}",
    "ticket_overdue": "Ticket {ticket_number}{at} is overdue, priority {severity}: {title}",
    "incident_identified": "{severity} incident{at}{about}: a signal and {alerts} belong together",
    "finding_opened": "{severity} finding{at}: {title}. {evidence_summary}",
    TEST: "Test message of the route {route}: nothing has happened",
}


def _words(message: Message) -> dict[str, str]:
    names = ("message", "ticket_number", "title", "assignee", "evidence_summary")
    words = {name: str(message.payload.get(name) or "") for name in names}
    person, alerts = message.payload.get("person_name"), message.payload.get("alert_ids") or []
    words["step"] = str(message.payload.get("escalation_step") or 1)
    words["about"] = f" about {person}" if person else ""
    words["alerts"] = "1 alert" if len(alerts) == 1 else f"{len(alerts)} alerts"
    return words


def subject(message: Message) -> str:
    """The subject of a mail."""
    whole = f"[{message.tenant_name}] {sentence(message)}"
    return whole if len(whole) <= _LONGEST_SUBJECT else f"{whole[: _LONGEST_SUBJECT - 1]}…"


def mail_body(message: Message, public_url: str) -> str:
    """A mail as plain text: the sentence, where, when by the site's clock, where to look."""
    zone = _zone(message.timezone)
    lines = [sentence(message), ""]
    if message.site_name:
        lines.append(f"Site: {message.site_name}")
    lines.append(f"Time: {message.moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})")
    if address := link(message, public_url):
        lines += ["", address]
    if message.kind == ESCALATION:
        lines += ["", "Until somebody acknowledges, assigns or resolves it, the next is told."]
    lines += ["", "--", f"Sent by the route {_one_line(message.route_name)}."]
    return "\n".join(lines) + "\n"


def slack_body(message: Message, public_url: str) -> bytes:
    """``{"text": ...}``, as Slack and those who speak its language take it."""
    text = sentence(message).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if address := link(message, public_url):
        text += f" <{address}|Look>"
    return json.dumps({"text": text}).encode()


def webhook_body(message: Message, public_url: str) -> bytes:
    """The event as the feed tells it, with the sentence and the link beside it."""
    common = {
        "type": TEST if message.test else EVENT_TYPE.get(message.kind, "alert_updated"),
        "seq": message.seq,
        "event_id": str(message.event_id),
        "timestamp": message.moment.isoformat(),
        "tenant_id": message.tenant_id,
        "site_id": message.site_id,
        "site_name": message.site_name,
    }
    body = {
        "delivery_id": str(message.delivery_id),
        "kind": message.kind,
        "test": message.test,
        "severity": message.severity,
        "text": sentence(message),
        "link": link(message, public_url),
        "event": {**message.payload, **common},
    }
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def link(message: Message, public_url: str) -> str | None:
    """The page where it stands open; None where nobody has said where the pages are."""
    if not public_url:
        return None
    about = message.kind.partition("_")[0]
    what = _OPENED.get(about, about)
    key = message.payload.get(f"{what}_id")
    opened = "" if key is None else f"?open={what}:{key}"
    return public_url.rstrip("/") + _PAGES.get(about, "/app/") + opened


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")

"""The story of an incident as events in the words people read, one list for all lanes."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from dashboards import words
from noc.audit.story import Story
from noc.domain import Severity

LANES = {
    "punches": "Punches",
    "findings": "Findings",
    "alerts": "Alerts",
    "tickets": "Tickets",
    "people": "Done by people",
}
"""Below the density of the phone's signals, from top to bottom."""

_DONE = {
    "acknowledge": "Acknowledged",
    "assign": "Assigned",
    "shelve": "Shelved",
    "unshelve": "Back from the shelf",
    "resolve": "Resolved",
    "reopen": "Reopened",
    "undo": "Took a step back",
    "note": "Note",
    "comment": "Comment",
    "created": "Opened",
}


@dataclass(frozen=True, slots=True)
class Event:
    """``opens`` names what the drawer shows of it; ``linked`` is what the incident is made of.

    It says that something was so from ``since`` to ``until``, where it does.
    """

    lane: str
    title: str
    what: str
    at: dt.datetime
    known_at: dt.datetime
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    severity: Severity | None = None
    opens: str = ""
    linked: bool = True


def events(story: Story, *, may_open_punches: bool = True) -> list[Event]:
    """Everything but the phone's signals, by when it happened."""
    found = [_punch(row, may_open_punches) for row in story.punches]
    found += [_finding(row) for row in story.findings]
    found += [_alert(row) for row in story.alerts]
    found += [_ticket(row) for row in story.tickets]
    found += [_step(row, story) for row in story.steps]
    return sorted(found, key=lambda event: (event.at, event.lane))


def _punch(row: dict[str, Any], may_open: bool) -> Event:
    place = "" if row["here"] else f" at {row['site_name']}"
    return Event(
        "punches",
        words.say(words.PUNCH, row["kind"]) + place,
        row["person_name"],
        row["at"],
        row["known_at"],
        opens=f"punch:{row['id']}" if may_open else "",
    )


def _finding(row: dict[str, Any]) -> Event:
    return Event(
        "findings",
        words.say(words.FINDING, row["finding_type"]),
        row["evidence_summary"],
        row["at"],
        row["known_at"],
        row["since"],
        row["until"],
        row["severity"],
        f"finding:{row['id']}",
        row["linked"],
    )


def _alert(row: dict[str, Any]) -> Event:
    lasted: tuple[Any, Any] = (
        (row["at"], row["until"]) if row["until"] > row["at"] else (None, None)
    )
    return Event(
        "alerts",
        words.say(words.ALERT, row["alert_type"]),
        row["message"],
        row["at"],
        row["known_at"],
        *lasted,
        row["severity"],
        f"alert:{row['id']}",
        row["linked"],
    )


def _ticket(row: dict[str, Any]) -> Event:
    return Event(
        "tickets",
        f"Ticket {row['number']} opened",
        ticket_title(row),
        row["at"],
        row["known_at"],
        severity=row["priority"],
        opens=f"ticket:{row['id']}",
    )


def ticket_title(row: dict[str, Any]) -> str:
    """ "[AUTO] DEVICE_SILENT: Harbour Depot" is for machines; people read the finding's words."""
    text = re.sub(r"^\[[A-Z ]+\] ", "", row["title"])
    code, colon, rest = text.partition(": ")
    if row["category"] == "SECURITY_AUDIT" and colon and code in words.FINDING:
        return f"{words.FINDING[code]}: {rest}"
    person, dash, kind = text.rpartition(" - ")
    if row["category"] == "SECURITY_FRAUD" and dash:
        return f"{person}: {words.say(words.ANOMALY, kind).lower()}"
    return text


def _step(row: dict[str, Any], story: Story) -> Event:
    name = {
        "alert": "alert",
        "finding": "finding",
        "ticket": _number(row["ref"], story),
        "incident": "incident",
    }[row["about"]]
    done = words.say(_DONE, row["action"])
    if row["action"] == "transition":
        done = words.say(words.STATE, row["new_status"])
    note = f": {row['note']}" if row["note"] else ""
    return Event(
        "people",
        f"{done}, {name}",
        f"{row['user_name'] or 'API'}{note}",
        row["at"],
        row["at"],
        opens="" if row["about"] == "incident" else f"{row['about']}:{row['ref']}",
    )


def _number(ref: str, story: Story) -> str:
    found = (row["number"] for row in story.tickets if str(row["id"]) == ref)
    return f"ticket {next(found, ref)}"

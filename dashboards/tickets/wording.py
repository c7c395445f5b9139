"""A ticket's title in words."""

from __future__ import annotations

from typing import Any

from dashboards import words


def title(ticket: dict[str, Any]) -> str:
    """The ticket's title in words: the machine's prefix and codes are for machines."""
    text = str(ticket["title"])
    if ticket["category"] == "SECURITY_FRAUD" and " - " in text:
        return f"Attendance fraud: {words.say(words.ANOMALY, text.rsplit(' - ', 1)[1]).lower()}"
    kind, _, site = text.removeprefix("[AUTO] ").partition(": ")
    return f"{words.FINDING[kind]}: {site}" if kind in words.FINDING else text

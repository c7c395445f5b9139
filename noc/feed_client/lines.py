"""An event as one line of a terminal."""

from __future__ import annotations

from collections.abc import Callable

from noc.feed_client.addresses import Frame

COLOURS = {
    "CRITICAL": "bright_red",
    "HIGH": "red",
    "MEDIUM": "yellow",
    "LOW": "cyan",
    "INFO": "blue",
}
"""Colours of severities, by the names that click has for them."""

_JOINERS = "\u200c\u200d"
"""Not printable by themselves, but parts of words in many scripts."""

_SEVERITY_WIDTH, _TYPE_WIDTH, _SITE_WIDTH = 8, 22, 22


def line(frame: Frame, paint: Callable[[str, str], str]) -> str:
    """Time (UTC), severity, type, site and message; ``paint(text, colour)`` may colour a part.

    Nothing in it can steer the terminal: what is not printable becomes a blank.
    """
    severity = plain(severity_of(frame))
    padded = severity.ljust(_SEVERITY_WIDTH)
    coloured = paint(padded, COLOURS[severity]) if severity in COLOURS else padded
    moment = plain(frame["timestamp"])[:19].replace("T", " ")
    kind = plain(frame["type"]).ljust(_TYPE_WIDTH)
    site = plain(frame["site_name"] or "-").ljust(_SITE_WIDTH)
    return f"{moment}  {coloured}  {kind}  {site}  {plain(message_of(frame))}".rstrip()


def severity_of(frame: Frame) -> str:
    """The severity, or what stands for it in a frame that has none: a priority, or a dash."""
    for name in ("severity", "combined_severity", "priority"):
        if frame.get(name):
            return str(frame[name])
    return "-"


def message_of(frame: Frame) -> str:
    """What happened, in the words of the frame's type."""
    kind = frame["type"]
    if kind == "ticket_updated":
        change = f"{frame.get('old_status') or 'opened'} -> {frame.get('new_status')}"
        return _joined(frame, "ticket_number", "title") + f": {change}"
    if kind == "anomaly_detected":
        score = frame.get("fraud_score")
        told = _joined(frame, "anomaly_type", "person_name")
        return f"{told}, score {score:.2f}" if isinstance(score, int | float) else told
    if kind in ("correlation_identified", "incident_updated"):
        about = _joined(frame, "person_name") or "nobody in particular"
        return f"incident about {about}: {len(frame.get('alert_ids') or ())} alerts, " + _joined(
            frame, "status"
        )
    if kind == "job_updated":
        progress = frame.get("progress")
        share = f" {progress:.0%}" if isinstance(progress, int | float) else ""
        return _joined(frame, "name", "state") + share + _after(": ", _joined(frame, "reason"))
    text = _joined(frame, "message") or _joined(frame, "title")
    return text + _after(" (", _joined(frame, "status"), ")")


def plain(text: object) -> str:
    """The text in one line, without control characters and without marks that turn it round."""
    return "".join(sign if sign.isprintable() or sign in _JOINERS else " " for sign in str(text))


def _joined(frame: Frame, *names: str) -> str:
    return " ".join(str(frame[name]) for name in names if frame.get(name) not in (None, ""))


def _after(before: str, text: str, behind: str = "") -> str:
    return f"{before}{text}{behind}" if text else ""

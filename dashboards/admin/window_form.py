"""The form of a suppression window: once or again and again, with its next times before saving."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashboards import marks, queries, words
from dashboards.admin import kit, steps
from dashboards.admin.form import Form
from dashboards.admin.steps import Fields, Refusal
from dashboards.marks import aria
from noc.alerts.suppression.recurrence import Span, split
from noc.alerts.suppression.schemas import SuppressionIn
from noc.database.base import utcnow
from noc.domain import SEVERITIES

_PART = "windows"

EVERY = {
    "FREQ=DAILY": "Every day",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "Monday to Friday",
    "FREQ=WEEKLY;BYDAY=SA,SU": "Saturdays and Sundays",
    "FREQ=WEEKLY": "Every week, on these days",
    "FREQ=WEEKLY;INTERVAL=2": "Every other week, on these days",
    "FREQ=MONTHLY": "Every month, on the day it begins",
    "other": "Another rule",
}
"""What the form offers; anything else is written as a rule of RFC 5545."""

_KINDS = (("once", "Once"), ("again", "Again and again"))

DAYS = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday",
    "SA": "Saturday", "SU": "Sunday",
}  # fmt: skip

_FIELDS = {
    "starts_at": "starts", "ends_at": "ends", "recurrence.rrule": "rule",
    "recurrence.start_time": "start_time", "recurrence.duration_minutes": "minutes",
    "recurrence.starts_on": "starts_on", "include_critical": "also", "include_sos": "also",
}  # fmt: skip
"""Where the form shows what the domain says of a field."""


def blank(once: bool) -> Fields:
    """A new form, which begins at the next full hour where most sites are."""
    zones = Counter(site["timezone"] for site in queries.reader.sites().values())
    zone = zones.most_common(1)[0][0] if zones else "UTC"
    start = utcnow().astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0)
    start += dt.timedelta(hours=1)
    values: Fields = {"kind": "once" if once else "again", "timezone": zone}
    if once:
        ends = start + dt.timedelta(hours=2)
        return values | {
            "starts": f"{start:%Y-%m-%d %H:%M:%S}", "ends": f"{ends:%Y-%m-%d %H:%M:%S}"
        }  # fmt: skip
    return values | {
        "every": "FREQ=DAILY", "start_time": f"{start:%H:%M}", "minutes": "120",
        "starts_on": f"{start:%Y-%m-%d}",
    }  # fmt: skip


def body(fields: Fields) -> SuppressionIn:
    """What the form holds, as the interface takes it; ValidationError names what cannot be."""
    site = steps.whole(fields.get("site_id"))
    also = fields.get("also") or []
    values: dict[str, Any] = {
        "name": fields.get("name") or "",
        "reason": fields.get("reason") or "",
        "site_id": site,
        "alert_types": fields.get("alert_types") or [],
        "least_severity": fields.get("least_severity"),
        "most_severity": fields.get("most_severity"),
        "include_critical": "critical" in also,
        "include_sos": "sos" in also,
    }
    zone = _zone(fields, site)
    if fields.get("kind") == "again":
        values["timezone"] = zone
        values["recurrence"] = {
            "rrule": _rule(fields),
            "start_time": fields.get("start_time") or "",
            "duration_minutes": steps.whole(fields.get("minutes")),
            "starts_on": fields.get("starts_on"),
        }
    else:
        values |= {
            "timezone": zone,
            "starts_at": _moment(fields.get("starts"), zone),
            "ends_at": _moment(fields.get("ends"), zone),
        }
    return SuppressionIn.model_validate(values)


def _zone(fields: Fields, site: int | None) -> str | None:
    """The site's clocks, else those that were chosen."""
    found = queries.reader.sites().get(str(site)) if site else None
    return found["timezone"] if found else fields.get("timezone")


def _rule(fields: Fields) -> str:
    every = fields.get("every") or ""
    if every == "other":
        return fields.get("rule") or ""
    days = fields.get("days") or []
    if every in ("FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2") and days:
        return f"{every};BYDAY={','.join(days)}"
    return every


def _moment(text: Any, zone: str | None) -> Any:
    """A local day and time as a moment; what cannot be read stays, for the schema to refuse."""
    try:
        local = dt.datetime.fromisoformat(str(text))
        return local.replace(tzinfo=ZoneInfo(zone or "UTC")).isoformat()
    except (ValueError, KeyError, OSError):
        return text


def placed(refusal: Refusal) -> Refusal:
    """The refusal with the form's own names of fields."""
    return Refusal(
        refusal.words, {_FIELDS.get(name, name): why for name, why in refusal.fields.items()}
    )


def form(
    values: Fields, refusal: Refusal | None = None, *, zone: str = "",
    spans: Sequence[Span] | None = None,
) -> html.Section:  # fmt: skip
    """The form; with ``spans`` the next times, and the button that makes the window."""
    made = Form(_PART, values, refusal)
    again = values.get("kind") == "again"
    sites = queries.reader.sites()
    fields = [
        made.text("name", "Name"),
        made.prose("reason", "Why", "For those who wonder why it is quiet."),
        made.choice(
            "site_id", "Site", [(key, site["name"]) for key, site in sites.items()],
            "None chosen: every site.", clearable=True, searchable=True,
        ),
        made.several("alert_types", "Only these alerts", list(words.ALERT.items()),
                     "None chosen: all of them."),
        html.Div(
            [
                made.choice("least_severity", "From", _severities(), clearable=True),
                made.choice("most_severity", "Up to", _severities(), clearable=True),
            ],
            className="admin-pair",
        ),
        made.boxes(
            "also", "Mute these as well",
            [("critical", "Critical alerts", ""), ("sos", "Calls for help (SOS)", "")],
            "They are heard of unless this is ticked.",
        ),
        kit.chips(_PART, "kind", _KINDS, "again" if again else "once", label="How often"),
        *(_again(made) if again else _once(made)),
        made.choice(
            "timezone", "By the clocks of", _zones(values, sites),
            "Where a site is chosen, its own clocks count.",
        ),
    ]  # fmt: skip
    kind = "again" if again else "once"
    if spans is None:
        buttons = kit.actions(kit.button(_PART, "look", "Show its times", kind, look="primary"))
        seen = None
    else:
        pairs = [(span.starts_at, span.ends_at) for span in spans]
        # Above the form: what was asked for is in sight, whatever the form's length.
        seen = html.Div(
            [
                times(pairs, zone),
                kit.actions(kit.button(_PART, "create", "Make the window", kind, look="primary")),
            ],
            className="done act",
            role="status",
        )
        buttons = kit.actions(kit.button(_PART, "look", "Show its times again", kind))
    return kit.side(
        "New window", [kit.told(refusal, *made.names), seen, *fields, buttons], part=_PART
    )


def _once(made: Form) -> list[Any]:
    return [
        html.Div(
            [made.moment("starts", "Begins"), made.moment("ends", "Ends")], className="admin-pair"
        ),
    ]


def _again(made: Form) -> list[Any]:
    return [
        made.choice("every", "How often", list(EVERY.items())),
        made.several("days", "Days", list(DAYS.items()), "Where it comes weekly."),
        made.text("rule", "Rule", "RFC 5545, for another rule: FREQ=MONTHLY;BYDAY=1SU"),
        html.Div(
            [
                made.text("start_time", "At", "HH:MM"),
                made.text("minutes", "For, minutes"),
                made.text("starts_on", "From the day", "2026-11-16"),
            ],
            className="admin-pair",
        ),
    ]


def _severities() -> list[tuple[str, str]]:
    return [(code, words.SEVERITY[code]) for code in SEVERITIES]


def _zones(values: Fields, sites: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    known = {site["timezone"] for site in sites.values()} | {"UTC"}
    if values.get("timezone"):
        known.add(str(values["timezone"]))
    return [(zone, zone.replace("_", " ")) for zone in sorted(known)]


def times(spans: Sequence[tuple[dt.datetime, dt.datetime]], zone: str) -> Any:
    """The next times, by the clocks of the place."""
    if not spans:
        return html.P("It does not come again.", className="muted")
    here = ZoneInfo(zone)
    lines = [
        html.Li(
            [
                html.Span(f"{start.astimezone(here):%a %d %b %Y, %H:%M}", className="num"),
                f" to {_end(start.astimezone(here), end.astimezone(here))} ",
                html.Span(marks.moment(start, zone), className="muted"),
            ]
        )
        for start, end in spans
    ]
    title = f"{'Its next times' if len(spans) > 1 else 'Its time'}, by the clocks of {zone}"
    return html.Div([html.H3(title), html.Ol(lines, className="admin-times")], **aria(label=title))


def _end(start: dt.datetime, end: dt.datetime) -> str:
    return f"{end:%H:%M}" if start.date() == end.date() else f"{end:%a %d %b, %H:%M}"


def rule_words(rule: str) -> str:
    """A rule in words where it is one that people use, else as it is written."""
    if rule in EVERY:
        return EVERY[rule].removesuffix(", on these days").removesuffix(", on the day it begins")
    parts = split(rule)
    plain = set(parts) <= {"FREQ", "BYDAY", "INTERVAL"} and parts.get("FREQ") == "WEEKLY"
    days = parts.get("BYDAY", "").split(",")
    if plain and all(day in DAYS for day in days) and parts.get("INTERVAL", "1") in ("1", "2"):
        named = ", ".join(f"{DAYS[day]}s" for day in days)
        return f"{named}, every other week" if parts.get("INTERVAL") == "2" else named
    return rule

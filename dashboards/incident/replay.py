"""The time line of an incident with its replay: what was known at each moment.

Everything comes in one read; moving through time is the browser's own (``assets/incident.js``).
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import dash_mantine_components as dmc
from dash import dcc, html

from dashboards import exports, graphs, marks, words
from dashboards.figures import incident_map, incident_timeline
from dashboards.incident.events import LANES, Event
from dashboards.marks import aria, data, icon_button
from dashboards.theme import Scheme
from noc.audit.story import Story

SPEEDS = (("60", "1 min/s"), ("300", "5 min/s"), ("900", "15 min/s"))


def body(incident: dict[str, Any], story: Story, events: list[Event], scheme: Scheme) -> list[Any]:
    """The time line with its controls, the rows, and the map."""
    zone = story.site["timezone"] if story.site else "UTC"
    shift = incident["window_start"].astimezone(ZoneInfo(zone)).utcoffset() or dt.timedelta(0)
    window = (incident["window_start"], incident["window_end"])
    chart = incident_timeline.figure(story, events, window, shift, zone, scheme)
    return [
        marks.section(
            "Time line",
            html.Div(
                [
                    dcc.Store(id="incident-story", data=for_script(story, events, shift)),
                    html.P(sentence(story, events, incident), className="muted"),
                    html.Div(
                        graphs.graph("incident-timeline", chart),
                        className="incident-chart",
                    ),
                    _controls(story),
                ],
                className="section-body stack-tight",
            ),
            aside=exports.chart("incident-timeline", "incident-time-line"),
            className="incident-time",
        ),
        html.Div(
            [_rows(events, shift, zone), _map(story, shift, scheme)],
            className="incident-pair",
        ),
    ]


def sentence(story: Story, events: list[Event], incident: dict[str, Any]) -> str:
    """What the chart shows, in words, for whoever does not see it."""
    counts = [
        words.count(number, one, many)
        for one, many, lane in (
            ("punch", "punches", "punches"),
            ("finding", "findings", "findings"),
            ("alert", "alerts", "alerts"),
            ("ticket", "tickets", "tickets"),
            ("step by people", "steps by people", "people"),
        )
        if (number := sum(event.lane == lane for event in events))
    ]
    hours = (story.end - story.start).total_seconds()
    heard = words.count(sum(row["n"] for row in story.signals), "phone signal")
    told = f"{words.span(hours)} around it: {heard} by {story.bin_minutes} min"
    apart = sum(not event.linked for event in events)
    others = " What is faint is not part of it." if apart else ""
    return f"{told}, {', '.join(counts) or 'nothing else'}. The incident is shaded.{others}"


def for_script(story: Story, events: list[Event], shift: dt.timedelta) -> dict[str, Any]:
    """What the replay needs, times in milliseconds since 1970."""
    size = dt.timedelta(minutes=story.bin_minutes)
    counts = incident_timeline.bins(story)
    return {
        "from": _ms(story.start),
        "to": _ms(story.end),
        "shift": int(shift / dt.timedelta(milliseconds=1)),
        "known": [_ms(event.known_at) for event in events],
        "lanes": [event.lane for event in events],
        "linked": [event.linked for event in events],
        "lasts": [event.since is not None for event in events],
        "names": LANES,
        "bins": len(counts),
        "top": incident_timeline.tallest(counts),
        "signals": [
            # When it happened, at most the end of its bin; when it was known; how many.
            [
                min(row["slot"], len(counts) - 1),
                min(_ms(row["known_at"]), _ms(story.end)),
                row["n"],
                min(_ms(story.start + size * (row["slot"] + 1)), _ms(row["known_at"])),
            ]
            for row in story.signals
        ],
        "fixes": [
            [fix["x"], fix["y"], min(_ms(fix["known_at"]), _ms(story.end)), _ms(fix["at"])]
            for fix in story.fixes
        ],
    }


def _controls(story: Story) -> html.Div:
    seconds = max(1, int((story.end - story.start).total_seconds()))
    return html.Div(
        [
            html.Div(
                [
                    icon_button("back", "To what happened before (,)", id="incident-back"),
                    icon_button("play", "Play or pause (space)", id="incident-play"),
                    icon_button("next", "To what happened next (.)", id="incident-next"),
                ],
                className="replay-buttons",
                role="group",
                **aria(label="Replay"),
            ),
            dmc.Slider(
                id="incident-at",
                min=0,
                max=seconds,
                value=seconds,
                step=max(1, round(seconds / 300)),
                updatemode="drag",
                label=None,
                size=4,
                className="replay-slider",
                **aria(label="Moment of the replay, seconds from the start"),
            ),
            dmc.SegmentedControl(
                id="incident-speed",
                value="300",
                data=[{"value": value, "label": label} for value, label in SPEEDS],
                **aria(label="Speed"),
            ),
            html.P(id="incident-known", className="replay-known", role="status"),
        ],
        className="replay",
    )


def _rows(events: list[Event], shift: dt.timedelta, zone: str) -> html.Section:
    listing: Any = html.Ol(
        [_row(event, shift, i, zone) for i, event in enumerate(events)],
        id="incident-rows",
        className="story",
    )
    if not events:
        listing = html.P("Nothing but the phone's signals.", className="muted pad")
    return marks.section(
        "Step by step",
        html.Div(listing, className="story-frame", tabIndex=0, role="group",
                 **aria(label="What happened, in order of time")),
        aside=html.Span(f"times at the site, {zone}", className="muted"),
    )  # fmt: skip


def _row(event: Event, shift: dt.timedelta, number: int, zone: str) -> html.Li:
    late = (event.known_at - event.at).total_seconds()
    label: Any = html.Span(event.title)
    if event.opens:
        label = marks.opens(event.opens, event.title)
    return html.Li(
        [
            html.Time(
                f"{(event.at + shift):%H:%M:%S}",
                dateTime=event.at.isoformat(),
                className="story-time num",
                **data(zone=zone),
            ),
            html.Div(
                [
                    html.Div(
                        [
                            label,
                            marks.severity(event.severity) if event.severity else None,
                            html.Span("not part of it", className="tag")
                            if not event.linked
                            else None,
                            html.Span(f"known {words.span(late)} later", className="tag")
                            if late >= 60
                            else None,
                        ],
                        className="story-head",
                    ),
                    html.P(event.what) if event.what else None,
                ],
                className="story-words",
            ),
            html.Span(LANES[event.lane], className="story-lane muted"),
        ],
        **data(n=str(number)),
    )


def _map(story: Story, shift: dt.timedelta, scheme: Scheme) -> html.Section | None:
    if story.site is None:
        return None
    told = incident_map.sentence(story.site, story.fixes)
    if story.fixes_of > len(story.fixes):
        told += f" {len(story.fixes):,} of {story.fixes_of:,} fixes are drawn."
    fence = "" if story.site["ring"] else f", {story.site['geofence_radius']:.0f} m"
    return marks.section(
        "Where the phone was",
        html.Div(
            [
                html.P(
                    f"{told} The tinted area is the geofence{fence}; the ring is the last fix.",
                    className="muted",
                ),
                graphs.graph(
                    "incident-map", incident_map.figure(story.site, story.fixes, shift, scheme)
                ),
            ],
            className="section-body stack-tight",
        ),
        aside=exports.chart("incident-map", "incident-map"),
    )


def _ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)

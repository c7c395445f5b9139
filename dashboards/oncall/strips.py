"""The days to come: a strip for each schedule with the turns on it, and the same as a table."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashboards import exports, queries, states, words
from dashboards.marks import aria, data
from dashboards.oncall import phrases
from noc.identity.principal import required_principal
from noc.oncall.timelines import Timeline, Turn

PERIODS = (7, 14, 28)
USUAL = 14


def period(days: str | None) -> int:
    """The days to show; :data:`USUAL` for what is not offered."""
    return {str(n): n for n in PERIODS}.get(days or "", USUAL)


def content(now: dt.datetime, days: int) -> Any:
    """Strips and table, or why there are none."""
    lines = queries.on_call.lines(now, days)
    if not lines:
        return html.Div(
            states.empty("No turns to show", "They appear with the first schedule.", mark="clock"),
        )
    return [
        _legend(),
        html.Div(
            [_strip(line, now, days) for line in lines],
            className=f"oncall-strips oncall-days-{days}",
        ),
        html.Details(
            [
                html.Summary("As a table"),
                html.Div(_table(lines), className="oncall-frame"),
                exports.rows("oncall-turns", "turns-on-call"),
            ],
            className="oncall-as-table",
        ),
    ]


def _legend() -> html.Ul:
    marks = (("seg-mine", "Your turns"), ("seg-taken", "Taken over"), ("seg-none", "Nobody"))
    return html.Ul(
        [html.Li([html.I(className=f"seg-key {name}"), label]) for name, label in marks],
        className="legend oncall-legend",
    )


def _strip(line: Timeline, now: dt.datetime, days: int) -> html.Section:
    own = required_principal().user_id
    return html.Section(
        [
            html.Header(
                [
                    html.H3(line.name, title=line.name),
                    html.Span(line.timezone, className="muted"),
                ]
            ),
            html.Div(
                html.Div(
                    [
                        html.Div(
                            _ticks(line, days), className="oncall-ticks", **aria(hidden="true")
                        ),
                        html.Ol(
                            [_segment(line, turn, own) for turn in line.turns],
                            className="oncall-track",
                        ),
                        html.I(
                            className="oncall-now-line",
                            style={"left": _percent(share(line, now))},
                            title="Now",
                            **aria(hidden="true"),
                        ),
                    ],
                    className="oncall-lane",
                ),
                className="oncall-scroll",
            ),
        ],
        className="oncall-strip",
        **aria(label=f"{line.name}, the next {days} days"),
    )


def share(line: Timeline, at: dt.datetime) -> float:
    """Where a moment lies on the strip, from 0 to 1."""
    whole = (line.until - line.since).total_seconds()
    return min(max((at - line.since).total_seconds() / whole, 0), 1)


def _percent(value: float) -> str:
    return f"{value * 100:.3f}%"


def _ticks(line: Timeline, days: int) -> list[html.Span]:
    """A tick for each midnight of the schedule's clock; of many days only Mondays are named."""
    ticks = []
    zone = ZoneInfo(line.timezone)
    for number, at in enumerate(line.days):
        day = at.astimezone(zone).date()
        monday = day.weekday() == 0
        named = days <= USUAL or monday
        text = f"{day:%-d %b}" if number == 0 or day.day == 1 else f"{day:%a %-d}"
        ticks.append(
            html.Span(
                text if named else "",
                className="oncall-tick" + (" is-monday" if monday else ""),
                style={"left": _percent(share(line, at))},
            )
        )
    return ticks


def _segment(line: Timeline, turn: Turn, own: int | None) -> html.Li:
    start, end = share(line, turn.starts_at), share(line, turn.ends_at)
    name = turn.user_name or _nobody(line, turn)
    told = _told(line, turn)
    classes = ["seg"]
    classes += ["seg-mine"] if turn.user_id is not None and turn.user_id == own else []
    classes += ["seg-taken"] if turn.override_id else []
    classes += ["seg-none"] if turn.user_id is None else []
    classes += ["seg-late"] if start > 0.6 else []
    return html.Li(
        html.Span(name, className="seg-name", **aria(hidden="true")),
        className=" ".join(classes),
        style={"left": _percent(start), "width": _percent(end - start)},
        tabIndex=0,
        **aria(label=told),
        **data(tip=told),
    )


def _told(line: Timeline, turn: Turn) -> str:
    name = turn.user_name or _nobody(line, turn)
    instead = f", instead of {phrases.listed(turn.instead_of)}" if turn.instead_of else ""
    start, end = (phrases.local(at, line.timezone) for at in (turn.starts_at, turn.ends_at))
    if turn.starts_at <= line.since:
        return f"{name}{instead}: until {end}"
    return f"{name}{instead}: {start} to {end}"


def _nobody(line: Timeline, turn: Turn) -> str:
    return "Not begun" if turn.starts_at < line.begins_at else "Nobody"


def _table(lines: list[Timeline]) -> html.Table:
    several = len(lines) > 1
    heads = ["Schedule"] * several + ["On call", "From", "Until", "By"]
    rows = [
        html.Tr(
            [
                *([html.Td(line.name)] if several else []),
                html.Th(turn.user_name or _nobody(line, turn), scope="row"),
                html.Td(phrases.clock(turn.starts_at, line.timezone)),
                html.Td(phrases.clock(turn.ends_at, line.timezone)),
                html.Td(_by(turn)),
            ]
        )
        for line in lines
        for turn in line.turns
    ]
    return html.Table(
        [html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])), html.Tbody(rows)],
        className="oncall-table",
        id="oncall-turns",
        **aria(label=words.count(len(rows), "turn")),
    )


def _by(turn: Turn) -> str:
    if turn.override_id is None:
        return "Rotation"
    return f"Instead of {phrases.listed(turn.instead_of)}" if turn.instead_of else "Taken over"

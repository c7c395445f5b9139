"""What happened around an incident, in lanes against time."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import Any

import plotly.graph_objects as go

from dashboards import theme, words
from dashboards.incident.events import LANES, Event
from noc.audit.story import Story

LANE_HEIGHT = 46
HEIGHT = (len(LANES) + 1) * LANE_HEIGHT + 44

_CLOSE = 0.012
"""Marks nearer than this share of the time axis stand one above the other."""


def figure(
    story: Story,
    events: list[Event],
    window: tuple[dt.datetime, dt.datetime],
    shift: dt.timedelta,
    zone: str,
    scheme: theme.Scheme,
) -> go.Figure:
    """The lanes of ``events`` below the density of the phone's signals.

    ``window`` is the incident's own, shaded. ``shift`` is what the site's clock is ahead of UTC,
    the same along the whole axis. The shapes ``veil`` and ``now`` are the replay's: what lies
    behind the veil was not known yet.
    """
    tokens = theme.COLOURS[scheme]
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})
    chart.add_trace(_density(story, shift, tokens))
    rank = {lane: len(LANES) - 1 - i for i, lane in enumerate(LANES)}
    length = story.end - story.start
    for lane, level in rank.items():
        mine = [event for event in events if event.lane == lane]
        if mine:
            heights = stacked([event.at for event in mine], length)
            places = [level + height for height in heights]
            chart.add_trace(_lasting(lane, mine, places, shift, tokens))
            chart.add_trace(_marks(lane, mine, places, shift, scheme))
    _frame(chart, story, window, shift, tokens)
    counts = {lane: sum(event.lane == lane for event in events) for lane in LANES}
    chart.update_layout(
        xaxis={
            "range": [story.start + shift, story.end + shift], "fixedrange": True, "type": "date",
            "showgrid": False, "title": {"text": f"Time at the site ({zone})"},
            "tickformat": "%H:%M\n%d %b", "hoverformat": "%H:%M:%S",
        },
        yaxis={
            "range": [-0.5, len(LANES) + 0.5], "fixedrange": True, "showgrid": False,
            "tickvals": [*rank.values(), len(LANES)],
            "ticktext": [
                *(f"{name} {counts[lane]}" if counts[lane] else name
                  for lane, name in LANES.items()),
                f"Phone signals {sum(row['n'] for row in story.signals)}",
            ],
        },
        bargap=0,
    )  # fmt: skip
    return chart


def stacked(moments: list[dt.datetime], length: dt.timedelta) -> list[float]:
    """How high each mark stands in its lane, in [-0.26, 0.26]: marks that would touch take turns.

    ``moments`` in order of time.
    """
    steps = (0.0, 0.26, -0.26)
    heights: list[float] = []
    run = 0
    for i, moment in enumerate(moments):
        touches = i > 0 and (moment - moments[i - 1]) < length * _CLOSE
        run = run + 1 if touches else 0
        heights.append(steps[run % len(steps)])
    return heights


def bins(story: Story) -> list[int]:
    """Signals of the phone by bin, from the start."""
    size = dt.timedelta(minutes=story.bin_minutes)
    counts = [0] * (int((story.end - story.start) / size) + 1)
    for row in story.signals:
        counts[min(row["slot"], len(counts) - 1)] += row["n"]
    return counts


def tallest(counts: list[int]) -> int:
    """The count that fills the lane."""
    return max([*counts, 1])


def _density(story: Story, shift: dt.timedelta, tokens: dict[str, str]) -> go.Bar:
    counts = bins(story)
    size = dt.timedelta(minutes=story.bin_minutes)
    top = tallest(counts)
    return go.Bar(
        name="Phone signals",
        x=[story.start + shift + size * (i + 0.5) for i in range(len(counts))],
        y=[0.8 * count / top for count in counts],
        base=len(LANES) - 0.4,
        width=size / dt.timedelta(milliseconds=1) * 0.92,
        marker={"color": tokens["accent"], "line": {"width": 0}},
        customdata=counts,
        hovertemplate=f"%{{customdata}} phone signals in {story.bin_minutes} min<extra></extra>",
    )


def _lasting(
    lane: str,
    events: list[Event],
    places: list[float],
    shift: dt.timedelta,
    tokens: dict[str, str],
) -> go.Scatter:
    """A line for as long as each was so."""
    x: list[Any] = []
    y: list[Any] = []
    for event, place in zip(events, places, strict=True):
        if event.since is not None and event.until is not None:
            x += [event.since + shift, event.until + shift, None]
            y += [place, place, None]
    return go.Scatter(
        name=f"{LANES[lane]}, how long", x=x, y=y, mode="lines", hoverinfo="skip",
        line={"width": 2, "color": tokens["muted"]}, opacity=0.6,
    )  # fmt: skip


def _marks(
    lane: str,
    events: list[Event],
    places: list[float],
    shift: dt.timedelta,
    scheme: theme.Scheme,
) -> go.Scatter:
    tokens = theme.COLOURS[scheme]
    plain = tokens["text"]
    return go.Scatter(
        name=LANES[lane],
        x=[event.at + shift for event in events],
        y=places,
        mode="markers",
        marker={
            "size": [11 if event.linked else 8 for event in events],
            "opacity": [1.0 if event.linked else 0.5 for event in events],
            "symbol": [
                theme.SEVERITY_SYMBOLS[event.severity] if event.severity else "line-ns"
                for event in events
            ],
            "color": [
                theme.SEVERITY_COLOURS[scheme][event.severity] if event.severity else plain
                for event in events
            ],
            "line": {
                "width": [1 if event.severity else 2 for event in events],
                "color": [tokens["surface"] if event.severity else plain for event in events],
            },
        },
        customdata=[[event.opens] for event in events],
        hovertext=[_hover(event, shift) for event in events],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _hover(event: Event, shift: dt.timedelta) -> str:
    head = f"<b>{(event.at + shift):%H:%M:%S}</b>  {event.title}"
    if event.severity:
        head += f", {words.say(words.SEVERITY, event.severity).lower()}"
    told = ["<br>".join(textwrap.wrap(event.what, 62))] if event.what else []
    late = event.known_at - event.at
    if late >= dt.timedelta(minutes=1):
        told.append(f"known {words.span(late.total_seconds())} later")
    return "<br>".join([head, *told])


def _frame(
    chart: go.Figure,
    story: Story,
    window: tuple[dt.datetime, dt.datetime],
    shift: dt.timedelta,
    tokens: dict[str, str],
) -> None:
    end = story.end + shift
    chart.add_shape(
        name="window", type="rect", yref="paper", y0=0, y1=1, layer="below", line={"width": 0},
        x0=max(window[0], story.start) + shift, x1=min(window[1], story.end) + shift,
        fillcolor=tokens["accent"], opacity=0.1,
    )  # fmt: skip
    for edge in range(len(LANES)):
        chart.add_shape(
            name="lane", type="line", xref="paper", x0=0, x1=1, y0=edge + 0.5, y1=edge + 0.5,
            line={"width": 1, "color": tokens["line"]}, layer="below",
        )  # fmt: skip
    chart.add_shape(
        name="veil", type="rect", yref="paper", y0=0, y1=1, x0=end, x1=end, layer="above",
        line={"width": 0}, fillcolor=tokens["surface"], opacity=0.86,
    )  # fmt: skip
    chart.add_shape(
        name="now", type="line", yref="paper", y0=0, y1=1, x0=end, x1=end, visible=False,
        line={"width": 2, "color": tokens["text"]},
    )  # fmt: skip

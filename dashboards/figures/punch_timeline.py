"""What happened around a punch, on one line of time for each kind of thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards import theme, words
from noc.fraud.review.surroundings import BIN

Span = tuple[dt.datetime, dt.datetime]

LANES = {
    "shift": "On duty",
    "guard": "Punches",
    "scan": "Checkpoints",
    "heard": "Phone heard",
    "alert": "Alerts",
    "phone": "Others, same phone",
    "site": "Colleagues",
}
"""Top to bottom; a lane is there whether or not anything is on it."""

ROW = 23

HEIGHT = ROW * len(LANES) + 34

SILENT = dt.timedelta(minutes=30)
"""From here on a pause of the phone's signals is told as silence."""

_MARKS = {"guard": "diamond", "scan": "circle", "alert": "triangle-up", "phone": "x"}
_MARKS |= {"site": "circle-open"}


def figure(
    story: Sequence[dict[str, Any]],
    heard: Sequence[dict[str, Any]],
    at: dt.datetime,
    since: dt.datetime,
    until: dt.datetime,
    now: dt.datetime,
    zone: str,
    scheme: theme.Scheme,
) -> go.Figure:
    """``story`` and ``heard`` of ``noc.fraud.review.surroundings`` on the clock of the ``zone``.

    What is after ``now`` is grey: it is not there yet.
    """
    clock, tokens = ZoneInfo(zone), theme.COLOURS[scheme]
    names = list(LANES)
    rows = {lane: len(names) - 1 - index for index, lane in enumerate(names)}
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})

    def local(moment: dt.datetime) -> dt.datetime:
        return moment.astimezone(clock).replace(tzinfo=None)

    # All at once: one by one they cost more than the rest of the chart.
    chart.update_layout(shapes=_background(local, rows.values(), at, since, until, now, tokens))
    for shift in (item for item in story if item["lane"] == "shift"):
        start, end = max(shift["at"], since), min(shift["until"], until)
        chart.add_trace(_bar(
            [(local(start), local(end))], rows["shift"], "On duty", tokens["muted"],
            f"Shift at {shift['site_name']}, "
            f"{local(shift['at']):%H:%M} to {local(shift['until']):%H:%M}",
        ))  # fmt: skip
    bins = [(local(bit["at"]), local(min(bit["at"] + BIN, until))) for bit in heard]
    if bins:
        chart.add_trace(_bar(
            bins, rows["heard"], "Phone heard", tokens["accent"], "The phone was heard"
        ))  # fmt: skip
    for lane, symbol in _MARKS.items():
        items = [item for item in story if item["lane"] == lane]
        if items:
            chart.add_trace(go.Scatter(
                x=[local(item["at"]) for item in items], y=[rows[lane]] * len(items),
                mode="markers+text" if lane == "phone" else "markers",
                text=_last_names(items), textposition="middle right",
                textfont={"color": tokens["text"]}, name=LANES[lane],
                hovertemplate="%{hovertext}<extra></extra>",
                hovertext=[f"{local(item['at']):%H:%M:%S} {told(item)}" for item in items],
                customdata=[[_target(item)] for item in items],
                marker={
                    "symbol": symbol, "size": 10, "opacity": 1, "color": tokens["text"],
                    "line": {"width": 1, "color": tokens["surface"]},
                } | ({"line": {"width": 1.5}} if symbol.endswith("open") else {}),
            ))  # fmt: skip
    chart.update_layout(
        xaxis={
            "range": [local(since), local(until)], "showgrid": False, "fixedrange": True,
            "dtick": 2 * 3_600_000, "tickformat": "%H:%M", "side": "bottom",
        },
        yaxis={
            "range": [-0.6, len(names) - 0.4], "fixedrange": True, "showgrid": False,
            "tickvals": list(rows.values()), "ticktext": [LANES[lane] for lane in rows],
            "ticksuffix": "  ",
        },
    )  # fmt: skip
    return chart


def _background(
    local: Callable[[dt.datetime], dt.datetime],
    rows: Collection[int],
    at: dt.datetime,
    since: dt.datetime,
    until: dt.datetime,
    now: dt.datetime,
    tokens: Mapping[str, str],
) -> list[dict[str, Any]]:
    """What is not over yet in grey, a line for each lane, and the moment of the punch."""
    whole = {"layer": "below", "yref": "paper", "y0": 0, "y1": 1}
    grey = {
        "name": "not yet", "type": "rect", "x0": local(max(now, since)), "x1": local(until),
        "line": {"width": 0}, "fillcolor": tokens["unmeasured"],
    }  # fmt: skip
    lanes = [
        {
            "type": "line", "layer": "below", "x0": local(since), "x1": local(until),
            "y0": row, "y1": row, "line": {"width": 1, "color": tokens["line"]},
        }
        for row in rows
    ]  # fmt: skip
    punch = {
        "name": "punch", "type": "line", "x0": local(at), "x1": local(at),
        "line": {"width": 1.5, "dash": "4px,3px", "color": tokens["text"]},
    }  # fmt: skip
    return [*([grey | whole] if now < until else []), *lanes, punch | whole]


def _last_names(items: Sequence[dict[str, Any]]) -> list[str]:
    """The name beside the last mark, where all are of one person; else they would overlap."""
    if len({item["person_id"] for item in items}) != 1:
        return [""] * len(items)
    return [*[""] * (len(items) - 1), items[-1]["person_name"]]


def told(item: dict[str, Any]) -> str:
    """One thing that happened, in words."""
    if item["lane"] == "scan":
        return f"Checkpoint: {item['what']}"
    if item["lane"] == "alert":
        return f"Alert: {words.say(words.ALERT, item['what'])}"
    if item["lane"] == "shift":
        return f"Shift at {item['site_name']}"
    did = words.say(words.PUNCH, item["what"])
    if item["lane"] == "guard":
        return f"{did}, {item['site_name']}"
    where = "on the same phone" if item["lane"] == "phone" else "at the same site"
    return f"{item['person_name']}: {did[0].lower()}{did[1:]} {where}"


def silences(heard: Sequence[dict[str, Any]], during: Sequence[Span]) -> list[Span]:
    """Pauses of at least :data:`SILENT` within the spans in which nothing came from the phone."""
    found = []
    for start, end in during:
        bits = [bit["at"] for bit in heard if start - BIN < bit["at"] < end]
        begins = [start, *(bit + BIN for bit in bits)]
        ends = [*bits, end]
        found += [(a, b) for a, b in zip(begins, ends, strict=True) if b - a >= SILENT]
    return found


def _target(item: dict[str, Any]) -> str | None:
    kind = "alert" if item["lane"] == "alert" else "punch"
    return f"{kind}:{item['ref']}" if item["ref"] else None


def _bar(spans: Sequence[Span], row: int, name: str, colour: str, text: str) -> go.Scatter:
    """Thick lines, with gaps between them."""
    x: list[dt.datetime | None] = []
    for start, end in spans:
        x += [start, end, None]
    return go.Scatter(
        x=x, y=[None if value is None else row for value in x], mode="lines", name=name,
        line={"width": 9, "color": colour}, hovertemplate="%{x|%H:%M} %{text}<extra></extra>",
        text=[text] * len(x),
    )  # fmt: skip

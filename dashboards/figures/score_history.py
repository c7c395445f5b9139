"""A person's scores over time."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards import theme, words
from noc.domain import RISK_LEVELS, risk_severity

HEIGHT = 300

SYMBOLS = {
    "BUDDY_PUNCHING": ("diamond", "◆"),
    "GEOFENCE_VIOLATION": ("triangle-up", "▲"),
    "GPS_SPOOFING": ("x", "✖"),
    "IMPOSSIBLE_TRAVEL": ("triangle-right", "▶"),
    "UNAUTHORIZED_SITE": ("square", "■"),
    "OVERLAPPING_SHIFT": ("triangle-left", "◀"),
    "UNUSUAL_TIME": ("triangle-down", "▼"),
    "BIOMETRIC_MISMATCH": ("star", "★"),
    "REPLAYED_PUNCH": ("cross", "✚"),
    "MODEL": ("circle", "●"),
}
"""The marker of each anomaly type, and the sign for it in the legend; other punches are dots."""

_BOUNDS = (0.2, 0.4, 0.6, 0.8)


def figure(
    scores: list[dict[str, Any]], threshold: float, zone: str, scheme: theme.Scheme
) -> go.Figure:
    """Scores (rows of ``noc.fraud.reports.history``) against time on the clock of ``zone``.

    The dashed line is the ticket threshold, thin lines bound the risk levels. Punches with an
    anomaly have the marker of the weightiest type and the colour of their severity.
    """
    clock = ZoneInfo(zone)
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})
    plain = [score for score in scores if not score["fraud_type"]]
    tokens = theme.COLOURS[scheme]
    chart.add_trace(
        _points("No anomaly", plain, clock, {
            "symbol": "circle", "size": 5, "color": tokens["muted"], "opacity": 0.55,
        })
    )  # fmt: skip
    for kind, (symbol, _) in SYMBOLS.items():
        marked = [score for score in scores if score["fraud_type"] == kind]
        if marked:
            chart.add_trace(_points(words.say(words.ANOMALY, kind), marked, clock, {
                "symbol": symbol, "size": 11, "opacity": 1,
                "color": [_colour(score, scheme) for score in marked],
                "line": {"width": 1, "color": tokens["surface"]},
            }))  # fmt: skip
    _lines(chart, threshold, scheme)
    chart.update_layout(
        xaxis={
            "showgrid": False, "fixedrange": True, "title": {"text": f"Time at the site ({zone})"},
            "range": _span([_local(score["occurred_at"], clock) for score in scores]),
        },
        yaxis={
            "range": [-0.02, 1.02], "tickvals": [0, *_BOUNDS, 1], "tickformat": ".1f",
            "showgrid": False, "fixedrange": True, "title": {"text": "Fraud score"},
        },
        margin={"r": 76},
    )  # fmt: skip
    return chart


def _points(
    name: str, scores: list[dict[str, Any]], clock: ZoneInfo, marker: dict[str, Any]
) -> go.Scatter:
    return go.Scatter(
        x=[_local(score["occurred_at"], clock) for score in scores],
        y=[score["fraud_score"] for score in scores],
        mode="markers",
        name=name,
        marker=marker,
        customdata=[[score["punch_id"]] for score in scores],
        hovertext=[_hover(score, clock) for score in scores],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _lines(chart: go.Figure, threshold: float, scheme: theme.Scheme) -> None:
    tokens = theme.COLOURS[scheme]
    edges = (0.0, *_BOUNDS, 1.0)
    for bound in _BOUNDS:
        chart.add_shape(
            type="line", xref="paper", x0=0, x1=1, y0=bound, y1=bound, layer="below",
            line={"width": 1, "color": tokens["line"]},
        )  # fmt: skip
    for low, high, level in zip(edges[:-1], edges[1:], RISK_LEVELS, strict=True):
        chart.add_annotation(
            xref="paper", x=1, xanchor="left", xshift=8, y=(low + high) / 2, showarrow=False,
            text=words.say(words.RISK, level), font={"color": tokens["muted"]},
        )  # fmt: skip
    chart.add_shape(
        name="threshold", type="line", xref="paper", x0=0, x1=1, y0=threshold, y1=threshold,
        line={"width": 1.5, "dash": "6px,4px", "color": tokens["text"]},
    )  # fmt: skip
    chart.add_annotation(
        xref="paper", x=1, xanchor="left", xshift=8, y=threshold, showarrow=False,
        text=f"ticket {threshold:.2f}", font={"color": tokens["text"]},
    )  # fmt: skip


def legend(scores: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Sign and words of each anomaly type among the scores, commonest first."""
    kinds = [score["fraud_type"] for score in scores if score["fraud_type"]]
    order = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))
    return [
        (SYMBOLS[kind][1], f"{words.say(words.ANOMALY, kind)} {kinds.count(kind)}")
        for kind in order
        if kind in SYMBOLS
    ]


def _span(moments: list[dt.datetime]) -> list[dt.datetime] | None:
    """The time axis: all of the moments with some room, and never less than two days.

    Left to itself the axis of a single punch spans milliseconds.
    """
    if not moments:
        return None
    first, last = min(moments), max(moments)
    room = max((last - first) * 0.03, dt.timedelta(days=1) - (last - first) / 2)
    return [first - room, last + room]


def _local(moment: str, clock: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromisoformat(moment).astimezone(clock).replace(tzinfo=None)


def _hover(score: dict[str, Any], clock: ZoneInfo) -> str:
    head = (
        f"<b>{score['fraud_score']:.2f}</b>  {words.say(words.PUNCH, score['kind'])}, "
        f"{_local(score['occurred_at'], clock):%a %d %b %H:%M}"
    )
    told = ["<br>".join(textwrap.wrap(reason["sentence"], 62)) for reason in score["reasons"][:3]]
    return "<br>".join([head, *told])


def _colour(score: dict[str, Any], scheme: theme.Scheme) -> str:
    return theme.SEVERITY_COLOURS[scheme][risk_severity(score["risk_level"])]

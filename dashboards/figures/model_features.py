"""The features: how much each matters to a version, and how far it has moved since."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from dashboards import theme, words
from noc.fraud.watching.shares import ALARM, WATCH

ROW = 24
AXIS = 52

LEVEL = {"steady": "steady", "watch": "keep an eye on it", "alarm": "moved", "too few": "too few"}
"""What the watch found of a feature, in words."""


def importance(weights: dict[str, float], scheme: theme.Scheme) -> go.Figure:
    """Bars of ``report["importance"]``, the weightiest on top: mean size in log-odds."""
    tokens = theme.COLOURS[scheme]
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    names = [words.say(words.FEATURE, name) for name, _ in ranked]
    sizes = [size for _, size in ranked]
    chart = go.Figure(go.Bar(
        name="importance", x=sizes, y=names, orientation="h",
        marker={"color": tokens["accent"], "line": {"width": 0}},
        hovertext=[
            f"<b>{name}</b><br>shifts the log-odds by {size:.2f} on average"
            for name, size in zip(names, sizes, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    _rows(chart, names, scheme)
    _values(chart, names, sizes, [f"{size:.2f}" for size in sizes], scheme)
    top = max(sizes, default=0.0)
    chart.update_layout(
        xaxis={"title": {"text": "Mean shift of the log-odds"}, "rangemode": "tozero"}
        | {"range": [0, top * 1.15 or 1], "fixedrange": True, "nticks": 5},
    )
    return chart


def drift(features: dict[str, dict[str, Any]], scheme: theme.Scheme) -> go.Figure:
    """Population stability index of each feature of a watch, the furthest moved on top.

    Colour says the level alone, and the word at the bar says it too. Lines stand where one
    begins to watch and where the alarm is. One that could not be compared keeps an empty row.
    """
    tokens = theme.COLOURS[scheme]
    ranked = sorted(features.items(), key=lambda pair: (-(pair[1]["psi"] or 0.0), pair[0]))
    names = [words.say(words.FEATURE, name) for name, _ in ranked]
    sizes = [found["psi"] or 0.0 for _, found in ranked]
    chart = go.Figure(go.Bar(
        name="drift", x=sizes, y=names, orientation="h",
        marker={
            "color": [_colour(found["level"], scheme) for _, found in ranked], "line": {"width": 0},
        },
        hovertext=[
            _moved(name, found) for name, (_, found) in zip(names, ranked, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    _rows(chart, names, scheme)
    _values(chart, names, sizes, [_short(found) for _, found in ranked], scheme)
    for bound in (WATCH, ALARM):
        chart.add_shape(
            name=f"{bound:.2f}", type="line", yref="paper", y0=0, y1=1, x0=bound, x1=bound,
            line={"color": tokens["muted"], "width": 1, "dash": "4px,4px"}, layer="below",
        )  # fmt: skip
    longest = max([*sizes, ALARM])
    chart.update_layout(
        xaxis={"title": {"text": "Population stability index"}, "rangemode": "tozero"}
        | {"range": [0, longest * 1.75], "fixedrange": True, "nticks": 6, "showgrid": False},
    )
    return chart


def missing(features: dict[str, dict[str, Any]], scheme: theme.Scheme) -> go.Figure:
    """Share of punches without the feature: a ring for the reference, a dot for the week.

    The most often missing on top; those that could not be compared are left out.
    """
    tokens = theme.COLOURS[scheme]
    ranked = sorted(
        ((name, found) for name, found in features.items() if "missing" in found),
        key=lambda pair: (-pair[1]["missing"], pair[0]),
    )
    names = [words.say(words.FEATURE, name) for name, _ in ranked]
    chart = go.Figure()
    for name, (_, found) in zip(names, ranked, strict=True):
        chart.add_shape(
            type="line", x0=found["missing_reference"], x1=found["missing"], y0=name, y1=name,
            line={"color": tokens["muted"], "width": 2}, layer="below",
        )  # fmt: skip
    told = [_absent(name, found) for name, (_, found) in zip(names, ranked, strict=True)]
    dots = (
        ("before", "missing_reference", "circle-open", tokens["muted"]),
        ("this week", "missing", "circle", tokens["accent"]),
    )
    for name, key, symbol, colour in dots:
        chart.add_trace(go.Scatter(
            name=name, x=[found[key] for _, found in ranked], y=names, mode="markers",
            marker={"symbol": symbol, "size": 9, "color": colour, "opacity": 1}, cliponaxis=False,
            hovertext=told, hovertemplate="%{hovertext}<extra></extra>",
        ))  # fmt: skip
    _rows(chart, names, scheme)
    most = max([0.1, *(max(f["missing"], f["missing_reference"]) for _, f in ranked)])
    chart.update_layout(
        xaxis={"title": {"text": "Share of punches without it"}, "tickformat": ".0%"}
        | {"range": [-0.02 * most, most * 1.08], "fixedrange": True, "nticks": 5},
    )
    return chart


def _rows(chart: go.Figure, names: list[str], scheme: theme.Scheme) -> None:
    tokens = theme.COLOURS[scheme]
    chart.update_layout(
        template=theme.template(scheme),
        height=ROW * max(len(names), 1) + AXIS,
        bargap=0.35,
        yaxis={
            "type": "category", "categoryorder": "array", "categoryarray": names,
            "autorange": False, "range": [len(names) - 0.5, -0.5], "fixedrange": True,
            "showgrid": False, "ticklabelstandoff": 8, "tickmode": "array", "tickvals": names,
            "tickfont": {"size": theme.TYPE_SCALE[0], "color": tokens["text"]},
        },
    )  # fmt: skip


def _values(
    chart: go.Figure, names: list[str], sizes: list[float], told: list[str], scheme: theme.Scheme
) -> None:
    tokens = theme.COLOURS[scheme]
    for name, size, text in zip(names, sizes, told, strict=True):
        chart.add_annotation(
            x=size, y=name, xanchor="left", xshift=6, showarrow=False, text=text,
            font={"color": tokens["text"]}, bgcolor=tokens["surface"], borderpad=1,
        )  # fmt: skip


def _colour(level: str, scheme: theme.Scheme) -> str:
    severities = theme.SEVERITY_COLOURS[scheme]
    levels = {"alarm": severities["HIGH"], "watch": severities["MEDIUM"]}
    unknown = theme.COLOURS[scheme]["unmeasured"]
    return levels.get(level, theme.COLOURS[scheme]["accent"] if level == "steady" else unknown)


def with_verdicts(found: dict[str, Any]) -> bool:
    """Whether it is as far as what has moved, but of those that move as people give verdicts."""
    return bool(found["level"] == "watch" and found["psi"] >= ALARM)


def _short(found: dict[str, Any]) -> str:
    if found["psi"] is None:
        return "not compared"
    if with_verdicts(found):
        return f"{found['psi']:.2f} moved with the verdicts"
    word = "" if found["level"] == "steady" else f" {LEVEL.get(found['level'], found['level'])}"
    return f"{found['psi']:.2f}{word}"


def _moved(name: str, found: dict[str, Any]) -> str:
    if found["psi"] is None:
        return f"<b>{name}</b><br>Could not be compared"
    return (
        f"<b>{name}</b><br>Index {found['psi']:.3f}, {LEVEL.get(found['level'], '')}<br>"
        f"{found['direction'].capitalize()} than before<br>{_lack(found)}"
    )


def _absent(name: str, found: dict[str, Any]) -> str:
    return f"<b>{name}</b><br>{_lack(found)}"


def _lack(found: dict[str, Any]) -> str:
    return f"Missing in {found['missing']:.1%}, {found['missing_reference']:.1%} before"

"""How good a version is: precision against recall, calibration, and its average precision."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from dashboards import theme
from dashboards.words import count

HEIGHT = 300
ROW = 70

Figure = dict[str, float | None]
"""``value``, ``low`` and ``high``, as the registry keeps a measured figure."""

NOTHING: Figure = {"value": None, "low": None, "high": None}
"""A figure that could not be measured."""

_SHARES = {"range": [-0.02, 1.02], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1]}


def precision_recall(
    curve: list[dict[str, Any]], operating: tuple[float, float] | None, scheme: theme.Scheme
) -> go.Figure:
    """The curve of ``report["pr_curve"]`` with its band; a diamond at ``operating``.

    ``operating`` is (recall, precision) at the version's own threshold. The band is drawn through
    the points that have one: the bootstrap measured it at twenty recalls.
    """
    tokens = theme.COLOURS[scheme]
    chart = _chart(scheme, HEIGHT)
    band = [point for point in curve if point["low"] is not None]
    along = [point["recall"] for point in band]
    chart.add_trace(go.Scatter(
        name="band", x=[*along, *reversed(along)], hoverinfo="skip", mode="lines",
        y=[*(point["high"] for point in band), *(point["low"] for point in reversed(band))],
        fill="toself", fillcolor=_soft(tokens["accent"]), line={"width": 0},
    ))  # fmt: skip
    chart.add_trace(go.Scatter(
        name="curve", x=[point["recall"] for point in curve],
        y=[point["precision"] for point in curve], mode="lines",
        line={"color": tokens["accent"], "width": 2, "shape": "vh"},
        hovertext=[_trade(point) for point in curve], hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    if operating is not None:
        _operating(chart, operating, tokens)
    chart.update_layout(
        xaxis=_axis("Recall: share of the frauds it finds"),
        yaxis=_axis("Precision: share of its flags that are fraud"),
    )
    return chart


def calibration(groups: list[dict[str, Any]], scheme: theme.Scheme) -> go.Figure:
    """What it said against what was found, one point a group of ``report["calibration_curve"]``.

    On the dashed line, as many were fraud as it said. Area goes with the number of punches.
    """
    tokens = theme.COLOURS[scheme]
    chart = _chart(scheme, HEIGHT)
    chart.add_shape(
        name="as said", type="line", x0=0, y0=0, x1=1, y1=1, layer="below",
        line={"color": tokens["muted"], "width": 1, "dash": "6px,4px"},
    )  # fmt: skip
    biggest = max((group["count"] for group in groups), default=1)
    chart.add_trace(go.Scatter(
        name="groups", x=[group["predicted"] for group in groups],
        y=[group["observed"] for group in groups], mode="markers",
        marker={
            "color": tokens["accent"], "line": {"width": 1, "color": tokens["surface"]},
            "size": [7 + 13 * (group["count"] / biggest) ** 0.5 for group in groups], "opacity": 1,
        },
        error_y={
            "type": "data", "symmetric": False, "color": tokens["muted"], "thickness": 1.2,
            "width": 4, "array": [group["high"] - group["observed"] for group in groups],
            "arrayminus": [group["observed"] - group["low"] for group in groups],
        },
        hovertext=[_group(group) for group in groups],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    chart.update_layout(
        xaxis=_axis("Probability it gave"), yaxis=_axis("Share that was fraud"),
        annotations=[{
            "x": 1, "y": 0, "xanchor": "right", "yanchor": "bottom", "showarrow": False,
            "text": "dashed: as it said", "font": {"color": tokens["muted"]},
            "bgcolor": tokens["surface"],
        }],
    )  # fmt: skip
    return chart


def average_precision(figures: list[tuple[str, Figure]], scheme: theme.Scheme) -> go.Figure:
    """Average precision with its interval, a row each (name, figure), in their order from the top.

    A figure that could not be measured keeps its row, and says so.
    """
    tokens = theme.COLOURS[scheme]
    chart = _chart(scheme, ROW * len(figures) + 60)
    known = [(name, one) for name, one in figures if one["value"] is not None]
    chart.add_trace(go.Scatter(
        name="average precision", x=[one["value"] for _, one in known],
        y=[name for name, _ in known], mode="markers",
        marker={"color": tokens["accent"], "size": 11, "opacity": 1},
        error_x={
            "type": "data", "symmetric": False, "color": tokens["muted"], "thickness": 1.5,
            "width": 5, "array": [_reach(one, "high") for _, one in known],
            "arrayminus": [_reach(one, "low") for _, one in known],
        },
        hovertext=[f"<b>{name}</b><br>{interval(one)}" for name, one in known],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    for name, one in figures:
        chart.add_annotation(
            xref="paper", x=1, xanchor="left", xshift=8, y=name, showarrow=False,
            text="not measured" if one["value"] is None else f"{one['value']:.2f}",
            font={"color": tokens["text"], "size": theme.TYPE_SCALE[1]},
        )  # fmt: skip
    chart.update_layout(
        xaxis=_axis("Average precision, 0 to 1") | {"tickformat": ".2f"},
        yaxis={
            "type": "category", "categoryorder": "array", "fixedrange": True, "showgrid": False,
            "categoryarray": [name for name, _ in figures], "autorange": False,
            "range": [len(figures) - 0.5, -0.5], "ticklabelstandoff": 8,
            "tickfont": {"size": theme.TYPE_SCALE[1], "color": tokens["text"]},
        },
        margin={"r": 44 if len(known) == len(figures) else 96},
    )  # fmt: skip
    return chart


def interval(figure: Figure) -> str:
    """ "0.87 (0.81 to 0.94)"; "not measured" where there is none."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "not measured"
    return (
        f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"
    )


def _operating(chart: go.Figure, operating: tuple[float, float], tokens: dict[str, str]) -> None:
    recall, precision = operating
    chart.add_trace(go.Scatter(
        name="threshold", x=[recall], y=[precision], mode="markers",
        marker={
            "symbol": "diamond", "size": 12, "color": tokens["text"], "opacity": 1,
            "line": {"width": 2, "color": tokens["surface"]},
        },
        hovertemplate=(
            f"<b>At its own threshold</b><br>{recall:.0%} of the frauds found<br>"
            f"{precision:.0%} of the flags are fraud<extra></extra>"
        ),
    ))  # fmt: skip
    chart.add_annotation(
        x=recall, y=precision, xanchor="right" if recall > 0.5 else "left", yanchor="top",
        xshift=-8 if recall > 0.5 else 8, yshift=-8, showarrow=False, text="its threshold",
        font={"color": tokens["text"]}, bgcolor=tokens["surface"], borderpad=1,
    )  # fmt: skip


def _trade(point: dict[str, Any]) -> str:
    band = "" if point["low"] is None else f" ({point['low']:.0%} to {point['high']:.0%})"
    return (
        f"<b>From {point['threshold']:.2f} on</b><br>{point['recall']:.0%} of the frauds found"
        f"<br>{point['precision']:.0%} of the flags are fraud{band}"
    )


def _group(group: dict[str, Any]) -> str:
    return (
        f"<b>{count(group['count'], 'punch', 'punches')} given about {group['predicted']:.0%}</b>"
        f"<br>{group['observed']:.0%} were fraud ({group['low']:.0%} to {group['high']:.0%})"
    )


def _reach(figure: Figure, end: str) -> float:
    bound, value = figure[end], figure["value"]
    return 0.0 if bound is None or value is None else abs(bound - value)


def _axis(title: str) -> dict[str, Any]:
    return _SHARES | {"title": {"text": title}, "fixedrange": True}


def _chart(scheme: theme.Scheme, height: int) -> go.Figure:
    return go.Figure(layout={"template": theme.template(scheme), "height": height})


def _soft(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"

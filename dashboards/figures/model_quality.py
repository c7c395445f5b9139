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


def ahead(rows: list[tuple[str, Figure]], scheme: theme.Scheme) -> go.Figure:
    """Differences with their intervals, a row each, and a line at 0: no difference."""
    tokens = theme.COLOURS[scheme]
    chart = average_precision(rows, scheme)
    ends = [abs(one[end] or 0.0) for _, one in rows for end in ("low", "value", "high")]
    reach = max([0.05, *ends]) * 1.1
    chart.add_shape(
        name="no difference", type="line", x0=0, x1=0, yref="paper", y0=0, y1=1, layer="below",
        line={"color": tokens["muted"], "width": 1, "dash": "6px,4px"},
    )  # fmt: skip
    for note, (_, one) in zip(chart.layout.annotations, rows, strict=True):
        note.text = "not measured" if one["value"] is None else f"{one['value']:+.2f}"
    chart.data[0].name = "difference"
    chart.update_layout(
        xaxis={
            "title": {"text": "Difference in average precision; right of 0 is better"},
            "range": [-reach, reach], "tickformat": "+.2f", "tickvals": None, "nticks": 5,
        },
        # A sign more than beside a share.
        margin={"r": max(chart.layout.margin.r, 52)},
    )  # fmt: skip
    return chart


def confusion(found: int, missed: int, false: int, right: int, scheme: theme.Scheme) -> go.Figure:
    """Flagged and not flagged, of the frauds and of the genuine: two bars of shares, counts in it.

    Each bar is 100 % of its kind, so that few frauds can be read beside many genuine ones.
    """
    tokens = theme.COLOURS[scheme]
    chart = _chart(scheme, 2 * ROW + 60)
    kinds = ("Fraud", "Genuine")
    totals = (found + missed, false + right)
    for name, counts, colour, ink in (
        ("flagged", (found, false), tokens["accent"], tokens["on-accent"]),
        ("not flagged", (missed, right), tokens["unmeasured"], tokens["text"]),
    ):
        told = [
            f"<b>{kind}</b><br>{n:,} of {total:,} {name}"
            for kind, n, total in zip(kinds, counts, totals, strict=True)
        ]
        left = name == "flagged"
        chart.add_trace(go.Bar(
            name=name, y=list(kinds), orientation="h", width=0.6,
            x=[n / (total or 1) for n, total in zip(counts, totals, strict=True)],
            marker={"color": colour, "line": {"width": 1, "color": tokens["line"]}},
            # Few stand in a bar that is too narrow for words; on hover they are told.
            text=[
                f"{n:,} {name}" if n > 0.15 * total else ""
                for n, total in zip(counts, totals, strict=True)
            ],
            textposition="inside", insidetextanchor="start" if left else "end", textangle=0,
            textfont={"size": theme.TYPE_SCALE[1], "color": ink}, constraintext="none",
            hovertext=told, hovertemplate="%{hovertext}<extra></extra>",
        ))  # fmt: skip
    chart.update_layout(
        barmode="stack",
        xaxis=_axis("Share of the punches of this kind") | {"range": [0, 1]},
        yaxis={
            "type": "category", "autorange": False, "range": [1.5, -0.5], "fixedrange": True,
            "showgrid": False, "ticklabelstandoff": 8,
            "tickfont": {"size": theme.TYPE_SCALE[1], "color": tokens["text"]},
        },
    )  # fmt: skip
    return chart


def over_time(
    versions: list[dict[str, Any]], chosen: str | None, scheme: theme.Scheme
) -> go.Figure:
    """Average precision of each version that has one, when it was made; a line through them.

    Full: scores now. Ring: does not. The chosen one is larger.
    """
    tokens = theme.COLOURS[scheme]
    known = sorted((one for one in versions if one.get("ap")), key=lambda one: one["created_at"])
    chart = _chart(scheme, HEIGHT - 60)
    chart.add_trace(go.Scatter(
        name="average precision", x=[one["created_at"] for one in known],
        y=[one["ap"]["value"] for one in known], mode="lines+markers+text",
        line={"color": tokens["line"], "width": 1.5},
        text=[one["version"] for one in known], textposition="top right",
        textfont={"color": tokens["text"]}, customdata=[[one["version"]] for one in known],
        marker={
            "color": tokens["accent"], "opacity": 1,
            "size": [14 if one["version"] == chosen else 9 for one in known],
            "symbol": ["circle" if one["is_active"] else "circle-open" for one in known],
            "line": {"width": 2, "color": tokens["accent"]},
        },
        error_y={
            "type": "data", "symmetric": False, "color": tokens["muted"], "thickness": 1.2,
            "width": 4, "array": [_reach(one["ap"], "high") for one in known],
            "arrayminus": [_reach(one["ap"], "low") for one in known],
        },
        hovertext=[
            f"<b>{one['version']}</b>, {one['created_at']:%d %b %Y}<br>{interval(one['ap'])}"
            for one in known
        ],
        hovertemplate="%{hovertext}<extra></extra>", cliponaxis=False,
    ))  # fmt: skip
    chart.update_layout(
        xaxis={"fixedrange": True, "showgrid": False, "nticks": 8, "tickformat": "%-d %b"},
        yaxis=_axis("Average precision") | {"tickformat": ".2f"},
    )
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

"""The charts of one version: each with a finding, its period, its unit and how many punches."""

from __future__ import annotations

import datetime as dt
from typing import Any

import plotly.graph_objects as go
from dash import html

from dashboards import exports, graphs, queries, states, theme, words
from dashboards.figures import model_features, model_quality
from noc.fraud.training.report import EXPLAINED

_WHO = (("together", "Model and rules"), ("model", "Model alone"), ("rules", "Rules alone"))


def content(chosen: str | None, scheme: theme.Scheme) -> Any:
    """The charts of the chosen version; nothing where there is none."""
    model = queries.models.version(chosen)
    if model is None:
        return None
    report = model["report"]
    return html.Div(
        [
            _served(report, scheme),
            _ahead(model, report, scheme),
            _confusion(report, scheme),
            _precision_recall(report, scheme),
            _calibration(report, scheme),
            _importance(report, scheme),
        ],
        className="model-charts",
    )


def chart(
    name: str, title: str, subtitle: str, figure: go.Figure | None, nothing: str = ""
) -> html.Figure:
    """A chart under its finding and what it rests on; ``nothing`` says why there is none.

    The graph's id is ``model-chart-<name>``; it is saved as ``model-<name>``.
    """
    graph = f"model-chart-{name}"
    body: Any = (
        states.empty("Nothing to draw", nothing, mark="curve")
        if figure is None
        else graphs.graph(graph, figure)
    )
    return html.Figure(
        [
            html.Figcaption(
                [
                    html.Div(
                        [html.H3(title), exports.chart(graph, f"model-{name}") if figure else None],
                        className="model-chart-head",
                    ),
                    html.P(subtitle, className="muted"),
                ]
            ),
            body,
        ],
        className="panel model-chart",
    )


def tested(report: dict[str, Any]) -> str:
    """The window that a version was measured on, and how much is in it."""
    window = report.get("windows", {}).get("test") or {}
    if not window.get("rows"):
        return "No window was left to measure on"
    punches = words.count(window["rows"], "reviewed punch", "reviewed punches")
    frauds = words.count(window["positives"], "fraud")
    return f"{span(window['start'], window['end'])}, {punches}, {frauds}"


def span(start: str | dt.datetime, end: str | dt.datetime) -> str:
    """ "10 Nov to 19 Nov 2026"; just one day where both are the same."""
    first, last = (
        dt.datetime.fromisoformat(one) if isinstance(one, str) else one for one in (start, end)
    )
    if first.date() == last.date():
        return f"{last.day} {last:%b %Y}"
    return f"{first.day} {first:%b} to {last.day} {last:%b %Y}"


def _served(report: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    served = report.get("served")
    if not isinstance(served, dict) or "test" not in served:
        return chart(
            "served", "Model and rules", tested(report), None, "It was not measured with the rules."
        )
    found = {"together": served["test"], **served["alone"]}
    figures = [(name, found[key].get("ap", model_quality.NOTHING)) for key, name in _WHO]
    gain = served.get("differences", {}).get("rules")
    return chart(
        "served",
        _gain(gain),
        f"Average precision, no unit, 90 % intervals. {tested(report)}.",
        model_quality.average_precision(figures, scheme),
    )


def _gain(difference: dict[str, float | None] | None) -> str:
    value = difference["value"] if difference else None
    if difference is None or value is None:
        return "Could not be compared with the rules"
    low = difference["low"]
    if value > 0 and low is not None and low > 0:
        return f"Better than the rules alone, by {value:.2f}"
    if value > 0:
        return f"Better than the rules by {value:.2f}, which may be chance"
    return f"Not better than the rules alone ({value:+.2f})"


def _ahead(model: dict[str, Any], report: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    """The challenger against who scored when it was made, and against the rules."""
    served = report.get("served")
    served = served if isinstance(served, dict) else {}
    champion = served.get("champion") or {}
    found = [
        ("Active model then", champion.get("difference")),
        ("Rules alone", served.get("differences", {}).get("rules")),
    ]
    rows = [(name, one) for name, one in found if one and one.get("value") is not None]
    title = f"{model['version']} against who scored"
    if not rows:
        nothing = "It was not compared: nobody else was there, or too few frauds."
        return chart("ahead", title, tested(report), None, nothing)
    against = champion.get("difference")
    return chart(
        "ahead",
        _champion(against) if against else "No model was active when it was made",
        f"{title}: difference in average precision, no unit, 90 % intervals; the right is better. "
        f"{_alike(champion)}{tested(report)}.",
        model_quality.ahead(rows, scheme),
    )


def _champion(difference: dict[str, float | None]) -> str:
    value, low, high = (difference[name] for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "Could not be compared with the active model"
    if low > 0:
        return f"Better than the active model, by {value:.2f}"
    if high < 0:
        return f"Worse than the active model, by {-value:.2f}"
    return "As good as the active model, as far as can be told"


def _alike(champion: dict[str, Any]) -> str:
    """What the two were compared on."""
    frauds = champion.get("positives")
    if not frauds:
        return ""
    return f"With the active one on {words.count(frauds, 'fraud')} that neither had seen. "


def _confusion(report: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    counts = confused(report.get("served"))
    if counts is None:
        return chart("confusion", "At its threshold", tested(report), None, "It was not measured.")
    served = report["served"]
    found, missed, false, right = counts
    figures = served["test"]
    title = (
        f"It flags {words.count(found + false, 'punch', 'punches')}: "
        f"{found} of {words.count(found + missed, 'fraud')}, and "
        f"{words.count(false, 'false alarm')}"
    )
    return chart(
        "confusion",
        title,
        f"Reviewed punches, model and rules together from {served['measured_at']:.2f} on: "
        f"precision {model_quality.interval(figures['precision'])}, recall "
        f"{model_quality.interval(figures['recall'])}, 90 % intervals. {tested(report)}.",
        model_quality.confusion(found, missed, false, right, scheme),
    )


def confused(served: Any) -> tuple[int, int, int, int] | None:
    """Frauds found and missed, genuine punches flagged and left alone; None if not measured.

    Told from precision and recall, which are shares of whole punches.
    """
    if not isinstance(served, dict) or not served.get("rows") or "measured_at" not in served:
        return None
    recall = served["test"].get("recall", {}).get("value")
    precision = served["test"].get("precision", {}).get("value")
    frauds: int = served.get("positives", 0)
    if recall is None:
        return None
    found = round(recall * frauds)
    if found and not precision:
        return None
    # Where nothing fraudulent is flagged precision does not tell how much else is.
    if not found and precision is not None:
        return None
    false = round(found / precision) - found if precision else 0
    return found, frauds - found, false, served["rows"] - frauds - false


def _precision_recall(report: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    curve = report.get("pr_curve") or []
    subtitle = f"The model alone, shares of punches, band of 90 %. {tested(report)}."
    if not curve:
        return chart(
            "curve",
            "Precision and recall",
            subtitle,
            None,
            "The last window held no confirmed fraud.",
        )
    test = report.get("test", {})
    recall, precision = (test.get(name, {}).get("value") for name in ("recall", "precision"))
    operating = None if recall is None or precision is None else (recall, precision)
    figure = model_quality.precision_recall(curve, operating, scheme)
    return chart("curve", _most(curve), subtitle, figure)


def _most(curve: list[dict[str, Any]]) -> str:
    """What finding eight frauds in ten costs."""
    there = [point for point in curve if point["recall"] >= 0.8 - 1e-9]
    if not there:
        return "It never finds eight frauds in ten"
    right = round(there[0]["precision"] * 100)
    return f"To find 8 of 10 frauds, {right} of 100 flags are right"


def _calibration(report: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    groups = report.get("calibration_curve") or []
    subtitle = f"The model alone, shares of punches, 90 % intervals. {tested(report)}."
    if not groups:
        return chart(
            "calibration", "Calibration", subtitle, None, "No punch was left to compare with."
        )
    kept = sum(group["low"] <= group["predicted"] <= group["high"] for group in groups)
    title = (
        "As many were fraud as it said"
        if kept == len(groups)
        else f"In {kept} of {len(groups)} groups as many were fraud as it said"
    )
    return chart("calibration", title, subtitle, model_quality.calibration(groups, scheme))


def _importance(report: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    weights = report.get("importance") or {}
    rows = report.get("rows", 0)
    period = f"{span(*report['span'])}, " if report.get("span") else ""
    sample = words.count(min(rows, EXPLAINED), "punch", "punches")
    drawn = f"{sample} drawn from {rows:,}" if rows > EXPLAINED else sample
    frauds = words.count(report.get("positives", 0), "fraud")
    subtitle = f"How far each moves the log-odds; 0.7 doubles the odds. {period}{drawn}, {frauds}."
    if not weights:
        return chart("importance", "What matters", subtitle, None, "The report does not tell.")
    first, *others = sorted(weights, key=lambda name: -weights[name])[:2]
    then = f", then {words.say(words.FEATURE, others[0]).lower()}" if others else ""
    return chart(
        "importance",
        f"What matters most: {words.say(words.FEATURE, first).lower()}{then}",
        subtitle,
        model_features.importance(weights, scheme),
    )

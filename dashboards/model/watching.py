"""The weekly watch: what moved since the model learned, and how much fraud there is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import html

from dashboards import marks, queries, states, theme, words
from dashboards.figures import model_features
from dashboards.marks import aria
from dashboards.model.charts import chart, span

DAYS = 90
"""The period of the random audits."""

_LEVELS = {
    "alarm": ("high", "Moved"),
    "watch": ("medium", "Keep an eye on it"),
    "steady": ("low", "Steady"),
    "too few": ("info", "Too few punches"),
}


def content(now: dt.datetime, scheme: theme.Scheme) -> html.Div:
    """What the latest watch found, and the estimate from random audits."""
    found = queries.models.latest_watch()
    audits = _prevalence(queries.models.prevalence(now, DAYS))
    if found is None:
        nothing = states.empty(
            "Nobody has watched yet",
            "Each Monday the week before is compared with the weeks that the model learned from.",
            mark="clock",
        )
        return html.Div([marks.section("Watching", nothing), audits], className="stack")
    detail = found["detail"]
    period = f"{_until(found['window_start'], found['window_end'])}, {_punches(detail)}"
    before = detail["reference"]
    against = f"against {before['punches']:,} of {_until(before['from'], before['to'])}"
    return html.Div(
        [
            marks.section(
                f"Watching {_name(found['model_version'])}",
                html.Div(
                    [
                        html.P(detail["sentence"], className="model-sentence"),
                        marks.facts(_facts(detail, by_rules=found["model_id"] is None)),
                    ],
                    className="section-body",
                ),
                aside=_level(detail["level"]),
            ),
            html.Div(
                [
                    chart(
                        "drift",
                        furthest(detail["features"]),
                        f"Population stability index, no unit: below 0.10 steady, from 0.25 "
                        f"moved. {period}, {against}.",
                        model_features.drift(detail["features"], scheme),
                    ),
                    chart(
                        "missing",
                        "What is missing, now and before",
                        f"Share of punches without the feature; ring before, dot now. {period}, "
                        f"{against}.",
                        model_features.missing(detail["features"], scheme),
                    ),
                ],
                className="model-charts",
            ),
            audits,
        ],
        className="stack",
    )


def _name(version: str) -> str:
    return "the rules" if version == "rules" else version


def _until(start: dt.datetime | str, end: dt.datetime | str) -> str:
    """The days from ``start`` to before ``end``."""
    last = dt.datetime.fromisoformat(end) if isinstance(end, str) else end
    return span(start, last - dt.timedelta(microseconds=1))


def _punches(detail: dict[str, Any]) -> str:
    return words.count(detail["punches"], "punch", "punches")


def _level(level: str) -> html.Span:
    severity, word = _LEVELS.get(level, ("info", level))
    return html.Span(
        [html.I(className="sev-mark"), word], className=f"sev sev-{severity}", title="This week"
    )


def furthest(features: dict[str, Any]) -> str:
    """What of the features has moved, in a sentence: the title of their chart."""
    moved = [name for name, found in features.items() if found["level"] == "alarm"]
    if not moved:
        along = [name for name, found in features.items() if model_features.with_verdicts(found)]
        if not along:
            return "No feature has moved far"
        names = " and ".join(words.say(words.FEATURE, name) for name in along)
        return f"{names} moved with the verdicts that came, no other far"
    furthest = max(moved, key=lambda name: features[name]["psi"])
    name = words.say(words.FEATURE, furthest)
    more = len(moved) - 1
    return f"{name} has moved" + (f", and {words.count(more, 'other')}" if more else "")


def _facts(detail: dict[str, Any], *, by_rules: bool) -> list[tuple[str, Any]]:
    rate, daily, score = detail["alert_rate"], detail["anomalies_per_day"], detail["score"]
    reviewed = detail["reviewed"]
    return [
        (
            "Tickets",
            rate["now"] is not None
            and f"{rate['now']:.2%} of punches{_was(rate['reference'], '{:.2%}')}",
        ),
        ("Anomalies a day", f"{daily['now']:.1f}{_was(daily['reference'], '{:.1f}')}"),
        ("Score", f"index {score['psi']:.2f}" if score["psi"] is not None else "not compared"),
        (
            "Verdicts",
            f"{reviewed['verdicts']:,} came in the week, {reviewed['frauds']:,} of them fraud",
        ),
        ("Random audits", _calibrated(detail["calibration"], by_rules=by_rules)),
    ]


def _was(value: float | None, form: str) -> str:
    return "" if value is None else f", {form.format(value)} before"


def _calibrated(audits: dict[str, Any], *, by_rules: bool) -> str:
    observed = audits["observed"]
    if audits["predicted"] is None or observed["value"] is None:
        return "none of its punches has been reviewed"
    # What the rules say is no probability: nothing is expected by it.
    expected = "" if by_rules else f"{audits['predicted']:.1%} fraud expected by the scores, "
    return (
        f"{expected}{observed['value']:.1%} found "
        f"({observed['low']:.1%} to {observed['high']:.1%}) among {audits['reviewed']:,}"
    )


def _prevalence(found: dict[str, Any]) -> html.Section:
    if not found["reviewed"]:
        drawn = found["drawn"]
        waiting = f"{words.count(drawn, 'punch', 'punches')} drawn, none reviewed yet. "
        return marks.section(
            "How much fraud there is",
            states.empty(
                "Nobody knows yet",
                (waiting if drawn else "")
                + "Each night chance draws some punches, whatever their score. Reviewed, they "
                "tell how much fraud there is among all.",
                mark="clock",
            ),
        )
    share, low, high = found["estimate"], found["low"], found["high"]
    return marks.section(
        "How much fraud there is",
        html.Div(
            [
                html.P(
                    [
                        html.Span(f"{share:.1%}", className="model-number"),
                        f" of all punches, somewhere between {low:.1%} and {high:.1%} "
                        "(nine times in ten)",
                    ]
                ),
                _interval(share, low, high),
                html.P(
                    f"Estimated from the {found['reviewed']:,} reviewed of "
                    f"{words.count(found['drawn'], 'punch', 'punches')} that chance drew "
                    f"({found['coverage']:.0%} covered), {found['fraud']:,} of them fraud; "
                    f"last {DAYS} days, {found['punches']:,} punches.",
                    className="muted",
                ),
            ],
            className="section-body model-prevalence",
        ),
    )


def _interval(share: float, low: float, high: float) -> html.Div:
    """The estimate and its interval on a line from 0 to a round share above it."""
    top = next((end for end in (0.02, 0.05, 0.1, 0.25, 0.5) if high <= end), 1.0)
    left, width = low / top, (high - low) / top
    return html.Div(
        [
            html.Span("0", className="num"),
            html.Div(
                [
                    html.Span(
                        className="interval-range",
                        style={"left": f"{left:.2%}", "width": f"{width:.2%}"},
                    ),
                    html.Span(className="interval-dot", style={"left": f"{share / top:.2%}"}),
                ],
                className="interval",
            ),
            html.Span(f"{top:.0%}", className="num"),
        ],
        className="interval-row",
        role="img",
        **aria(label=f"{share:.1%}, between {low:.1%} and {high:.1%}"),
    )

"""A site's week: last week's values in the bands of what is usual."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html

from dashboards import browser, callbacks, exports, graphs, queries, states, words
from dashboards.baselines import chosen as choosing
from dashboards.baselines.chosen import Chosen
from dashboards.callbacks import Choice, Clicks
from dashboards.figures import baseline_week
from dashboards.marks import aria
from noc.audit.week import Week
from noc.database.base import utcnow


def register(ui: Dash) -> None:
    """Drawn when a choice, the colours or a threshold change; a click chooses its hour."""
    callbacks.register(
        ui,
        show,
        Output("baselines-week", "children"),
        choosing.wires(Input),
        Input("scheme", "data"),
        choosing.CHANGED,
        states.asked_again("baselines"),
        running=[(Output("baselines-week", "className"), "stack is-loading", "stack")],
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "chooseHour", done, Input("baselines-graph", "clickData"), on_load=False)


def show(chosen: Chosen, scheme: Choice, _changed: Clicks = None, _again: Clicks = None) -> Any:
    """The finding, the week and what its bands rest on."""
    return states.or_failed("The week", "baselines", lambda: _show(chosen, scheme))


def _show(chosen: Chosen, scheme: str | None) -> Any:
    site, metric = chosen["site"], choosing.metric(chosen)
    shown = queries.baselines.of_week(site, metric, utcnow()) if site else None
    if shown is None:
        return html.Div(states.not_found("site"), className="panel")
    if all(one.baseline is None for one in shown.expected) and not shown.heard:
        notice = states.empty(
            "Nothing is usual here yet",
            "Every hour the audit learns from the guards on duty whose phones were heard; an "
            "hour is judged from 30 samples on.",
            mark="band",
        )
        return html.Div(notice, className="panel")
    names = queries.baselines.names({one.person_id for one in shown.heard})
    chart = baseline_week.figure(
        shown,
        choosing.unit(metric),
        names,
        choosing.slot(chosen, shown.zone),
        graphs.scheme(scheme),
    )
    head = [_scale(shown), exports.chart("baselines-graph", f"baseline-{metric}")]
    return [
        html.Div([html.H2(finding(shown)), html.P(_subtitle(shown, metric))], className="lede"),
        html.Div(
            [
                html.Div(head, className="baseline-head"),
                graphs.graph("baselines-graph", chart),
            ],
            className="panel chart-panel baseline-chart",
        ),
    ]


def finding(shown: Week) -> str:
    """The chart's title: what last week was like, in one sentence."""
    if not shown.heard:
        return "Nobody was heard on duty here last week"
    odd = sum(one.unusual for one in shown.heard)
    hours = words.count(len(shown.heard), "guard's hour", "guards' hours")
    if not odd:
        return f"None of {hours} last week was unusual"
    return f"{odd} of {hours} last week {'was' if odd == 1 else 'were'} unusual"


def _subtitle(shown: Week, metric: str) -> str:
    return (
        f"{shown.start:%d %b} to {shown.end:%d %b %Y}, {words.say(words.METRIC, metric).lower()} "
        "of each guard in each whole hour on duty. The band is the mean ± threshold × deviation; "
        "the line is the mean. Choose an hour to see what it rests on."
    )


def _scale(shown: Week) -> html.Ul:
    counts = baseline_week.levels(shown)
    items = [
        html.Li(
            [
                html.I(
                    className=f"baseline-swatch baseline-{level.replace('_', '-')}",
                    **aria(hidden="true"),
                ),
                f"{words.say(words.BASELINE_LEVEL, level)}: {words.count(counts[level], 'hour')}",
            ]
        )
        for level in words.BASELINE_LEVEL
        if counts[level]
    ]
    return html.Ul(items, className="legend baseline-legend", **aria(label="What judges an hour"))

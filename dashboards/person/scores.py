"""The person's scores over time: the chart, the punches behind it, and the habits beside them."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, html

from dashboards import (
    browser,
    callbacks,
    evidence,
    exports,
    graphs,
    habits,
    marks,
    queries,
    states,
    words,
)
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.figures import score_history
from dashboards.marks import aria
from dashboards.person import parts
from noc.database.base import utcnow
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import check

PERIODS = (7, 30, 90)
LISTED = 60

Drawn = tuple[Any, Any, Any]
"""Chart, punches and habits."""


def register(ui: Dash) -> None:
    """Draw when the period or the colours change; a point of the chart opens its punch."""
    callbacks.register(
        ui,
        show,
        Output("person-scores", "children"),
        Output("person-punches", "children"),
        Output("person-habits", "children"),
        parts.PERSON,
        Input("person-days", "value"),
        parts.SCHEME,
        states.asked_again("person"),
        running=[(Output("person-scores", "className"), "is-loading", "")],
    )
    callbacks.register(
        ui,
        show_all,
        Output("person-punches", "children", allow_duplicate=True),
        Input("person-all", "n_clicks"),
        State("person-id", "data"),
        State("person-days", "value"),
        prevent_initial_call=True,
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "openPunch", done, Input("person-graph", "clickData"), on_load=False)
    browser.keep_address(ui, "person-days")


def period(days: str | None) -> int:
    """The days of the choice; 30 for what is not offered."""
    return int(days) if days and days in map(str, PERIODS) else 30


def show(person_id: Id, days: Choice, scheme: Choice, _retries: Clicks = None) -> Drawn:
    """Chart, punches and habits."""
    check(FRAUD_VIEW)
    built: Drawn | Any = states.or_failed(
        "The score history", "person", lambda: _drawn(person_id, period(days), scheme)
    )
    return built if isinstance(built, tuple) else (built, None, None)


def show_all(clicks: Clicks, person_id: Id, days: Choice) -> Any:
    """The list with the punches that did not stand out too."""
    check(FRAUD_VIEW)

    def build() -> Any:
        history = queries.scores.score_history(person_id, period(days), utcnow())
        return _punches(history, everything=bool(clicks))

    return states.or_failed("The punches", "person", build)


def _drawn(person_id: int, days: int, scheme: str | None) -> Drawn:
    history = queries.scores.score_history(person_id, days, utcnow())
    usual = habits.panel(history["habits"])
    if not history["scores"]:
        notice = states.empty(
            f"No scored punches in {days} days",
            "Each punch is scored within a second of its arrival.",
            mark="clock",
        )
        return html.Div(notice, className="panel"), None, usual
    return _chart(history, scheme), _punches(history, everything=False), usual


def _chart(history: dict[str, Any], scheme: str | None) -> html.Div:
    zone, threshold = _at_home(history)
    scores = history["scores"]
    chart = score_history.figure(scores, threshold, zone, graphs.scheme(scheme))
    lede = [html.H2(finding(history, threshold)), html.P(_subtitle(history))]
    saved = exports.chart("person-graph", f"person-{history['person_id']}-scores")
    head = html.Div([_legend(score_history.legend(scores)), saved], className="chart-head")
    drawn = [head, graphs.graph("person-graph", chart)]
    return html.Div(
        [html.Div(lede, className="lede"), html.Div(drawn, className="panel chart-panel")],
        className="page",
    )


def _at_home(history: dict[str, Any]) -> tuple[str, float]:
    """The clock of the person's home site, and the score from which a ticket opens there."""
    site = history["home_site_id"]
    return queries.reader.zone(site) or "UTC", queries.reader.ticket_threshold(site)


def _legend(kinds: list[tuple[str, str]]) -> html.Ul | None:
    if not kinds:
        return None
    return html.Ul(
        [html.Li([html.Span(sign, **aria(hidden="true")), name]) for sign, name in kinds],
        className="legend",
    )


def finding(history: dict[str, Any], threshold: float) -> str:
    """The chart's title: what it shows, in one sentence."""
    scores = history["scores"]
    high = sum(score["fraud_score"] >= threshold for score in scores)
    odd = sum(bool(score["fraud_type"]) for score in scores)
    punches = words.count(len(scores), "punch", "punches")
    if high:
        return f"{high} of {punches} scored {threshold:.2f} or more"
    if odd:
        return f"{odd} of {punches} stood out, none for a ticket"
    return f"None of {punches} stood out"


def _subtitle(history: dict[str, Any]) -> str:
    summary = history["summary"]
    looked = summary["reviewed"]
    reviewed = (
        f"People looked at {looked}; {summary['confirmed']} confirmed as fraud."
        if looked
        else "Nobody has reviewed any of them yet."
    )
    return (
        f"Last {history['days']} days, mean score {summary['mean_score']:.2f}, "
        f"highest {summary['max_score']:.2f}. {reviewed}"
    )


def _punches(history: dict[str, Any], *, everything: bool) -> html.Section | None:
    scores = history["scores"]
    if not scores:
        return None
    odd = [score for score in scores if score["fraud_type"] or score["fraud_score"] >= 0.4]
    found = scores if everything else odd
    listing: Any = states.empty("Nothing stood out", "No punch had an anomaly or a medium risk.")
    if found:
        _, threshold = _at_home(history)
        items = [_punch(score, threshold) for score in found[:LISTED]]
        listing = html.Ul(items, className="punches")
    return marks.section(
        "All punches" if everything else "Punches that stood out",
        html.Div([listing, evidence.doubt(scores[0]["model_version"])], className="section-body"),
        aside=_aside(len(found), None if everything else len(scores)),
    )


def _aside(found: int, beside: int | None) -> html.Span:
    """How many of those ``found`` are listed, and the way to all of them where there are others."""
    latest = html.Span(f"the latest {LISTED} of {found:,}", className="muted")
    toggle = None
    if beside is not None:
        more = "Show all" if beside <= LISTED else f"Show the latest {LISTED} of"
        toggle = html.Button(
            f"{more} {beside:,}", id="person-all", className="btn btn-small", n_clicks=0
        )
    return html.Span([latest if found > LISTED else None, toggle], className="exports exports-said")


def _punch(score: dict[str, Any], threshold: float) -> html.Li:
    reasons = [evidence.reasons(score["reasons"])] if score["reasons"] else []
    return html.Li(
        [evidence.punch_head(score, score["timezone"], threshold), *reasons],
        **marks.data(punch=str(score["punch_id"])),
    )

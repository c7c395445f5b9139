"""Escalations: what is on its way through a policy, and what came of the latest."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboards import callbacks, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Cursor
from dashboards.oncall import phrases, sight
from dashboards.oncall.wires import retry
from noc.rest.keyset import Key

STATES = {
    "": "Latest",
    "active": "On its way",
    "answered": "Answered",
    "exhausted": "Nobody answered",
    "ended": "Over by itself",
}
"""The filter's choices."""

_WHY = {
    "": (
        "Nothing has been escalated",
        "It begins by itself when an alert opens that an escalation policy takes.",
    ),
    "active": ("Nothing is on its way", "Every alert that a policy took has been answered."),
    "answered": ("None was answered yet", "Whoever acknowledges an alert answers it."),
    "exhausted": ("None came to nothing", "Every escalation was answered before its end."),
    "ended": ("None was over by itself", "As when a monitor resolves its alert."),
}


def register(ui: Dash) -> None:
    """Read them by the clock, and turn their pages; the clock reads the page that is shown."""
    callbacks.register(
        ui,
        follow,
        Output("oncall-runs", "children"),
        Output("oncall-runs-after", "data"),
        Output("oncall-runs-next", "data"),
        Output("oncall-runs-older", "hidden"),
        Output("oncall-runs-first", "hidden"),
        Input("oncall-state", "value"),
        Input("oncall-clock", "n_intervals"),
        Input("oncall-arranged", "data"),
        Input("oncall-runs-older", "n_clicks"),
        Input("oncall-runs-first", "n_clicks"),
        retry("runs"),
        State("oncall-runs-after", "data"),
        State("oncall-runs-next", "data"),
    )


def layout() -> list[Any]:
    """The list's place, and the ways through its pages."""
    return [
        dcc.Store(id="oncall-runs-after"),
        dcc.Store(id="oncall-runs-next"),
        html.Div(states.skeleton(46, 46, 46), id="oncall-runs"),
        html.Div(
            [
                _turn("first", "Back to the latest"),
                _turn("older", "Show older"),
            ],
            className="actions oncall-pages",
        ),
    ]


def _turn(name: str, label: str) -> html.Button:
    return html.Button(
        label, id=f"oncall-runs-{name}", className="btn", n_clicks=0, hidden=True, type="button"
    )


def follow(
    state: Choice,
    _clock: Clicks,
    _arranged: Clicks,
    _older: Clicks,
    _first: Clicks,
    _retries: Clicks = None,
    after: Cursor = None,
    following: Cursor = None,
) -> tuple[Any, ...]:
    """A page of the escalations, of the sites the reader sees."""
    sight.look()
    if ctx.triggered_id == "oncall-runs-older":
        after = following
    elif ctx.triggered_id in ("oncall-runs-first", "oncall-state"):
        after = None
    again = {"type": "retry", "page": "oncall-runs", "n": 0}
    answer = states.or_failed("The escalations", again, lambda: _page(state, after))
    if isinstance(answer, tuple):
        return answer
    return answer, no_update, no_update, no_update, no_update


def _page(state: str | None, after: Key | None) -> tuple[Any, ...]:
    found, following = content(state, after)
    here, beyond = (key and [key[0].isoformat(), key[1]] for key in (after, following))
    return found, here, beyond, beyond is None, here is None


def content(state: str | None, after: Key | None) -> tuple[Any, Key | None]:
    """The escalations in this state that the reader may see, and where older ones begin."""
    chosen = state if state in STATES else ""
    found, following = queries.on_call.escalations(chosen or None, after)
    if not found:
        return states.empty(*_WHY[chosen]), None
    policies = {run["policy"].id: run["policy"] for run in found if run["policy"]}
    names = queries.on_call.names_for(policies.values())
    return html.Ul([_row(run, names) for run in found], className="oncall-runs"), following


def _row(run: dict[str, Any], names: Any) -> html.Li:
    opened = words.say(words.ALERT, run["alert_type"])
    return html.Li(
        [
            marks.severity(run["severity"]),
            html.Div(
                [
                    html.Button(
                        [html.Span(opened), html.Span(run["message"], className="oncall-message")],
                        className="text-btn",
                        title=run["message"],
                        **marks.data(open=f"alert:{run['alert_id']}"),
                    ),
                    html.P(phrases.standing(run, names), className="oncall-standing"),
                ],
                className="oncall-run",
            ),
            html.Div(
                [
                    html.Span(run["site_name"] or "Whole company"),
                    html.Span(_policy(run), className="muted"),
                ],
                className="oncall-where",
            ),
            html.Div(
                [html.Span("Began ", className="muted"), marks.moment(run["begun_at"])],
                className="oncall-when",
            ),
        ],
        className=f"run-{run['state']}",
    )


def _policy(run: dict[str, Any]) -> str:
    if run["policy_hidden"]:
        return "A policy of other sites"
    return run["policy_name"] or "Policy deleted"

"""The model: who scores, training, versions and their verdicts, and how it is watched."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, dcc, html

from dashboards import browser, callbacks, queries, states, theme
from dashboards.callbacks import Choice, Clicks
from dashboards.model import (
    charts,
    sight,
    standing,
    training,
    verdict,
    versions,
    watching,
    whatif,
)
from noc.database.base import utcnow
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.principal import required_principal

TITLE = "Model"

POLL_MS = 2000
"""How often a training is looked at while one is open, should the feed be silent."""


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?version=v2`` chooses a version, ``?ask=&threshold=&budget=&span=`` a what-if."""
    principal = required_principal()
    if not principal.may(FRAUD_VIEW):
        return html.Div(states.forbidden("The model", FRAUD_VIEW), className="panel")
    if principal.site_ids is not None:
        notice = states.empty(
            "The model is the whole company's",
            "Your account is limited to some sites. The scores of their punches are on the "
            "heatmap and with each person.",
            mark="lock",
        )
        return html.Div(notice, className="panel")
    return html.Div(
        [
            dcc.Store(id="model-chosen", data=query.get("version")),
            dcc.Store(id="model-changed"),
            dcc.Store(id="model-open"),
            dcc.Store(id="model-ended"),
            dcc.Store(id="model-tick"),
            dcc.Interval(id="model-clock", interval=POLL_MS, disabled=True),
            html.Div(states.skeleton(52, 120), id="model-standing"),
            html.Div(states.skeleton(220), id="model-run"),
            html.Div(states.skeleton(180), id="model-versions"),
            html.Div(states.skeleton(420), id="model-verdict"),
            html.Div(states.skeleton(380, 420), id="model-charts"),
            whatif.layout(query),
            html.Div(states.skeleton(120, 380), id="model-watching"),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Each part is read by itself: one that fails leaves the others."""
    changed, ended = Input("model-changed", "data"), Input("model-ended", "data")
    chosen, scheme = Input("model-chosen", "data"), Input("scheme", "data")
    callbacks.register(
        ui, stand, Output("model-standing", "children"), changed, ended, _retry("standing")
    )
    callbacks.register(
        ui, listing, Output("model-versions", "children"), chosen, changed, ended, scheme,
        _retry("versions"),
    )  # fmt: skip
    callbacks.register(
        ui, draw, Output("model-charts", "children"), chosen, ended, scheme, _retry("charts")
    )
    callbacks.register(ui, watch, Output("model-watching", "children"), scheme, _retry("watching"))
    browser.call(
        ui, "chosenVersion", Output("model-chosen", "data"), Input("url", "search"),
        State("model-chosen", "data"), on_load=False,
    )  # fmt: skip
    training.register(ui)
    verdict.register(ui)
    whatif.register(ui)


def stand(_changed: Clicks = None, _ended: Clicks = None, _retries: Clicks = None) -> Any:
    """Who scores now."""
    sight.look()
    return _or_failed("Who scores", "standing", lambda: standing.content(utcnow()))


def listing(
    chosen: Choice,
    _changed: Clicks = None,
    _ended: Clicks = None,
    scheme: Choice = None,
    _retries: Clicks = None,
) -> Any:
    """The versions."""
    sight.look()
    return _or_failed(
        "The versions", "versions", lambda: versions.content(_marked(chosen), _scheme(scheme))
    )


def draw(
    chosen: Choice, _ended: Clicks = None, scheme: Choice = None, _retries: Clicks = None
) -> Any:
    """The charts of the chosen version."""
    sight.look()
    return _or_failed("The charts", "charts", lambda: charts.content(chosen, _scheme(scheme)))


def watch(scheme: Choice, _retries: Clicks = None) -> Any:
    """What the weekly watch and the random audits tell."""
    sight.look()
    return _or_failed("The watch", "watching", lambda: watching.content(utcnow(), _scheme(scheme)))


def _marked(chosen: str | None) -> str | None:
    """The version whose verdict is shown."""
    if chosen:
        return chosen
    model = queries.models.version(None)
    return model["version"] if model else None


def _or_failed(what: str, part: str, build: Any) -> Any:
    return states.or_failed(what, {"type": "retry", "page": f"model-{part}", "n": 0}, build)


def _retry(part: str) -> Input:
    return Input({"type": "retry", "page": f"model-{part}", "n": ALL}, "n_clicks")


def _scheme(scheme: str | None) -> theme.Scheme:
    return "light" if scheme == "light" else "dark"

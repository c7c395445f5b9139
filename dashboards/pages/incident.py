"""One incident: its time line and replay, why it belongs together, and what people make of it."""

from __future__ import annotations

import uuid
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from dashboards import browser, callbacks, queries, states
from dashboards.callbacks import Choice, Clicks, Note
from dashboards.incident import events, replay, side
from dashboards.theme import Scheme
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import FRAUD_VIEW, OPERATE
from noc.identity.guard import check
from noc.identity.principal import required_principal
from noc.incidents import investigation
from noc.rest.problems import Problem

TITLE = "Incident"


def layout(query: dict[str, str], incident_id: uuid.UUID) -> html.Div:
    """The page of one incident."""
    if queries.incidents.one(incident_id) is None:
        return html.Div(states.not_found("incident"), className="panel")
    return html.Div(
        [
            dcc.Store(id="incident-id", data=str(incident_id)),
            dcc.Store(id="incident-news", data=0),
            dcc.Store(id="incident-done", data=0),
            html.Div(states.skeleton(52), id="incident-head"),
            html.Div(
                [
                    html.Div(states.skeleton(420, 380), id="incident-story-part",
                             className="stack"),
                    html.Div(
                        [
                            html.Div(states.skeleton(190, 160, 120), id="incident-side",
                                     className="stack"),
                            side.form(),
                        ],
                        className="stack",
                    ),
                ],
                className="incident-columns",
            ),
        ],
        className="page",
    )  # fmt: skip


def register(ui: Dash) -> None:
    """Tell the story once; read the rest anew when somebody has done something."""
    key = State("incident-id", "data")
    callbacks.register(
        ui,
        show,
        Output("incident-head", "children"),
        Output("incident-side", "children"),
        Output("incident-steps", "children"),
        Input("incident-id", "data"),
        Input("incident-news", "data"),
        Input("incident-done", "data"),
        Input({"type": "retry", "page": "incident", "n": ALL}, "n_clicks"),
    )
    callbacks.register(
        ui,
        tell,
        Output("incident-story-part", "children"),
        Input("incident-id", "data"),
        Input("scheme", "data"),
        Input("incident-done", "data"),
        Input({"type": "retry", "page": "incident-story", "n": ALL}, "n_clicks"),
        running=[(Output("incident-story-part", "className"), "stack is-loading", "stack")],
    )
    callbacks.register(
        ui,
        step,
        Output("incident-problem", "children"),
        Output("incident-note", "value"),
        Output("incident-done", "data"),
        Input({"type": "incident-step", "step": ALL}, "n_clicks"),
        State("incident-note", "value"),
        State("incident-done", "data"),
        key,
        prevent_initial_call=True,
        running=[(Output("incident-steps", "className"), "actions is-loading", "actions")],
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "replayReady", done, Input("incident-story", "data"), key)
    browser.call(ui, "replayTo", done, Input("incident-at", "value"), on_load=False)
    browser.call(ui, "openMark", done, Input("incident-timeline", "clickData"), on_load=False)


def show(
    incident_id: uuid.UUID, _news: Clicks = None, _done: Clicks = None, _retries: Clicks = None
) -> tuple[Any, Any, Any]:
    """The head, the parts at the side, and the buttons, as the incident is now."""
    built: Any = states.or_failed(
        "The incident",
        {"type": "retry", "page": "incident", "n": 0},
        lambda: _show(incident_id),
    )
    return built if isinstance(built, tuple) else (built, None, None)


def _show(incident_id: uuid.UUID) -> tuple[Any, Any, Any]:
    incident = queries.incidents.one(incident_id)
    if incident is None:
        return states.not_found("incident"), None, None
    zone = queries.reader.zone(incident["site_id"])
    sides = [side.why(incident), side.contents(incident, zone), side.work(incident, zone)]
    buttons = side.steps(incident) if required_principal().may(OPERATE) else no_update
    return side.head(incident, zone), sides, buttons


def tell(
    incident_id: uuid.UUID, scheme: Choice, _done: Clicks = None, _retries: Clicks = None
) -> Any:
    """The time line, the rows and the map, in one read."""
    return states.or_failed(
        "The time line",
        {"type": "retry", "page": "incident-story", "n": 0},
        lambda: _tell(incident_id, "light" if scheme == "light" else "dark"),
    )


def _tell(incident_id: uuid.UUID, scheme: Scheme) -> Any:
    incident = queries.incidents.one(incident_id)
    if incident is None:
        return states.not_found("incident")
    story = queries.incidents.told(incident, utcnow())
    told = events.events(story, may_open_punches=required_principal().may(FRAUD_VIEW))
    return replay.body(incident, story, told, scheme)


def step(_clicks: Clicks, note: Note, done: Clicks, incident_id: uuid.UUID) -> tuple[Any, Any, Any]:
    """Take the step whose button was pressed; the truth is read anew after it.

    403 without ``noc:operate``; a step that the incident does not allow is answered on the page,
    with what was written left in its place.
    """
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    principal = check(OPERATE)
    who: dict[str, Any] = {
        "user_id": principal.user_id,
        "site_ids": principal.site_ids,
        "now": utcnow(),
    }
    try:
        _take(str(ctx.triggered_id["step"]), incident_id, (note or "").strip(), who)
        session().commit()
    except Problem as problem:
        session().rollback()
        return side.said(problem.detail), no_update, no_update
    return None, "", (done if isinstance(done, int) else 0) + 1


def _take(name: str, incident_id: uuid.UUID, note: str, who: dict[str, Any]) -> None:
    if name in ("investigate", "root-cause") and not note:
        what = "what was looked into" if name == "investigate" else "what was behind it"
        raise Problem(422, f"Write {what} first.")
    if name == "investigate":
        investigation.investigate(incident_id, note, **who)
    elif name == "root-cause":
        investigation.name_root_cause(incident_id, note, **who)
    elif name == "close":
        investigation.close(incident_id, note=note or None, **who)
    elif name == "reopen":
        investigation.reopen(incident_id, note=note or None, **who)
    else:
        raise Problem(422, "There is no such step.")

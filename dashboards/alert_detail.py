"""An alert in the drawer: what, why, who did what, and what can be done now."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html
from dash.exceptions import PreventUpdate

from dashboards import evidence, marks, queries, states, words
from dashboards.marks import aria, data
from noc.alerts import lifecycle
from noc.alerts.models import RESOLUTIONS
from noc.alerts.transitions import allowed_actions
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import FRAUD_VIEW, OPERATE
from noc.identity.guard import check
from noc.identity.principal import required_principal
from noc.rest.problems import Problem

_BUTTONS = {"acknowledge": "Acknowledge", "reopen": "Reopen"}


def register(ui: Dash) -> None:
    """The drawer's buttons."""
    ui.callback(
        Output("drawer-body", "children", allow_duplicate=True),
        Input({"type": "alert-step", "step": ALL, "alert": ALL}, "n_clicks"),
        State({"type": "alert-resolution", "alert": ALL}, "value"),
        State({"type": "alert-note", "alert": ALL}, "value"),
        prevent_initial_call=True,
        running=[(Output("drawer-body", "className"), "is-loading", "")],
    )(step)


def content(alert_id: int, problem: str = "") -> Any:
    """Everything about the alert that this reader may see."""
    alert = queries.alert(alert_id)
    if alert is None:
        return states.not_found("alert")
    zone = queries.zone(alert["site_id"])
    return html.Div(
        [
            html.Div(
                [marks.severity(alert["severity"]), marks.state(alert["status"])],
                className="split",
            ),
            html.H2(words.say(words.ALERT, alert["alert_type"]), className="drawer-title"),
            html.P(alert["message"], className="lead"),
            html.P(problem, className="problem", role="alert") if problem else None,
            _actions(alert),
            marks.facts(_facts(alert, zone)),
            *_why(alert_id),
            html.H3("What happened"),
            _history(alert["history"], zone),
        ],
        className="drawer-content",
    )


def step(_clicks: Any, resolutions: list[str | None], notes: list[str | None]) -> Any:
    """Take the step whose button was pressed, and show the alert as it is then."""
    pressed = ctx.triggered_id
    if not pressed or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    principal = check(OPERATE)
    alert_id = int(pressed["alert"])
    common: dict[str, Any] = {
        "user_id": principal.user_id,
        "now": utcnow(),
        "site_ids": principal.site_ids,
    }
    note = (notes[0] or "").strip() if notes else ""
    try:
        _take(pressed["step"], alert_id, resolutions[0] if resolutions else None, note, common)
        session().commit()
    except Problem as problem:
        session().rollback()
        return content(alert_id, problem.detail)
    return content(alert_id)


def _take(
    name: str, alert_id: int, resolution: str | None, note: str, common: dict[str, Any]
) -> None:
    if name == "resolve":
        lifecycle.resolve(alert_id, resolution=resolution or "", note=note or None, **common)
    elif name == "note":
        lifecycle.add_note(alert_id, note, **common)
    elif name == "reopen":
        lifecycle.reopen(alert_id, note=note or None, **common)
    else:
        lifecycle.acknowledge(alert_id, note=note or None, **common)


def _actions(alert: dict[str, Any]) -> Any:
    if not required_principal().may(OPERATE):
        return None
    allowed = allowed_actions(alert["status"])
    steps = [name for name in _BUTTONS if name in allowed and alert["status"] != "ACKNOWLEDGED"]
    resolve = "resolve" in allowed
    choices = [
        {"value": code, "label": words.say(words.RESOLUTION, code)}
        for code in RESOLUTIONS
        if code != "EXPIRED"
    ]
    return html.Div(
        [
            dmc.Textarea(
                id={"type": "alert-note", "alert": alert["id"]},
                placeholder="Add a note",
                autosize=True,
                minRows=1,
                maxRows=5,
                **aria(label="Note"),
            ),
            html.Div(
                [
                    *(
                        _button(name, _BUTTONS[name], alert["id"], name == "acknowledge")
                        for name in steps
                    ),
                    _button("note", "Save note", alert["id"]),
                    html.Span(className="spring"),
                    dmc.Select(
                        id={"type": "alert-resolution", "alert": alert["id"]},
                        data=choices,
                        value="CONFIRMED",
                        className="resolution",
                        allowDeselect=False,
                        **aria(label="Resolution"),
                    )
                    if resolve
                    else None,
                    _button("resolve", "Resolve", alert["id"]) if resolve else None,
                ],
                className="actions",
            ),
        ],
        className="act",
    )


def _button(name: str, label: str, alert_id: int, primary: bool = False) -> html.Button:
    return html.Button(
        label,
        id={"type": "alert-step", "step": name, "alert": alert_id},
        className="btn btn-primary" if primary else "btn",
        n_clicks=0,
    )


def _facts(alert: dict[str, Any], zone: str | None) -> list[tuple[str, Any]]:
    repeats = alert["suppressed_count"]
    return [
        (
            "Guard",
            marks.person(alert["person_id"], alert["person_name"]) if alert["person_id"] else None,
        ),
        ("Site", alert["site_name"]),
        ("Raised", marks.moment(alert["occurred_at"], zone)),
        (
            "Last seen",
            [marks.moment(alert["last_seen_at"], zone), f", {words.count(repeats + 1, 'report')}"]
            if repeats
            else None,
        ),
        ("With", alert["assignee_name"]),
        (
            "Resolved as",
            words.say(words.RESOLUTION, alert["resolution"]) if alert["resolution"] else None,
        ),
        ("Ticket", _ticket_link(alert["id"])),
    ]


def _ticket_link(alert_id: int) -> Any:
    ticket = queries.ticket_of_alert(alert_id)
    if ticket is None:
        return None
    return html.Button(
        f"{ticket['number']} · {words.say(words.STATE, ticket['status'])}",
        className="text-btn",
        **data(open=f"ticket:{ticket['id']}"),
    )


def _why(alert_id: int) -> list[Any]:
    row = queries.anomaly_of_alert(alert_id)
    if row is None:
        return []
    if not required_principal().may(FRAUD_VIEW):
        return [states.forbidden("The score and its reasons", FRAUD_VIEW)]
    return evidence.anomaly(row, queries.ticket_threshold(row["site_id"]))


def _history(changes: list[dict[str, Any]], zone: str | None) -> html.Ol:
    verbs = {
        "created": "Raised", "worsened": "Got worse", "acknowledge": "Acknowledged",
        "assign": "Assigned", "shelve": "Shelved", "unshelve": "Back from the shelf",
        "resolve": "Resolved", "reopen": "New again", "note": "Note",
    }  # fmt: skip
    return html.Ol(
        [
            html.Li(
                [
                    html.Div(
                        [
                            html.Span(verbs.get(change["action"], change["action"])),
                            html.Span(f" by {change['user_name']}" if change["user_name"] else ""),
                            marks.moment(change["at"], zone),
                        ],
                        className="step-head",
                    ),
                    html.P(change["note"]) if change["note"] else None,
                ]
            )
            for change in changes
        ],
        className="steps",
    )

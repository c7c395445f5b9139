"""An alert in the drawer: what, why, who did what, and what can be done now."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, html, no_update

from dashboards import callbacks, evidence, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Note
from dashboards.detail import parts
from dashboards.live import acting
from dashboards.marks import data
from noc.alerts.models import RESOLUTIONS
from noc.alerts.steps import take
from noc.alerts.transitions import UNDOABLE, Step, allowed_actions
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import FRAUD_VIEW, OPERATE
from noc.identity.guard import check
from noc.identity.principal import required_principal
from noc.rest.problems import Problem

TITLE = "Alert"

_VERBS = {
    "created": "Raised",
    "worsened": "Got worse",
    "acknowledge": "Acknowledged",
    "assign": "Assigned",
    "shelve": "Shelved",
    "unshelve": "Back from the shelf",
    "lapse": "Acknowledgement lapsed",
    "muted": "Muted by the next window",
    "unmuted": "Heard of again",
    "escalated": "Told who is next",
    "escalation_exhausted": "Nobody answered",
    "resolve": "Resolved",
    "reopen": "New again",
    "note": "Note",
    "undo": "Step taken back",
}
_DONE = {"acknowledge": "acknowledged", "resolve": "resolved"}


def register(ui: Dash) -> None:
    """The drawer's buttons for alerts."""
    callbacks.register(
        ui,
        step,
        Output("detail", "children", allow_duplicate=True),
        Output("undo-offer", "data", allow_duplicate=True),
        Input({"type": "alert-step", "step": ALL, "key": ALL}, "n_clicks"),
        State({"type": "alert-resolution", "key": ALL}, "value"),
        State({"type": "alert-note", "key": ALL}, "value"),
        prevent_initial_call=True,
        running=[(Output("detail", "className"), "is-loading", "")],
    )


def content(alert_id: int, problem: str = "") -> Any:
    """Everything about the alert that this reader may see."""
    alert = queries.work.alert(alert_id)
    if alert is None:
        return states.not_found("alert")
    zone = queries.reader.zone(alert["site_id"])
    name = alert["person_name"]
    return html.Div(
        [
            html.Div(
                [
                    marks.severity(alert["severity"]),
                    html.Span("Muted", className="tag") if alert["muted"] else None,
                    marks.state(alert["status"]),
                ],
                className="split",
            ),
            html.H2(words.say(words.ALERT, alert["alert_type"]), className="drawer-title"),
            html.P(alert["message"].removeprefix(f"{name}: "), className="lead"),
            parts.problem(problem),
            _actions(alert),
            marks.facts(_facts(alert, zone)),
            *_why(alert_id),
            html.H3("What happened"),
            parts.history(alert["history"], _VERBS, zone, "note"),
        ],
        className="drawer-content",
    )


def step(_clicks: Clicks, resolutions: list[Choice], notes: list[Note]) -> tuple[Any, Any]:
    """Take the step whose button was pressed; the alert as it is then, and how to take it back.

    403 without ``noc:operate``; a step that the alert does not allow is answered in the drawer.
    """
    wanted = parts.pressed()
    principal = check(OPERATE)
    alert_id = wanted.key
    note = ((notes or [None])[0] or "").strip()
    try:
        taken = _step(wanted.step, (resolutions or [None])[0], note, principal.user_id)
        (outcome,) = take(taken, [alert_id], site_ids=principal.site_ids)
        if outcome.problem is not None:
            raise outcome.problem
        item = acting.item_of(outcome, taken.action)
        session().commit()
    except Problem as problem:
        session().rollback()
        return content(alert_id, problem.detail), no_update
    offer = acting.offer([item]) if taken.action in UNDOABLE else None
    if offer is None:
        return content(alert_id), no_update
    return content(alert_id), {"words": f"Alert {_DONE[taken.action]}", "alerts": offer}


def _step(name: str, resolution: str | None, note: str, user_id: int | None) -> Step:
    if name == "resolve":
        if not resolution:
            raise Problem(422, "Choose the outcome first.")
        return Step("resolve", utcnow(), user_id, note or None, resolution=resolution)
    if name not in ("note", "reopen", "acknowledge"):
        raise Problem(422, "There is no such step.")
    return Step(name, utcnow(), user_id, note or None)  # type: ignore[arg-type]


def _actions(alert: dict[str, Any]) -> Any:
    if not required_principal().may(OPERATE):
        return None
    key, allowed = alert["id"], allowed_actions(alert["status"])
    fresh = "acknowledge" in allowed and alert["status"] != "ACKNOWLEDGED"
    over = alert["status"] in ("RESOLVED", "SHELVED")
    resolve = "resolve" in allowed
    outcomes = tuple(code for code in RESOLUTIONS if code != "EXPIRED")
    return html.Div(
        [
            _quick(key) if "assign" in allowed else None,
            parts.note("alert", key, "Add a note"),
            html.Div(
                [
                    parts.button("alert", "acknowledge", key, "Acknowledge", primary=True)
                    if fresh
                    else None,
                    parts.button("alert", "reopen", key, "Reopen") if over else None,
                    parts.button("alert", "note", key, "Save note"),
                    html.Span(className="spring"),
                    parts.resolution("alert", key, outcomes) if resolve else None,
                    parts.button("alert", "resolve", key, "Resolve") if resolve else None,
                ],
                className="actions",
            ),
        ],
        className="act",
    )


def _quick(key: int) -> html.Div:
    """What ``assets/actions.js`` does with one alert as with many from the live feed."""
    return html.Div(
        [
            html.Button(label, className="btn", **data(act=action, target=f"alert:{key}"))
            for action, label in (
                ("take", "Take"),
                ("assign", "Assign"),
                ("snooze", "Snooze"),
                ("ticket", "Open ticket"),
            )
        ],
        className="actions",
    )


def _facts(alert: dict[str, Any], zone: str | None) -> list[tuple[str, Any]]:
    repeats = alert["suppressed_count"]
    guard = alert["person_id"] and marks.person(alert["person_id"], alert["person_name"])
    seen = [marks.moment(alert["last_seen_at"], zone), f", {repeats + 1:,} reports"]
    outcome = alert["resolution"] and words.say(words.RESOLUTION, alert["resolution"])
    return [
        ("Guard", guard),
        ("Site", alert["site_name"]),
        ("Raised", marks.moment(alert["occurred_at"], zone)),
        ("Last seen", seen if repeats else None),
        ("Muted", _muted(alert, zone)),
        ("With", alert["assignee_name"]),
        ("Shelved until", alert["shelved_until"] and marks.moment(alert["shelved_until"], zone)),
        ("Outcome", outcome),
        ("Ticket", _ticket(alert["id"])),
    ]


def _muted(alert: dict[str, Any], zone: str | None) -> Any:
    if not alert["muted"]:
        return None
    window = f"“{alert['muted_by_name']}”" if alert["muted_by_name"] else "A suppression window"
    return [f"{window}, over ", marks.moment(alert["muted_until"], zone)]


def _ticket(alert_id: int) -> Any:
    ticket = queries.work.ticket_of_alert(alert_id)
    if ticket is None:
        return None
    return marks.opens(
        f"ticket:{ticket['id']}",
        f"{ticket['number']}, {words.say(words.STATE, ticket['status']).lower()}",
    )


def _why(alert_id: int) -> list[Any]:
    punch_id = queries.work.punch_of_alert(alert_id)
    if punch_id is None:
        return []
    if not required_principal().may(FRAUD_VIEW):
        return [states.forbidden("The score and its reasons", FRAUD_VIEW)]
    score = queries.scores.punch_score(punch_id)
    if score is None:
        return []
    return [
        html.H3("Why"),
        *evidence.explained(score, queries.reader.ticket_threshold(score["site_id"])),
    ]

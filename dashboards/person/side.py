"""The guard's side: what they say about a punch, written down on its ticket."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html
from dash.exceptions import PreventUpdate

from dashboards import browser, callbacks, marks, queries, words
from dashboards.callbacks import Clicks, Id, Note
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import FRAUD_VIEW, OPERATE
from noc.identity.guard import check
from noc.identity.principal import required_principal
from noc.rest.problems import Problem


def register(ui: Dash) -> None:
    """Write down what was said; a link to it scrolls there once it has come."""
    callbacks.register(
        ui,
        write,
        Output("person-said", "children"),
        Output("person-words", "value"),
        Input("person-write", "n_clicks"),
        State("person-id", "data"),
        State("person-about", "value"),
        State("person-words", "value"),
        prevent_initial_call=True,
    )
    done = Output("sink", "data", allow_duplicate=True)
    arrived = Input("person-verdicts", "children")
    browser.call(ui, "guardSide", done, arrived, on_load=False)


def section(found: dict[str, Any], person_id: int) -> html.Section:
    """What was said so far; the form below it for who may operate. ``found``: the verdicts."""
    may = required_principal().may(OPERATE)
    return html.Section(
        [
            html.Header(html.H2("The guard's side"), className="section-head"),
            html.Div(
                [
                    html.Div(_side(person_id), id="person-said", className="stack"),
                    _fields(found, person_id) if may else None,
                ],
                className="section-body stack",
            ),
        ],
        id="guard-side",
        className="section",
    )


def write(clicks: Clicks, person_id: Id, about: Id | None, said: Note) -> tuple[Any, Any]:
    """Write down what the guard says, as a comment of the punch's ticket.

    403 without ``noc:operate``. Nothing written, or no punch chosen, is answered in words.
    """
    if not clicks:
        raise PreventUpdate
    check(FRAUD_VIEW)
    check(OPERATE)
    if about is None:
        return _side(person_id, "Choose the punch that it is about."), said
    try:
        heard = queries.person.hear(about, said or "", utcnow())
        session().commit()
    except Problem as problem:
        session().rollback()
        reason = problem.detail if problem.status == 404 else "Write down first what they say."
        return _side(person_id, reason), said
    where = f"Written on ticket {heard.number}"
    if heard.opened:
        where += ", opened for it."
    elif heard.status in ("RESOLVED", "CLOSED", "CANCELLED"):
        where += f", which is {words.say(words.STATE, heard.status).lower()}: reopen it there to "
        where += "decide anew."
    else:
        where += "."
    return _side(person_id, told=where), ""


def _fields(found: dict[str, Any], person_id: int) -> html.Div:
    choices = _choices(found, person_id)
    if not choices:
        return html.Div(
            html.P("No punch stood out or has a verdict: nothing to answer.", className="muted")
        )
    return html.Div(
        [
            dmc.Select(
                id="person-about",
                label="About which punch",
                data=choices,
                value=choices[0]["value"],
                allowDeselect=False,
                searchable=True,
            ),
            dmc.Textarea(
                id="person-words",
                label="What the guard says, in their words",
                autosize=True,
                minRows=2,
                maxRows=8,
            ),
            html.Div(
                [
                    html.Button("Write it down", id="person-write", className="btn", n_clicks=0),
                    html.Span(
                        "It becomes a comment of the punch's ticket; where there is none, one is "
                        "opened.",
                        className="muted small",
                    ),
                ],
                className="actions",
            ),
        ],
        className="act",
    )


def _choices(found: dict[str, Any], person_id: int) -> list[dict[str, str]]:
    """Punches that one may have something to say about: those that stood out, or have a verdict."""
    known = {str(item["punch_id"]): _choice(item, item["verdict"]) for item in found["items"]}
    odd = {
        str(score["punch_id"]): _choice(score, None)
        for score in queries.scores.recent_scores(person_id, 30, utcnow())
        if score["fraud_type"]
    }
    both = odd | known
    ordered = sorted(both.items(), key=lambda one: one[1][0], reverse=True)
    return [{"value": key, "label": label} for key, (_, label) in ordered[:100]]


def _choice(punch: dict[str, Any], verdict: str | None) -> tuple[str, str]:
    at = punch["occurred_at"]
    text = at if isinstance(at, str) else at.isoformat()
    did = words.say(words.PUNCH, punch["kind"])
    found = {"CONFIRMED": ", found fraud", "FALSE_POSITIVE": ", found genuine"}.get(verdict or "")
    return (
        text,
        f"{text[:10]} {text[11:16]} UTC, {did.lower()} at {punch['site_name']}{found or ''}",
    )


def _side(person_id: int, problem: str = "", told: str = "") -> list[Any]:
    notes = queries.person.said(person_id)
    items = [
        html.Li(
            [
                html.P(item["comment"], className="said-words"),
                html.P(
                    [
                        f"written down by {item['user_name'] or 'somebody'} on ",
                        marks.opens(f"ticket:{item['ticket_id']}", item["number"]),
                        marks.moment(item["at"]),
                    ],
                    className="muted small",
                ),
            ]
        )
        for item in notes
    ]
    nothing = html.P("Nothing has been written down of what they say.", className="muted")
    return [
        html.Ul(items, className="said-list") if items else nothing,
        html.P(problem, className="problem", role="alert") if problem else None,
        html.P(told, className="muted", role="status") if told else None,
    ]

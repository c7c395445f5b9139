"""Acknowledging, resolving and reopening findings where they are listed, one or many."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from pydantic import Field
from typing_extensions import TypedDict

from dashboards import browser, callbacks, consequences, words
from dashboards.callbacks import Id, Note
from dashboards.marks import aria
from noc.audit import bulk, reopening
from noc.audit.models import RESOLUTIONS
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.identity.principal import required_principal
from noc.rest.problems import Problem

OUTCOMES = tuple(code for code in RESOLUTIONS if code != "EXPIRED")
"""What people may say; EXPIRED is what the audit says."""


_DONE = {
    "acknowledge": "acknowledged",
    "resolve": "resolved",
    "reopen": "open again",
    "undo": "open again",
}


class Wanted(TypedDict):
    """Which findings, and what to do with them."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=bulk.MOST)]
    action: Literal["acknowledge", "resolve", "reopen", "undo"]
    resolution: Annotated[str | None, Field(max_length=50)]
    note: Note


def stores() -> list[dcc.Store]:
    """What the script wants done, and what came of it."""
    return [dcc.Store(id="findings-wanted"), dcc.Store(id="findings-result")]


def register(ui: Dash) -> None:
    """Do what the script wants; ``assets/findings.js`` shows what came of it."""
    callbacks.register(
        ui,
        act,
        Output("findings-result", "data"),
        Input("findings-wanted", "data"),
        prevent_initial_call=True,
    )
    done = Output("sink", "data", allow_duplicate=True)
    for name, wire in (
        ("findingsActed", Input("findings-result", "data")),
        ("findingsChosen", Input("findings-grid", "selectedRows")),
        ("findingsOutcome", Input("findings-outcome", "value")),
    ):
        browser.call(ui, name, done, wire, on_load=False)


def act(wanted: Wanted) -> dict[str, Any]:
    """Acknowledge, resolve or reopen the findings; each one's state then, and what came of it.

    403 without ``noc:operate``. What cannot be changed is left, and the words say why. ``undo``:
    those that were resolved by this; the action of that name opens them, and leaves their alerts
    and tickets as they were before.
    """
    principal = check(OPERATE)
    who: dict[str, Any] = {
        "user_id": principal.user_id,
        "site_ids": principal.site_ids,
        "now": utcnow(),
    }
    note = (wanted["note"] or "").strip() or None
    try:
        if wanted["action"] == "acknowledge":
            outcome = bulk.acknowledge_many(wanted["ids"], **who)
        elif wanted["action"] in ("reopen", "undo"):
            exact = wanted["action"] == "undo"
            outcome = reopening.reopen_many(wanted["ids"], note=note, exact=exact, **who)
        elif wanted["resolution"] not in OUTCOMES:
            return _refused("Choose the outcome first.")
        else:
            outcome = bulk.resolve_many(wanted["ids"], wanted["resolution"], note=note, **who)
        session().commit()
    except Problem as problem:
        session().rollback()
        return _refused(problem.detail)
    resolved = outcome.changed if wanted["action"] == "resolve" else []
    return {
        "states": {f"finding:{key}": state for key, state in outcome.states.items()},
        "ok": not outcome.left,
        "words": said(outcome, wanted["action"]),
        "undo": [f"finding:{key}" for key in resolved],
    }


def said(outcome: bulk.Outcome, action: str) -> str:
    """ "12 findings acknowledged; 1 left: it is resolved already." """
    told = f"{words.count(len(outcome.changed), 'finding')} {_DONE[action]}"
    if outcome.taken_back:
        # One word was taken back for all of them, so that "them" are those that were changed.
        told += consequences.and_with_it([outcome.taken_back, *[{}] * (len(outcome.changed) - 1)])
    if not outcome.left:
        return told
    reason = next(iter(outcome.left.values()))
    return f"{told}; {len(outcome.left)} left: {reason[0].lower()}{reason[1:]}"


def _refused(why: str) -> dict[str, Any]:
    return {"states": {}, "ok": False, "words": why, "undo": []}


def bar() -> html.Div | None:
    """What can be done with the chosen rows; None for who may only look. Shown by the script."""
    if not required_principal().may(OPERATE):
        return None
    return html.Div(
        [
            html.Span("", id="findings-chosen", className="bulk-count", role="status"),
            html.Button("Acknowledge", id="findings-acknowledge", className="btn", type="button"),
            dmc.Select(
                id="findings-outcome",
                data=[
                    {"value": code, "label": words.say(words.RESOLUTION, code)} for code in OUTCOMES
                ],
                placeholder="Outcome",
                className="resolution",
                **aria(label="Outcome"),
            ),
            dmc.TextInput(
                id="findings-note",
                placeholder="Note, if any",
                className="bulk-note",
                **aria(label="Note"),
            ),
            html.Button("Resolve", id="findings-resolve", className="btn", type="button"),
            html.Button("Choose none", id="findings-none", className="text-btn", type="button"),
            html.P("", id="findings-means", className="muted bulk-means", role="status"),
        ],
        id="findings-bulk",
        className="bulk panel",
        hidden=True,
    )

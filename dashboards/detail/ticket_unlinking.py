"""Evidence that does not belong to a ticket is unlinked in the drawer, and undone by linking it."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate
from pydantic import TypeAdapter

from dashboards import callbacks, queries
from dashboards.callbacks import Clicks, Id
from dashboards.detail import ticket
from dashboards.tickets.moving import Unlinked
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.rest.problems import Problem
from noc.tickets.linking import remove_evidence


class Pressed(Unlinked):
    """The button's evidence, and the ticket that it is to be unlinked from."""

    key: Id


_PRESSED = TypeAdapter(Pressed)


def register(ui: Dash) -> None:
    """The buttons beside the evidence."""
    callbacks.register(
        ui,
        unlink,
        Output("detail", "children", allow_duplicate=True),
        Output("undo-offer", "data", allow_duplicate=True),
        Input({"type": "ticket-unlink", "kind": ALL, "ref": ALL, "key": ALL}, "n_clicks"),
        State({"type": "ticket-version", "key": ALL}, "data"),
        prevent_initial_call=True,
        running=[(Output("detail", "className"), "is-loading", "")],
    )


def unlink(_clicks: Clicks, versions: list[Id]) -> tuple[Any, Any]:
    """Unlink what the button stands beside; the ticket as it is then, and how to link it again.

    403 without ``noc:operate``. What cannot be is answered in the drawer.
    """
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    wanted = _PRESSED.validate_python(
        {name: ctx.triggered_id.get(name) for name in ("kind", "ref", "key")}
    )
    principal = check(OPERATE)
    try:
        remove_evidence(
            wanted["key"],
            (wanted["kind"], wanted["ref"]),
            user_id=principal.user_id,
            site_ids=principal.site_ids,
            now=utcnow(),
            version=versions[0] if versions else None,
        )
        session().commit()
    except Problem as problem:
        session().rollback()
        return ticket.content(wanted["key"], problem.detail), no_update
    return ticket.content(wanted["key"]), _offer(wanted)


def _offer(wanted: Pressed) -> Any:
    found = queries.work.ticket(wanted["key"])
    if found is None:
        return no_update
    link = {"kind": wanted["kind"], "ref": wanted["ref"]}
    return {
        "words": f"The {wanted['kind']} is unlinked from {found['number']}",
        "ticket": {"id": found["id"], "version": found["version"], "link": link},
    }

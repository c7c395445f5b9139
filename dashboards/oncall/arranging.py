"""Schedules and policies: the list, the forms, and each button of them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from dash import ALL, Dash, Input, Output, State, ctx, html
from dash.exceptions import PreventUpdate
from pydantic import BaseModel, Field

from dashboards import callbacks, queries, states
from dashboards.callbacks import Choice, Clicks, SiteChoice
from dashboards.oncall import editors, forms, listing, sight, trial
from dashboards.oncall.forms import Draft, FieldId, Fields, Kind, Value
from dashboards.oncall.listing import Asked
from dashboards.oncall.wires import retry
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.words import BadField
from noc.oncall import people, policies, schedules
from noc.oncall.schemas import MOST_STEPS
from noc.rest.keyset import BIGGEST_ID
from noc.rest.problems import Problem, not_found


class Pressed(BaseModel):
    """A button, and what it is for: the row of the list, the step or the member."""

    step: Literal[
        "new", "edit", "cancel", "save", "ask", "delete", "keep",
        "add-member", "up", "down", "drop", "add-step", "drop-step",
    ]  # fmt: skip
    key: Literal["", "schedule", "policy"]
    n: Annotated[int, Field(ge=0, le=BIGGEST_ID)]


def register(ui: Dash) -> None:
    """The list is read when the page comes; buttons change it or open a form."""
    callbacks.register(ui, show, Output("oncall-arrange", "children"), retry("arrange"))
    callbacks.register(
        ui,
        press,
        Output("oncall-arrange", "children", allow_duplicate=True),
        Output("oncall-draft", "data"),
        Output("oncall-arranged", "data"),
        Input({"type": "oncall-step", "step": ALL, "key": ALL, "n": ALL}, "n_clicks"),
        State({"type": "oncall-field", "name": ALL, "n": ALL}, "value"),
        State({"type": "oncall-field", "name": ALL, "n": ALL}, "id"),
        State("oncall-draft", "data"),
        State("oncall-arranged", "data"),
        prevent_initial_call=True,
        running=[
            (Output("oncall-arrange", "className"), "oncall-arrange is-loading", "oncall-arrange")
        ],
    )
    callbacks.register(
        ui,
        attempt,
        Output("oncall-trial", "children"),
        Input("oncall-try-severity", "value"),
        Input("oncall-try-type", "value"),
        Input("oncall-try-site", "value"),
    )


def show(_retries: Clicks = None) -> Any:
    """The lists. 403 for whoever does not arrange anything."""
    sight.arrange()
    return states.or_failed(
        "The schedules and policies",
        {"type": "retry", "page": "oncall-arrange", "n": 0},
        listing.content,
    )


def press(
    _clicks: Clicks,
    values: list[Value],
    ids: list[FieldId],
    draft: Draft | None,
    arranged: Choice = None,
) -> tuple[Any, Any, Any]:
    """Do what the button says. 403 for whoever does not arrange anything.

    What the domain refuses is said in the form, at its field, with what was typed left in it.
    """
    sight.arrange()
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    wanted = Pressed.model_validate(dict(ctx.triggered_id))
    if wanted.step in ("cancel", "keep"):
        return listing.content(), None, arranged
    if wanted.step in ("ask", "delete"):
        return _delete(wanted, arranged)
    if wanted.step in ("new", "edit"):
        return *_opened(_kind(wanted), wanted.n if wanted.step == "edit" else None), arranged
    if draft is None:
        raise PreventUpdate
    fields = forms.together(ids, values)
    if wanted.step == "save":
        return _save(draft, fields, arranged)
    return *_shaped(draft, fields, wanted), arranged


def attempt(severity: Choice, kind: Choice, site: SiteChoice) -> Any:
    """What would become of such an alert. 403 for whoever does not arrange anything."""
    sight.arrange()
    try:
        return trial.answer(severity, kind, site, utcnow())
    except BadField as error:
        return html.P(f"{error}".capitalize() + ".", className="problem", role="alert")


def _kind(wanted: Pressed) -> Kind:
    if wanted.key == "":
        raise PreventUpdate
    return wanted.key


def _opened(kind: Kind, key: int | None) -> tuple[Any, dict[str, Any] | None]:
    """A form for something new, or for what there is; the list where that is gone meanwhile."""
    if kind == "schedule":
        rows = {row.id: row for row in queries.on_call.schedules()}
        if key is not None and key not in rows:
            return listing.content(done="It was deleted meanwhile."), None
        members, fields = forms.of_schedule(rows.get(key or 0))
        draft = Draft(kind=kind, key=key, members=members)
    else:
        known = {row.id: row for row in queries.on_call.policies()}
        if key is not None and key not in known:
            return listing.content(done="It was deleted meanwhile."), None
        last = max((row.position for row in known.values()), default=0)
        steps, fields = forms.of_policy(known.get(key or 0), min(last + 1, 10_000))
        draft = Draft(kind=kind, key=key, steps=steps)
    return editors.content(draft, fields, {}), draft.model_dump()


def _shaped(draft: Draft, fields: Fields, wanted: Pressed) -> tuple[Any, dict[str, Any]]:
    """The form with a member or step more, fewer, or elsewhere."""
    members, steps, n = list(draft.members), draft.steps, wanted.n
    focus: str = wanted.step
    if wanted.step == "add-member":
        added = fields.pop(("add", 0), None)
        if isinstance(added, str) and added.isascii() and added.isdigit() and len(added) < 19:
            members = list(dict.fromkeys([*members, *people.able([int(added)])]))
    elif wanted.step in ("up", "down") and n < len(members):
        to = n + (1 if wanted.step == "down" else -1)
        if 0 <= to < len(members):
            members[n], members[to] = members[to], members[n]
            ends = {0: "down", len(members) - 1: "up"}
            focus = f"{ends.get(to, wanted.step)}-{to}"
    elif wanted.step == "drop" and n < len(members):
        del members[n]
    elif wanted.step == "add-step" and steps < MOST_STEPS:
        fields |= forms.new_step(steps)
        steps += 1
    elif wanted.step == "drop-step" and 1 < steps > n:
        fields = forms.without_step(fields, n, steps)
        steps -= 1
    changed = draft.model_copy(update={"members": members, "steps": steps, "turn": draft.turn + 1})
    return editors.content(changed, fields, {}, focus), changed.model_dump()


def _save(draft: Draft, fields: Fields, arranged: Any) -> tuple[Any, Any, Any]:
    now = utcnow()
    store = _store_schedule if draft.kind == "schedule" else _store_policy
    errors = forms.errors_of(lambda: store(draft, fields, now), _named(draft, fields))
    if errors:
        session().rollback()
        again = draft.model_copy(update={"turn": draft.turn + 1})
        return editors.content(again, fields, errors, "save"), again.model_dump(), arranged
    session().commit()
    return listing.content(done="Saved."), None, now.isoformat()


def _store_schedule(draft: Draft, fields: Fields, now: dt.datetime) -> None:
    body = forms.schedule_body(draft, fields)
    if draft.key is None:
        schedules.create(body, now=now)
    else:
        schedules.change(draft.key, body, now=now)


def _store_policy(draft: Draft, fields: Fields, now: dt.datetime) -> None:
    body = forms.policy_body(draft, fields)
    if draft.key is None:
        policies.create(body, now=now)
    else:
        policies.change(draft.key, body, now=now)


def _named(draft: Draft, fields: Fields) -> dict[int, str]:
    """Names of everybody whom the form speaks of."""
    chosen = [
        int(one)
        for (name, _), value in fields.items()
        if name == "users" and isinstance(value, list)
        for one in value
        if isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 19
    ]
    return people.names({*draft.members, *chosen})


def _delete(wanted: Pressed, arranged: Any) -> tuple[Any, Any, Any]:
    kind = _kind(wanted)
    if wanted.step == "ask":
        return listing.content(asked=Asked(kind, wanted.n)), None, arranged
    now = utcnow()
    try:
        _remove(kind, wanted.n, now)
        session().commit()
    except Problem as problem:
        session().rollback()
        return listing.content(asked=Asked(kind, wanted.n, problem.detail)), None, arranged
    return listing.content(done="Deleted."), None, now.isoformat()


def _remove(kind: Kind, key: int, now: dt.datetime) -> None:
    if key == 0:
        raise not_found(kind)
    if kind == "schedule":
        schedules.remove(key)
    else:
        policies.remove(key, now=now)

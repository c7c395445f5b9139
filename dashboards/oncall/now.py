"""Who is on call now by each schedule, who is next, and taking it over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.exceptions import PreventUpdate
from pydantic import BaseModel

from dashboards import callbacks, marks, queries, states
from dashboards.callbacks import Clicks, Id
from dashboards.detail import parts
from dashboards.oncall import phrases, sight
from dashboards.oncall.wires import retry
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.principal import required_principal
from noc.identity.words import BadField
from noc.oncall import schedules
from noc.oncall.schemas import OverrideIn
from noc.oncall.timelines import Timeline, Turn
from noc.rest.problems import Problem

AHEAD = 28
"""Days in which the next one is looked for."""

HOURS = (4, 8, 12)
"""For how long a turn can be taken over from here; longer or later over REST."""


class Pressed(BaseModel):
    """A button of a schedule's card."""

    step: Literal["ask", "leave", "handover", "4", "8", "12", "back"]
    key: Id


def register(ui: Dash) -> None:
    """Read by a clock and after each change; the question before stays open meanwhile."""
    callbacks.register(
        ui,
        show,
        Output("oncall-now", "children"),
        Input("oncall-clock", "n_intervals"),
        Input("oncall-arranged", "data"),
        retry("now"),
        State("oncall-asking", "data"),
    )
    callbacks.register(
        ui,
        press,
        Output("oncall-now", "children", allow_duplicate=True),
        Output("oncall-asking", "data"),
        Output("oncall-taken", "data"),
        Input({"type": "oncall-duty", "step": ALL, "key": ALL}, "n_clicks"),
        prevent_initial_call=True,
        running=[(Output("oncall-now", "className"), "is-loading", "")],
    )


def show(
    _clock: Clicks, _arranged: Clicks, _retries: Clicks = None, asking: Id | None = None
) -> Any:
    """A card for each schedule."""
    sight.look()
    return states.or_failed(
        "Who is on call",
        {"type": "retry", "page": "oncall-now", "n": 0},
        lambda: content(utcnow(), asking),
    )


def press(_clicks: Clicks) -> tuple[Any, int | None, Any]:
    """Ask, take over, or give back. 403 without ``noc:operate``, and for whoever is no user."""
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    wanted = Pressed.model_validate(dict(ctx.triggered_id))
    principal = sight.take_over()
    if principal.user_id is None:
        raise Problem(403, "A token is nobody who can be on call.")
    now = utcnow()
    if wanted.step in ("ask", "leave"):
        asking = wanted.key if wanted.step == "ask" else None
        return content(now, asking), asking, no_update
    problem = ""
    try:
        _do(wanted, principal.user_id, now)
        session().commit()
    except (BadField, Problem) as error:
        session().rollback()
        problem = error.detail if isinstance(error, Problem) else f"{error}".capitalize() + "."
    return content(now, None, {wanted.key: problem}), None, now.isoformat()


def _do(wanted: Pressed, user_id: int, now: dt.datetime) -> None:
    if wanted.step == "back":
        own = queries.on_call.own_override(wanted.key, now)
        if own is None:
            raise Problem(404, "There is nothing to give back any more.")
        schedules.remove_override(wanted.key, own.id)
        return
    line = next(
        (one for one in queries.on_call.lines(now, AHEAD) if one.schedule_id == wanted.key), None
    )
    if line is None:
        raise Problem(404, "There is no such schedule any more.")
    ends_at = dict(_ends(line, now)).get(wanted.step)
    if ends_at is None:
        raise Problem(409, "There is no handover to wait for.")
    body = OverrideIn(user_id=user_id, starts_at=now, ends_at=ends_at)
    schedules.override(wanted.key, body, user_id=user_id, created_by=user_id, now=now)


def content(
    now: dt.datetime, asking: int | None = None, problems: dict[int, str] | None = None
) -> Any:
    """The cards; the one of the schedule ``asking`` has the question open."""
    lines = queries.on_call.lines(now, AHEAD)
    if not lines:
        return _nothing()
    cards = [
        _card(line, now, asking == line.schedule_id, (problems or {}).get(line.schedule_id, ""))
        for line in lines
    ]
    return html.Ul(cards, className="oncall-cards")


def _nothing() -> html.Div:
    how = (
        "Make the first schedule below: who takes turns, and when they change."
        if sight.may_arrange()
        else "An administrator of the whole company makes schedules on this page."
    )
    notice = states.empty("Nobody is on call", how, mark="people")
    return html.Div(notice, className="panel")


def _card(line: Timeline, now: dt.datetime, asking: bool, problem: str) -> html.Li:
    index = line.at(now)
    turn = line.turns[index]
    mine = turn.user_id is not None and turn.user_id == required_principal().user_id
    return html.Li(
        [
            html.Div(
                [
                    html.H3(line.name, title=line.name),
                    html.Span("You", className="tag oncall-you") if mine else None,
                ],
                className="split",
            ),
            html.P(
                turn.user_name or "Nobody",
                className="oncall-who" if turn.user_id else "oncall-who muted",
                title=turn.user_name or "",
            ),
            html.P(_until(line, index), className="oncall-until"),
            html.P(_next(line, index), className="oncall-next muted"),
            parts.problem(problem),
            _question(line, turn, now) if asking else _action(line, turn, mine),
        ],
        className="panel oncall-card" + (" is-mine" if mine else ""),
    )


def _until(line: Timeline, index: int) -> list[Any]:
    turn = line.turns[index]
    taken = (
        [f", instead of {phrases.listed(turn.instead_of)}"]
        if turn.override_id and turn.instead_of
        else []
    )
    if turn.user_id is None:
        if line.begins_at > turn.starts_at:
            return ["The first turn begins ", phrases.clock(line.begins_at, line.timezone)]
        return ["None of its members can be on call at present"]
    if turn.override_id:
        taken = taken or [", out of turn"]
    last = line.turns[_same_until(line, index)]
    if last.ends_at >= line.until:
        return [f"With nobody to hand over to in the next {AHEAD} days", *taken]
    return ["Until ", phrases.clock(last.ends_at, line.timezone), *taken]


def _next(line: Timeline, index: int) -> list[Any]:
    following = _same_until(line, index) + 1
    if following >= len(line.turns):
        return ["Nobody is next"]
    after = line.turns[following]
    return ["Then ", html.Span(after.user_name or "nobody", className="oncall-name")]


def _same_until(line: Timeline, index: int) -> int:
    """The last of the turns from this one on that are the same person's."""
    last = index
    while last + 1 < len(line.turns) and line.turns[last + 1].user_id == line.turns[index].user_id:
        last += 1
    return last


def _action(line: Timeline, turn: Turn, mine: bool) -> Any:
    if not sight.may_take_over():
        return None
    if mine and turn.override_id is not None:
        back = phrases.listed(turn.instead_of[:1]) or "Whose turn it is"
        return html.Div(
            [
                _button("back", line, "Give it back"),
                html.Span(f"{back} is on call again then.", className="muted"),
            ],
            className="actions act",
        )
    if mine:
        return None
    return html.Div(_button("ask", line, "Take over"), className="actions act")


def _question(line: Timeline, turn: Turn, now: dt.datetime) -> html.Div:
    whose = turn.user_name or "nobody"
    buttons = [
        _button(step, line, [_LABELS.get(step, f"{step} h, until "), _at(at, line)])
        for step, at in _ends(line, now)
    ]
    return html.Div(
        [
            html.P(
                [
                    f"You are on call at {line.name} from now on instead of {whose}: alerts that "
                    "wait for an answer are told to you. Whose turn it is by then takes over "
                    "again by itself. Until when?"
                ]
            ),
            html.Div([*buttons, _button("leave", line, "Leave it")], className="oncall-choices"),
        ],
        className="act oncall-question",
        role="group",
        **marks.aria(label=f"Take over {line.name}"),
    )


_LABELS = {"handover": "The handover, "}


def _at(at: dt.datetime, line: Timeline) -> html.Time:
    return phrases.clock(at, line.timezone)


def _ends(line: Timeline, now: dt.datetime) -> Iterator[tuple[str, dt.datetime]]:
    """Until when a turn can be taken over, by the button's name."""
    handover = line.turns[_same_until(line, line.at(now))].ends_at
    if handover < line.until:
        yield "handover", handover
    for hours in HOURS:
        yield str(hours), now + dt.timedelta(hours=hours)


def _button(step: str, line: Timeline, label: Any) -> html.Button:
    names = {"ask": f"Take over {line.name}", "back": f"Give {line.name} back"}
    named = marks.aria(label=names[step]) if step in names else {}
    return html.Button(
        label,
        id={"type": "oncall-duty", "step": step, "key": line.schedule_id},
        className="btn btn-small" if step != "ask" else "btn",
        n_clicks=0,
        **named,
        **(marks.data(focus=f"ask-{line.schedule_id}") if step == "handover" else {}),
    )

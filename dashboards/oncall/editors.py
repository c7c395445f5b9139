"""The forms by which schedules and policies are made and changed."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import marks, queries
from dashboards.detail import parts
from dashboards.marks import data, icon
from dashboards.oncall.forms import Draft, Errors, Fields, said
from dashboards.oncall.inputs import Form, button, small
from dashboards.words import WEEKDAYS
from noc.oncall import people
from noc.oncall.schemas import (
    MOST_MEMBERS,
    MOST_MINUTES,
    MOST_REPEATS,
    MOST_STEPS,
    MOST_TARGETS,
)

MOVES = ("up", "down")


def content(draft: Draft, fields: Fields, errors: Errors, focus: str = "") -> html.Div:
    """The form; ``focus`` names the button that keeps the keyboard after a move."""
    form = Form(fields, errors)
    body = _schedule if draft.kind == "schedule" else _policy
    what = {"schedule": "schedule", "policy": "escalation policy"}[draft.kind]
    title = f"New {what}" if draft.key is None else f"Change the {what}"
    general = said(errors, "") or (_UNSAVED if errors else "")
    return html.Div(
        [
            html.H3(title),
            parts.problem(general),
            *body(draft, form, errors, focus),
            html.Div(
                [
                    button("save", "Save", primary=True),
                    button("cancel", "Leave it"),
                    html.Span(_holds(draft), className="muted"),
                ],
                className="actions",
            ),
        ],
        className=f"oncall-form oncall-form-{draft.kind}",
        role="group",
        **marks.aria(label=title),
    )


_UNSAVED = "It was not saved: see what is marked below."


def _holds(draft: Draft) -> str:
    if draft.kind == "schedule":
        return "It holds at once; times that were taken over stay."
    return "It holds at once, also for what is on its way."


def _schedule(draft: Draft, form: Form, errors: Errors, focus: str) -> list[Any]:
    able = queries.on_call.choices().users
    free = {str(key): name for key, name in able.items() if key not in draft.members}
    first = (
        "Empty: today"
        if draft.key is None
        else "Empty: turns stay where they are. A day: the first member begins then"
    )
    return [
        html.Div(
            [
                form.text("name", "Name", **data(focus=f"form-{draft.turn}") if not focus else {}),
                form.select(
                    "timezone", "Time zone", {zone: zone for zone in _zones()},
                    searchable=True, limit=60, placeholder="Asia/Kolkata",
                ),
            ],
            className="oncall-fields",
        ),
        html.Div(
            [
                form.switch("rotation", "Turns", {"weekly": "A week each", "daily": "A day each"}),
                html.Div(
                    form.select(
                        "handover_weekday", "Handover on", {d.lower(): d for d in WEEKDAYS}
                    ),
                    className="only-weekly",
                ),
                form.text("handover_time", "Handover at", placeholder="08:00"),
                form.text("starts_on", "First day", placeholder="2026-11-16", description=first),
            ],
            className="oncall-fields",
        ),
        html.Div(
            [
                html.H4("Members, in the order of their turns"),
                _order(draft, focus),
                parts.problem(said(errors, "members", below=True) or ""),
                html.Div(
                    [
                        dmc.Select(
                            id={"type": "oncall-field", "name": "add", "n": 0},
                            data=[{"value": key, "label": name} for key, name in free.items()],
                            value=None,
                            searchable=True,
                            placeholder="Somebody who may act on alerts",
                            className="oncall-add",
                            disabled=len(draft.members) >= MOST_MEMBERS,
                            **marks.aria(label="Add a member"),
                        ),
                        button("add-member", [icon("plus"), "Add"], className="btn btn-small"),
                    ],
                    className="actions",
                ),
            ]
        ),
    ]  # fmt: skip


def _order(draft: Draft, focus: str) -> Any:
    if not draft.members:
        return html.P("Nobody yet.", className="muted")
    names = people.names(draft.members)
    last = len(draft.members) - 1
    return html.Ol(
        [
            html.Li(
                [
                    html.Span(f"{number + 1}", className="num muted"),
                    html.Span(names.get(key, "Somebody deleted"), className="oncall-name"),
                    *(
                        small(
                            move, move, f"Move {names.get(key, '')} {move}", n=number,
                            disabled=number == (0 if move == "up" else last),
                            focus=f"{focus}-{draft.turn}" if focus == f"{move}-{number}" else "",
                        )
                        for move in MOVES
                    ),
                    small("drop", "close", f"Take {names.get(key, '')} out", n=number),
                ]
            )
            for number, key in enumerate(draft.members)
        ],
        className="oncall-order",
    )  # fmt: skip


def _policy(draft: Draft, form: Form, errors: Errors, focus: str) -> list[Any]:
    known = queries.on_call.choices()
    every: dict[str, Any] = {"placeholder": "All", "clearable": True}
    return [
        html.Div(
            [
                form.text("name", "Name", **data(focus=f"form-{draft.turn}") if not focus else {}),
                form.number(
                    "position", "Position", 0, 10_000,
                    description="Of several that fit, the lowest is taken",
                ),
                form.switch("active", "It is", {"on": "On", "off": "Off"}),
            ],
            className="oncall-fields",
        ),
        html.Div(
            [
                form.severities("min_severity", "Alerts from this severity on"),
                form.several("site_ids", "Sites", known.sites, **every),
                form.tags("alert_types", "Types", **every),
            ],
            className="oncall-fields",
        ),
        html.Div(
            [
                html.H4("Steps, until somebody answers"),
                parts.problem(said(errors, "steps") or ""),
                html.Ol(
                    [_step(number, draft, form, errors, known) for number in range(draft.steps)],
                    className="oncall-steps",
                ),
                button(
                    "add-step", [icon("plus"), "Add a step"], className="btn btn-small",
                    disabled=draft.steps >= MOST_STEPS,
                ),
            ]
        ),
        html.Div(
            form.number(
                "repeats", "Gone through again", 0, MOST_REPEATS,
                description="How often, if nobody has answered",
            ),
            className="oncall-repeats",
        ),
    ]  # fmt: skip


def _step(number: int, draft: Draft, form: Form, errors: Errors, known: Any) -> html.Li:
    field = f"steps.{number}"
    most: dict[str, Any] = {"maxValues": MOST_TARGETS}
    label = "Minutes after it opened" if number == 0 else "Minutes later"
    return html.Li(
        [
            html.Div(
                [
                    html.Strong(f"Step {number + 1}"),
                    small("drop-step", "close", f"Remove step {number + 1}", n=number)
                    if draft.steps > 1
                    else None,
                ],
                className="split",
            ),
            parts.problem(said(errors, field) or ""),
            html.Div(
                [
                    form.number(
                        "after_minutes", label, 0, MOST_MINUTES, n=number,
                        field=f"{field}.after_minutes",
                    ),
                    form.several(
                        "schedules", "Whoever is on call at", known.schedules, n=number,
                        field=f"{field}.schedules", **most,
                    ),
                    form.several(
                        "users", "People", known.users, n=number, field=f"{field}.users", **most
                    ),
                    form.several(
                        "routes", "Routes", known.routes, n=number, field=f"{field}.routes", **most
                    ),
                ],
                className="oncall-fields",
            ),
        ]
    )  # fmt: skip


@cache
def _zones() -> tuple[str, ...]:
    """The names that the domain takes, as far as people use them."""
    return tuple(
        sorted(
            name
            for name in zoneinfo.available_timezones()
            if ("/" in name and not name.startswith(("Etc/", "SystemV/"))) or name == "UTC"
        )
    )

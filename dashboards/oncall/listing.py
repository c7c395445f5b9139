"""Schedules and policies as a list in words, and the question before one is deleted."""

from __future__ import annotations

from typing import Any, NamedTuple

from dash import html

from dashboards import marks, queries, words
from dashboards.detail import parts
from dashboards.oncall import phrases, trial
from dashboards.oncall.forms import Kind
from dashboards.oncall.inputs import button
from noc.database.base import utcnow
from noc.oncall import people
from noc.oncall.models import EscalationPolicy, OnCallSchedule


class Asked(NamedTuple):
    """Something that is about to be deleted, if whoever is asked says so; or why it was not."""

    kind: Kind
    key: int
    problem: str = ""


def content(*, asked: Asked | None = None, done: str = "") -> Any:
    """Both lists, and a trial of the policies."""
    schedules, policies = queries.on_call.schedules(), queries.on_call.policies()
    return [
        html.P(done, className="done", role="status") if done else None,
        html.Div(
            [
                _head("Schedules", "schedule", "New schedule"),
                _schedules(schedules, asked)
                if schedules
                else html.P(
                    "None yet. A schedule says whose turn it is to answer.", className="muted"
                ),
            ]
        ),
        html.Div(
            [
                _head("Escalation policies", "policy", "New policy"),
                _policies(policies, asked)
                if policies
                else html.P(
                    "None yet. A policy says which alerts are told to whom until somebody answers.",
                    className="muted",
                ),
            ]
        ),
        trial.content() if policies else None,
    ]


def _head(title: str, kind: Kind, label: str) -> html.Div:
    new = button("new", [marks.icon("plus"), label], key=kind, className="btn btn-small")
    return html.Div([html.H3(title), new], className="split oncall-list-head")


def _schedules(rows: list[OnCallSchedule], asked: Asked | None) -> html.Ul:
    every = {key for row in rows for key in row.members}
    named, able = people.names(every), people.able(every)
    return html.Ul(
        [
            _line(
                "schedule",
                row.id,
                row.name,
                [
                    html.P(f"{phrases.rotation(row)}."),
                    html.P(
                        [
                            f"{words.count(len(row.members), 'member')}: ",
                            *_members(row, named, able),
                        ],
                        className="muted",
                    ),
                ],
                asked,
            )
            for row in rows
        ],
        className="oncall-list",
    )


def _members(row: OnCallSchedule, named: dict[int, str], able: dict[int, str]) -> list[Any]:
    told: list[Any] = []
    for number, key in enumerate(row.members):
        name = named.get(key, "somebody deleted")
        passed = "" if key in able else " (passed over: disabled or may not act on alerts)"
        told.append(f"{', ' if number else ''}{name}{passed}")
    return told


def _policies(rows: list[EscalationPolicy], asked: Asked | None) -> html.Ul:
    names = queries.on_call.names_for(rows)
    return html.Ul(
        [
            _line(
                "policy",
                row.id,
                row.name,
                [
                    html.P(f"{phrases.takes(row, names)}: {phrases.course(row, names)}."),
                    html.P(_order(number, row), className="muted"),
                ],
                asked,
                tag=None if row.active else "Off",
            )
            for number, row in enumerate(rows, start=1)
        ],
        className="oncall-list",
    )


def _order(number: int, row: EscalationPolicy) -> str:
    tried = "Tried first" if number == 1 else f"Tried as number {number}"
    return f"{tried} (position {row.position})" + ("" if row.active else "; it takes nothing")


def _line(
    kind: Kind, key: int, name: str, told: list[Any], asked: Asked | None, *, tag: str | None = None
) -> html.Li:
    mine = asked is not None and (asked.kind, asked.key) == (kind, key)
    head = html.Div(
        [
            html.H4([name, html.Span(tag, className="tag") if tag else None], title=name),
            html.Div(
                [
                    button(
                        "edit", "Change", key=kind, n=key, className="btn btn-small",
                        **marks.aria(label=f"Change {name}"),
                    ),
                    button(
                        "ask", "Delete", key=kind, n=key, className="btn btn-small",
                        **marks.aria(label=f"Delete {name}"),
                    ),
                ],
                className="actions act",
            ),
        ],
        className="split",
    )  # fmt: skip
    question = _question(asked, name) if mine and asked is not None else None
    return html.Li([head, *told, question])


def _question(asked: Asked, name: str) -> Any:
    if asked.problem:
        return parts.problem(asked.problem)
    if asked.kind == "schedule":
        taken = queries.on_call.overrides_of(asked.key, utcnow())
        with_it = f" with {words.count(taken, 'time')} taken over" if taken else ""
        what = f"Delete {name}{with_it}? Nobody is on call by it then."
    else:
        what = f"Delete {name}? Whom it was still to tell is told nothing."
    return html.Div(
        [
            html.P([marks.icon("alert"), html.Span(what)], className="oncall-ask", role="alert"),
            html.Div(
                [
                    button(
                        "delete", f"Yes, delete {name}", key=asked.kind, n=asked.key, primary=True
                    ),
                    button("keep", "Keep it", **marks.data(focus=f"ask-{asked.kind}-{asked.key}")),
                ],
                className="actions",
            ),
        ],
        className="act",
    )

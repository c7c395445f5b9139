"""The small marks that mean the same on every page: severity, state, score, moment, person."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import dcc, html

from dashboards import words
from noc.domain import risk_level

Children = Any


def aria(**names: str) -> dict[str, Any]:
    """Properties for assistive technology: ``aria(label="Close")`` is ``aria-label="Close"``."""
    return {f"aria-{name}": value for name, value in names.items()}


def data(**names: str) -> dict[str, Any]:
    """Properties that scripts read: ``data(open="alert:1")`` is ``data-open="alert:1"``."""
    return {f"data-{name}": value for name, value in names.items()}


def icon(name: str) -> html.Span:
    """A drawn icon of ``assets/icons.css``; decoration beside a word, so hidden from readers."""
    return html.Span(className=f"icon icon-{name}", **aria(hidden="true"))


def icon_button(
    mark: str, label: str, *, title: str | None = None, className: str = "", **props: Any
) -> html.Button:
    """A button that shows an icon alone: its ``label`` is for assistive technology, and on hover.

    ``title`` where what is shown on hover says less.
    """
    return html.Button(
        icon(mark),
        className=f"btn-icon {className}".strip(),
        title=title or label,
        type=props.pop("type", "button"),
        **props,
        **aria(label=label),
    )


def severity(code: str) -> html.Span:
    """Shape, colour and word."""
    return html.Span(
        [html.I(className="sev-mark", **aria(hidden="true")), words.say(words.SEVERITY, code)],
        className=f"sev sev-{code.lower()}",
    )


def state(code: str) -> html.Span:
    """The state of an alert or ticket as a word with a dot."""
    return html.Span(words.say(words.STATE, code), className=f"state state-{code.lower()}")


def score(value: float, threshold: float) -> html.Span:
    """A score as number and bar, with a tick where tickets open. Never a verdict by itself."""
    percent = f"{value * 100:.0f}%"
    return html.Span(
        [
            html.Span(f"{value:.2f}", className="score-number"),
            html.Span(
                [
                    html.Span(className="score-fill", style={"width": percent}),
                    html.Span(className="score-tick", style={"left": f"{threshold * 100:.0f}%"}),
                ],
                className="score-bar",
                **aria(hidden="true"),
            ),
        ],
        className=f"score score-{risk_level(value).lower()}",
        title=f"Score {value:.2f}; a ticket opens from {threshold:.2f}",
    )


def moment(at: dt.datetime | str | None, zone: str | None = None) -> html.Time | html.Span:
    """A time, written relative to now by ``assets/format.js``; on hover the reader's and site's."""
    if at is None:
        return html.Span("—", className="muted")
    when = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    return html.Time(
        when.strftime("%d %b %Y, %H:%M UTC"),
        dateTime=when.isoformat(),
        className="when",
        **data(zone=zone or ""),
    )


def due(ticket: dict[str, Any], zone: str | None = None) -> Children:
    """By when a ticket is to be done, and how it stands with that; None where it has no time."""
    if ticket["due_at"] is None or ticket["sla"] == "none":
        return None
    standing = html.Span(words.SLA[ticket["sla"]], className=f"sla sla-{ticket['sla']}")
    if ticket["sla"] == "paused":
        return [standing, f", {words.span(ticket['remaining_seconds'])} left"]
    return [standing, " ", moment(ticket["due_at"], zone)]


def person(person_id: int | None, name: str | None) -> Children:
    """The person's name, leading to their page."""
    if person_id is None:
        return html.Span(name or "No person", className="muted")
    return dcc.Link(
        name or f"Person {person_id}", href=f"/app/person/{person_id}", className="link"
    )


def facts(pairs: list[tuple[str, Children]]) -> html.Dl:
    """Names and values, one under the other."""
    return html.Dl(
        [
            html.Div([html.Dt(name), html.Dd(value)])
            for name, value in pairs
            if value is not None and value != ""
        ],
        className="facts",
    )


def section(
    title: str, children: Children, *, aside: Children = None, **props: Any
) -> html.Section:
    """A titled part of a page."""
    return html.Section(
        [html.Header([html.H2(title), aside], className="section-head"), children],
        className=f"section {props.pop('className', '')}".strip(),
        **props,
    )


def opens(target: str, label: str) -> html.Button:
    """A text button that opens ``target`` (``ticket:7``) in the drawer."""
    return html.Button(label, className="text-btn", **data(open=target))

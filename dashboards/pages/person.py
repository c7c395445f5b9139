"""A person: scores over time with their reasons, habits for comparison, alerts and tickets."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from dashboards import queries, states, words
from dashboards.person import links, profile, scores, side, verdicts, work
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.principal import required_principal

TITLE = "Person"


def layout(query: dict[str, str], person_id: int) -> html.Div:
    """The page of one person; ``?days=`` chooses the period from a link."""
    person = queries.people.person(person_id)
    if person is None:
        return html.Div(states.not_found("person"), className="panel")
    lists = work.lists(person)
    if not required_principal().may(FRAUD_VIEW):
        refused = html.Div(states.forbidden("The score history", FRAUD_VIEW), className="panel")
        return html.Div([_head(person), refused, *lists], className="page")
    return html.Div(
        [
            dcc.Store(id="person-id", data=person_id),
            _head(person, _period(query.get("days"))),
            html.Div(states.skeleton(52, 340), id="person-scores"),
            html.Div([_left(), _right(lists)], className="columns"),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Each part has a callback of its own: one failing leaves the rest."""
    for part in (scores, links, profile, verdicts, side):
        part.register(ui)


def _left() -> html.Div:
    return html.Div(
        [
            html.Div(states.skeleton(420), id="person-links"),
            html.Div(states.skeleton(220, 160), id="person-verdicts", className="stack"),
            html.Div(states.skeleton(300), id="person-punches"),
        ],
        className="stack",
    )


def _right(lists: list[html.Section]) -> html.Div:
    return html.Div(
        [
            html.Div(states.skeleton(250, 100, 100), id="person-profile", className="stack"),
            html.Div(id="person-habits"),
            *lists,
        ],
        className="stack",
    )


def _period(days: str | None) -> dmc.SegmentedControl:
    return dmc.SegmentedControl(
        id="person-days",
        value=str(scores.period(days)),
        data=[{"value": str(n), "label": f"{n} days"} for n in scores.PERIODS],
    )


def _head(person: dict[str, Any], period: Any = None) -> html.Div:
    return html.Div([_name(person), html.Span(className="spring"), period], className="person-head")


def _name(person: dict[str, Any]) -> html.Div:
    place = [person["code"], words.say({"guard": "Guard", "staff": "Staff"}, person["kind"])]
    place.append(f"at home at {person['site_name']}" if person["site_name"] else "no home site")
    if not person["active"]:
        place.append("inactive")
    return html.Div(
        [html.H2(person["name"]), html.P(" · ".join(place))], className="lede person-name"
    )

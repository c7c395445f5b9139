"""A person: scores over time with their reasons, habits for comparison, alerts and tickets."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html

from dashboards import browser, callbacks, evidence, habits, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Id
from dashboards.figures import score_history
from dashboards.marks import aria
from dashboards.person import links, profile, verdicts
from dashboards.tickets.wording import title
from noc.database.base import utcnow
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import check
from noc.identity.principal import required_principal

TITLE = "Person"

PERIODS = (7, 30, 90)
LISTED = 60


def layout(query: dict[str, str], person_id: int) -> html.Div:
    """The page of one person; ``?days=`` chooses the period from a link."""
    person = queries.people.person(person_id)
    if person is None:
        return html.Div(states.not_found("person"), className="panel")
    days = query.get("days")
    fraud = required_principal().may(FRAUD_VIEW)
    period = dmc.SegmentedControl(
        id="person-days",
        value=str(_period(days)),
        data=[{"value": str(n), "label": f"{n} days"} for n in PERIODS],
    )
    lists = [_alerts(person_id, person["timezone"]), _tickets(person_id, person["timezone"])]
    head = html.Div(
        [_header(person), html.Span(className="spring"), period if fraud else None],
        className="person-head",
    )
    if not fraud:
        refused = html.Div(states.forbidden("The score history", FRAUD_VIEW), className="panel")
        return html.Div([head, refused, *lists], className="page")
    return html.Div(
        [
            dcc.Store(id="person-id", data=person_id),
            head,
            html.Div(states.skeleton(52, 340), id="person-scores"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div(states.skeleton(420), id="person-links"),
                            html.Div(
                                states.skeleton(220, 160), id="person-verdicts", className="stack"
                            ),
                            html.Div(states.skeleton(300), id="person-punches"),
                        ],
                        className="stack",
                    ),
                    html.Div(
                        [
                            html.Div(
                                states.skeleton(250, 100, 100),
                                id="person-profile",
                                className="stack",
                            ),
                            html.Div(id="person-habits"),
                            *lists,
                        ],
                        className="stack",
                    ),
                ],
                className="columns",
            ),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Draw when the period or the colours change; a point of the chart opens its punch."""
    callbacks.register(
        ui,
        show,
        Output("person-scores", "children"),
        Output("person-punches", "children"),
        Output("person-habits", "children"),
        Input("person-id", "data"),
        Input("person-days", "value"),
        Input("scheme", "data"),
        Input({"type": "retry", "page": "person", "n": ALL}, "n_clicks"),
        running=[(Output("person-scores", "className"), "is-loading", "")],
    )
    browser.call(
        ui,
        "openPunch",
        Output("sink", "data", allow_duplicate=True),
        Input("person-graph", "clickData"),
        on_load=False,
    )
    for part in (links, profile, verdicts):
        part.register(ui)
    callbacks.register(
        ui,
        show_all,
        Output("person-punches", "children", allow_duplicate=True),
        Input("person-all", "n_clicks"),
        State("person-id", "data"),
        State("person-days", "value"),
        prevent_initial_call=True,
    )


def show(
    person_id: Id, days: Choice, scheme: Choice, _retries: Clicks = None
) -> tuple[Any, Any, Any]:
    """Chart, punches and habits."""
    check(FRAUD_VIEW)
    built: tuple[Any, Any, Any] | Any = states.or_failed(
        "The score history",
        {"type": "retry", "page": "person", "n": 0},
        lambda: _show(person_id, _period(days), scheme),
    )
    return built if isinstance(built, tuple) else (built, None, None)


def _show(person_id: int, days: int, scheme: str | None) -> tuple[Any, Any, Any]:
    history = queries.scores.score_history(person_id, days, utcnow())
    zone = queries.reader.zone(history["home_site_id"]) or "UTC"
    threshold = queries.reader.ticket_threshold(history["home_site_id"])
    if not history["scores"]:
        notice = states.empty(
            f"No scored punches in {days} days",
            "Each punch is scored within a second of its arrival.",
            mark="clock",
        )
        return html.Div(notice, className="panel"), None, habits.panel(history["habits"])
    chart = score_history.figure(
        history["scores"], threshold, zone, "light" if scheme == "light" else "dark"
    )
    graph = dcc.Graph(
        id="person-graph",
        figure=chart,
        config={"displayModeBar": False, "responsive": True},
        style={"height": f"{score_history.HEIGHT}px"},
    )
    return (
        html.Div(
            [
                html.Div(
                    [html.H2(finding(history, threshold)), html.P(_subtitle(history))],
                    className="lede",
                ),
                html.Div(
                    [_legend(score_history.legend(history["scores"])), graph],
                    className="panel chart-panel",
                ),
            ],
            className="page",
        ),
        _punches(history, threshold, zone, everything=False),
        habits.panel(history["habits"]),
    )


def _legend(kinds: list[tuple[str, str]]) -> html.Ul | None:
    if not kinds:
        return None
    return html.Ul(
        [html.Li([html.Span(sign, **aria(hidden="true")), name]) for sign, name in kinds],
        className="legend",
    )


def show_all(clicks: Clicks, person_id: Id, days: Choice) -> Any:
    """The list with the punches that did not stand out too."""
    check(FRAUD_VIEW)
    history = queries.scores.score_history(person_id, _period(days), utcnow())
    zone = queries.reader.zone(history["home_site_id"]) or "UTC"
    threshold = queries.reader.ticket_threshold(history["home_site_id"])
    return _punches(history, threshold, zone, everything=bool(clicks))


def finding(history: dict[str, Any], threshold: float) -> str:
    """The chart's title: what it shows, in one sentence."""
    scores = history["scores"]
    high = sum(score["fraud_score"] >= threshold for score in scores)
    odd = sum(bool(score["fraud_type"]) for score in scores)
    punches = words.count(len(scores), "punch", "punches")
    if high:
        return f"{high} of {punches} scored {threshold:.2f} or more"
    if odd:
        return f"{odd} of {punches} stood out, none for a ticket"
    return f"None of {punches} stood out"


def _subtitle(history: dict[str, Any]) -> str:
    summary = history["summary"]
    looked = summary["reviewed"]
    reviewed = (
        f"People looked at {looked}; {summary['confirmed']} confirmed as fraud."
        if looked
        else "Nobody has reviewed any of them yet."
    )
    return (
        f"Last {history['days']} days, mean score {summary['mean_score']:.2f}, "
        f"highest {summary['max_score']:.2f}. {reviewed}"
    )


def _punches(
    history: dict[str, Any], threshold: float, zone: str, *, everything: bool
) -> html.Section:
    scores = history["scores"]
    odd = [score for score in scores if score["fraud_type"] or score["fraud_score"] >= 0.4]
    shown = (scores if everything else odd)[:LISTED]
    listing: Any = html.Ul(
        [
            html.Li(
                [evidence.punch_head(score, score["timezone"], threshold)]
                + ([evidence.reasons(score["reasons"])] if score["reasons"] else []),
                **marks.data(punch=str(score["punch_id"])),
            )
            for score in shown
        ],
        className="punches",
    )
    if not shown:
        listing = states.empty("Nothing stood out", "No punch had an anomaly or a medium risk.")
    toggle = html.Button(
        f"Show all {len(scores):,}", id="person-all", className="btn btn-small", n_clicks=0
    )
    return marks.section(
        "All punches" if everything else "Punches that stood out",
        html.Div([listing, evidence.doubt(scores[0]["model_version"])], className="section-body"),
        aside=toggle if not everything else None,
    )


def _header(person: dict[str, Any]) -> html.Div:
    place = [person["code"], words.say({"guard": "Guard", "staff": "Staff"}, person["kind"])]
    place.append(f"at home at {person['site_name']}" if person["site_name"] else "no home site")
    if not person["active"]:
        place.append("inactive")
    return html.Div(
        [html.H2(person["name"]), html.P(" · ".join(place))], className="lede person-name"
    )


def _alerts(person_id: int, zone: str | None) -> html.Section:
    page = queries.work.alerts(queries.work.alerts_of(person_id), limit=10)
    rows = [
        html.Li(
            [
                marks.severity(item["severity"]),
                marks.opens(f"alert:{item['id']}", words.say(words.ALERT, item["alert_type"])),
                marks.state(item["status"]),
                marks.moment(item["occurred_at"], zone),
            ]
        )
        for item in page.items
    ]
    return _listing("Alerts", rows, "No alerts about this person.")


def _tickets(person_id: int, zone: str | None) -> html.Section:
    page = queries.work.tickets(queries.work.ticket_filters(person_id=person_id), limit=10)
    rows = [
        html.Li(
            [
                marks.severity(item["priority"]),
                marks.opens(f"ticket:{item['id']}", f"{item['number']}: {title(item)}"),
                marks.state(item["status"]),
                marks.moment(item["created_at"], zone),
            ]
        )
        for item in page.items
    ]
    return _listing("Tickets", rows, "No tickets about this person.")


def _listing(name: str, rows: list[html.Li], nothing: str) -> html.Section:
    body = html.Ul(rows, className="lines") if rows else html.P(nothing, className="muted pad")
    return marks.section(name, body)


def _period(days: str | None) -> int:
    return int(days) if days and days in map(str, PERIODS) else 30

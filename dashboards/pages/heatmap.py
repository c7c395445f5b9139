"""The fraud heatmap: where and when punches look wrong, down to the punches themselves."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate
from pydantic import Field
from typing_extensions import TypedDict

from dashboards import browser, callbacks, evidence, marks, queries, states, words
from dashboards.callbacks import Choice, Clicks, Id, SiteChoice
from dashboards.figures import fraud_heatmap
from dashboards.marks import aria
from noc.database.base import utcnow
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import check
from noc.identity.principal import required_principal

TITLE = "Fraud heatmap"

PERIODS = (7, 30, 45)
DRILL = 50
_MEASURES = (("max", "Highest score"), ("mean", "Mean score"))


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?days=`` and ``?site=`` choose from a link."""
    if not required_principal().may(FRAUD_VIEW):
        return html.Div(states.forbidden("The fraud heatmap", FRAUD_VIEW), className="panel")
    days = query.get("days")
    sites = [{"value": key, "label": site["name"]} for key, site in queries.reader.sites().items()]
    return html.Div(
        [
            html.Div(
                [
                    dmc.SegmentedControl(
                        id="heatmap-days",
                        value=str(_period(days)),
                        data=[{"value": str(n), "label": f"{n} days"} for n in PERIODS],
                    ),
                    dmc.SegmentedControl(
                        id="heatmap-measure",
                        value=_measure(query.get("measure")),
                        data=[{"value": value, "label": label} for value, label in _MEASURES],
                    ),
                    dmc.Select(
                        id="heatmap-site",
                        placeholder="All sites",
                        value=query.get("site"),
                        data=sites,
                        clearable=True,
                        searchable=True,
                        className="toolbar-select",
                        **aria(label="Site"),
                    ),
                ],
                className="toolbar",
            ),
            html.Div(states.skeleton(52, 420), id="heatmap-body"),
            html.Div(id="heatmap-cell"),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Draw when a choice or the colours change; drill down on a click."""
    callbacks.register(
        ui,
        show,
        Output("heatmap-body", "children"),
        Input("heatmap-days", "value"),
        Input("heatmap-measure", "value"),
        Input("heatmap-site", "value"),
        Input("scheme", "data"),
        Input({"type": "retry", "page": "heatmap", "n": ALL}, "n_clicks"),
        running=[(Output("heatmap-body", "className"), "is-loading", "")],
    )
    callbacks.register(
        ui,
        drill,
        Output("heatmap-cell", "children"),
        Input("heatmap-graph", "clickData"),
        State("heatmap-days", "value"),
        prevent_initial_call=True,
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.keep_address(ui, "heatmap-days", "heatmap-measure", "heatmap-site")
    browser.call(ui, "reveal", done, Input("heatmap-cell", "children"), on_load=False)


def show(
    days: Choice, measure: Choice, site: SiteChoice, scheme: Choice, _retries: Clicks = None
) -> Any:
    """The finding, the scale and the map."""
    check(FRAUD_VIEW)
    return states.or_failed(
        "The heatmap",
        {"type": "retry", "page": "heatmap", "n": 0},
        lambda: _map(_period(days), measure, site, scheme),
    )


def _map(days: int, measure: str | None, site: int | None, scheme: str | None) -> Any:
    report = queries.scores.heatmap(days, site, utcnow())
    if not report["punches"]:
        notice = states.empty(
            "No scored punches in this period",
            "Cells fill as guards punch in and out and their punches are scored.",
            mark="grid",
        )
        return html.Div(notice, className="panel")
    report["sites"].sort(key=lambda row: (-flagged(row), row["site_name"]))
    chart = fraud_heatmap.figure(
        report,
        _measure(measure),
        "light" if scheme == "light" else "dark",
    )
    return html.Div(
        [
            html.Div(
                [html.H2(finding(report)), html.P(_subtitle(report))],
                className="lede",
            ),
            html.Div(
                [
                    scale(report["threshold"], dict(_MEASURES).get(measure or "", "Highest score")),
                    html.Div(
                        dcc.Graph(
                            id="heatmap-graph",
                            figure=chart,
                            config={"displayModeBar": False, "responsive": True},
                            style={"height": f"{chart.layout.height}px"},
                        ),
                        className="wide-chart",
                    ),
                ],
                className="panel chart-panel",
            ),
        ],
        className="page",
    )


def flagged(site: dict[str, Any]) -> int:
    """Punches of the site at or above the threshold."""
    pairs = zip(site["share"], site["count"], strict=True)
    return sum(round(share * n) for share, n in pairs if share is not None)


def finding(report: dict[str, Any]) -> str:
    """The page's title: what the map shows, in one sentence."""
    threshold = f"{report['threshold']:.2f}"
    per_site = [flagged(site) for site in report["sites"]]
    total = sum(per_site)
    if not total:
        return f"No punch scored {threshold} or more"
    top = max(range(len(per_site)), key=per_site.__getitem__)
    name = report["sites"][top]["site_name"]
    if len(per_site) == 1 or per_site[top] == total:
        return f"{words.count(total, 'punch', 'punches')} scored {threshold} or more, at {name}"
    return f"{name} has {per_site[top]} of the {total} punches that scored {threshold} or more"


def _subtitle(report: dict[str, Any]) -> str:
    first, last = (dt.datetime.fromisoformat(report[end]) for end in ("from", "to"))
    measured = sum(any(site["count"]) for site in report["sites"])
    punches = words.count(report["punches"], "scored punch", "scored punches")
    return (
        f"{first:%d %b} to {last:%d %b %Y}. {punches} "
        f"at {words.count(measured, 'site')}. Hours are on each site's own clock. "
        "Choose a cell to see its punches."
    )


def scale(threshold: float, name: str) -> html.Div:
    """The colours' meaning, with the threshold on it, and the grey of what is not measured."""
    return html.Div(
        [
            html.Span(name, className="muted"),
            html.Span("0", className="num"),
            html.Span(
                html.Span(
                    html.Span(f"ticket {threshold:.2f}"),
                    className="scale-tick",
                    style={"left": f"{threshold * 100:.1f}%"},
                ),
                className="scale-ramp",
            ),
            html.Span("1", className="num"),
            html.Span(className="scale-none"),
            html.Span("nobody punched", className="muted"),
        ],
        className="scale",
        role="img",
        **aria(label=f"{name} from 0 to 1; a ticket opens from {threshold:.2f}; grey: no punches"),
    )


class Cell(TypedDict):
    """A cell of the map: the site's id, and the hour of its week."""

    y: Id
    x: Annotated[int, Field(ge=0, lt=168)]


class Click(TypedDict):
    """What the chart tells of a click."""

    points: Annotated[list[Cell], Field(min_length=1)]


def drill(click: Click | None, days: Choice) -> Any:
    """The punches of the clicked cell, highest score first."""
    check(FRAUD_VIEW)
    if not click:
        raise PreventUpdate
    point = click["points"][0]
    site_id, hour = point["y"], point["x"]
    scores = queries.scores.cell_scores(site_id, hour, _period(days), utcnow(), DRILL)
    day, clock = divmod(hour, 24)
    when = f"{words.WEEKDAYS[day]} {clock:02}:00 to {clock + 1:02}:00"
    site = queries.reader.sites().get(str(site_id), {"name": "This site"})
    if not scores:
        notice = states.empty("Nobody punched in this hour", "A grey cell is not a zero.")
        return marks.section(f"{site['name']}, {when}", notice, id="drill")
    threshold = queries.reader.ticket_threshold(site_id)
    rows = [html.Li(_punch(score, threshold)) for score in scores]
    shown = f"the {DRILL} highest of this hour" if len(scores) == DRILL else None
    return marks.section(
        f"{site['name']}, {when}",
        html.Div(
            [html.Ul(rows, className="punches"), evidence.doubt(scores[0]["model_version"])],
            className="section-body",
        ),
        aside=html.Span(shown or words.count(len(scores), "punch", "punches"), className="muted"),
        id="drill",
    )


def _punch(score: dict[str, Any], threshold: float) -> list[Any]:
    return [
        html.Div(
            [
                marks.person(score["person_id"], score["person_name"]),
                evidence.punch_head(score, score["timezone"], threshold),
            ],
            className="punch-line",
        ),
        evidence.reasons(score["reasons"]) if score["reasons"] else None,
    ]


def _measure(wanted: str | None) -> Literal["max", "mean"]:
    return "mean" if wanted == "mean" else "max"


def _period(days: str | None) -> int:
    return int(days) if days and days in map(str, PERIODS) else 30

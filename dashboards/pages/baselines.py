"""Baselines: what is usual on a site through the week, and who says when it is not."""

from __future__ import annotations

from typing import Annotated, Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate
from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from dashboards import browser, callbacks, exports, marks, queries, states, words
from dashboards.baselines import changing, hour
from dashboards.callbacks import Choice, Clicks, Id, Note, SiteChoice
from dashboards.detail import parts
from dashboards.figures import baseline_week
from dashboards.marks import aria
from noc.audit.models import METRICS
from noc.audit.week import WEEK, Week
from noc.database.base import utcnow
from noc.identity.capabilities import ADMIN
from noc.identity.guard import check, check_whole_tenant

TITLE = "Baselines"

_ASKS = ("pin", "let-go", "reset")

Number = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None,
    BeforeValidator(lambda value: None if value == "" else value),
]
"""A number field, which is empty until somebody types."""


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?site=&metric=&hour=`` choose from a link."""
    sites = queries.reader.sites()
    if not sites:
        return html.Div(
            states.empty("No sites", "What is usual is learned site by site."), className="panel"
        )
    site = query.get("site")
    metric = query.get("metric")
    return html.Div(
        [
            dcc.Store(id="baselines-one"),
            dcc.Store(id="baselines-before"),
            dcc.Store(id="baselines-changed", data=0),
            html.Div(
                [
                    dmc.Select(
                        id="baselines-site",
                        value=site if site in sites else next(iter(sites)),
                        data=[{"value": key, "label": one["name"]} for key, one in sites.items()],
                        allowDeselect=False,
                        searchable=True,
                        className="baseline-site",
                        **aria(label="Site"),
                    ),
                    dmc.Select(
                        id="baselines-metric",
                        value=metric if metric in METRICS else METRICS[0],
                        data=[
                            {"value": name, "label": words.say(words.METRIC, name)}
                            for name in METRICS
                        ],
                        allowDeselect=False,
                        className="toolbar-select",
                        **aria(label="What is counted"),
                    ),
                    dmc.Select(
                        id="baselines-hour",
                        value=query.get("hour"),
                        data=[
                            {"value": str(slot), "label": baseline_week.hour_name(slot)}
                            for slot in range(WEEK)
                        ],
                        placeholder="This hour",
                        searchable=True,
                        clearable=True,
                        className="toolbar-select",
                        **aria(label="Hour of the week"),
                    ),
                ],
                className="toolbar",
            ),
            html.Div(states.skeleton(48, 440), id="baselines-week", className="stack"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div(states.skeleton(240), id="baselines-hour-part"),
                            hour.form(),
                        ],
                        className="stack",
                    ),
                    html.Div(states.skeleton(160), id="baselines-changes"),
                ],
                className="baseline-columns",
            ),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Draw when a choice, the colours or a threshold change."""
    choices = [Input("baselines-site", "value"), Input("baselines-metric", "value")]
    chosen = [Input("baselines-hour", "value"), Input("baselines-changed", "data")]
    callbacks.register(
        ui,
        show,
        Output("baselines-week", "children"),
        *choices,
        *chosen,
        Input("scheme", "data"),
        Input({"type": "retry", "page": "baselines", "n": ALL}, "n_clicks"),
        running=[(Output("baselines-week", "className"), "stack is-loading", "stack")],
    )
    callbacks.register(
        ui,
        detail,
        Output("baselines-hour-part", "children"),
        Output("baselines-changes", "children"),
        Output("baselines-one", "data"),
        *choices,
        *chosen,
    )
    callbacks.register(
        ui,
        step,
        Output("baselines-confirm", "children"),
        Output("baselines-changed", "data"),
        Output("baselines-before", "data"),
        Input({"type": "baseline-step", "step": ALL}, "n_clicks"),
        State("baselines-site", "value"),
        State("baselines-metric", "value"),
        State("baselines-hour", "value"),
        State("baselines-threshold", "value"),
        State("baselines-reason", "value"),
        State("baselines-one", "data"),
        State("baselines-before", "data"),
        State("baselines-changed", "data"),
        prevent_initial_call=True,
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.keep_address(ui, "baselines-site", "baselines-metric", "baselines-hour")
    browser.call(ui, "chooseHour", done, Input("baselines-graph", "clickData"), on_load=False)
    callbacks.register(
        ui,
        forget,
        Output("baselines-confirm", "children", allow_duplicate=True),
        Input("baselines-site", "value"),
        Input("baselines-metric", "value"),
        Input("baselines-hour", "value"),
        Input("baselines-threshold", "value"),
        prevent_initial_call=True,
    )


def show(
    site: SiteChoice,
    metric: Choice,
    chosen: Choice,
    _changed: Clicks,
    scheme: Choice,
    _retries: Clicks = None,
) -> Any:
    """The finding, the week and what its bands rest on."""
    return states.or_failed(
        "The week",
        {"type": "retry", "page": "baselines", "n": 0},
        lambda: _show(site, _metric(metric), chosen, scheme),
    )


def _show(site: int | None, metric: str, chosen: str | None, scheme: str | None) -> Any:
    now = utcnow()
    shown = queries.baselines.of_week(site, metric, now) if site else None
    if shown is None:
        return html.Div(states.not_found("site"), className="panel")
    if all(one.baseline is None for one in shown.expected) and not shown.heard:
        notice = states.empty(
            "Nothing is usual here yet",
            "Every hour the audit learns from the guards on duty whose phones were heard; an "
            "hour is judged from 30 samples on.",
            mark="band",
        )
        return html.Div(notice, className="panel")
    unit = f"{words.say(words.METRIC, metric)} of a guard in an hour"
    names = queries.baselines.names({one.person_id for one in shown.heard})
    slot = _slot(chosen, shown.zone)
    chart = baseline_week.figure(shown, unit, names, slot, "light" if scheme == "light" else "dark")
    return [
        html.Div(
            [html.H2(finding(shown)), html.P(_subtitle(shown, metric))], className="lede"
        ),
        html.Div(
            [
                html.Div([_scale(shown), exports.chart("baselines-graph", f"baseline-{metric}")],
                         className="baseline-head"),
                dcc.Graph(
                    id="baselines-graph",
                    figure=chart,
                    config={"displayModeBar": False, "responsive": True},
                    style={"height": f"{baseline_week.HEIGHT}px"},
                ),
            ],
            className="panel chart-panel baseline-chart",
        ),
    ]  # fmt: skip


def finding(shown: Week) -> str:
    """The chart's title: what last week was like, in one sentence."""
    if not shown.heard:
        return "Nobody was heard on duty here last week"
    odd = sum(one.unusual for one in shown.heard)
    hours = words.count(len(shown.heard), "guard's hour", "guards' hours")
    if not odd:
        return f"None of {hours} last week was unusual"
    return f"{odd} of {hours} last week {'was' if odd == 1 else 'were'} unusual"


def _subtitle(shown: Week, metric: str) -> str:
    return (
        f"{shown.start:%d %b} to {shown.end:%d %b %Y}, {words.say(words.METRIC, metric).lower()} "
        "of each guard in each whole hour on duty. The band is the mean ± threshold × deviation; "
        "the line is the mean. Choose an hour to see what it rests on."
    )


def _scale(shown: Week) -> html.Ul:
    counts = baseline_week.levels(shown)
    items = [
        html.Li(
            [
                html.I(
                    className=f"baseline-swatch baseline-{level.replace('_', '-')}",
                    **aria(hidden="true"),
                ),
                f"{words.say(words.BASELINE_LEVEL, level)}: {words.count(counts[level], 'hour')}",
            ]
        )
        for level in words.BASELINE_LEVEL
        if counts[level]
    ]
    return html.Ul(items, className="legend baseline-legend", **aria(label="What judges an hour"))


def detail(
    site: SiteChoice, metric: Choice, chosen: Choice, _changed: Clicks = None
) -> tuple[Any, Any, Any]:
    """The baseline of the chosen hour, the changes of thresholds, and which one it is."""
    now, name = utcnow(), _metric(metric)
    hours = queries.baselines.expected(site, name) if site else []
    if site is None or not hours:
        return states.not_found("site"), None, None
    zone = queries.reader.zone(site) or "UTC"
    one = hours[_slot(chosen, zone)]
    found = one.baseline
    unit = f"{words.say(words.METRIC, name)} of a guard in an hour"
    judged = queries.baselines.judged(found, now) if found else (0, 0)
    learned = queries.baselines.learned(found.id) if found else {}
    return (
        hour.panel(one, judged, learned, zone, unit),
        _changes(queries.baselines.changes(site, name), zone),
        {"id": found.id, "held": found.pinned_threshold, "slot": one.slot} if found else None,
    )


def _changes(rows: list[dict[str, Any]], zone: str) -> html.Section:
    steps = [
        html.Li(
            [
                html.Div(
                    [
                        html.Span(
                            f"{words.say(words.BASELINE_CHANGE, row['action'])}, "
                            f"{row['old_threshold']:g} to {row['new_threshold']:g} deviations"
                        ),
                        html.Span(f"by {row['user_name'] or 'the weekly tuning'}"),
                        marks.moment(row["at"], zone),
                    ],
                    className="step-head",
                ),
                html.P(f"{_scope(row)}. {row['reason']}"),
            ]
        )
        for row in rows
    ]
    nothing = html.P(
        "No threshold has changed yet. The tuning looks every Sunday at what people said of the "
        "alerts.",
        className="muted",
    )
    return marks.section(
        "Changes of thresholds",
        html.Div(html.Ol(steps, className="steps") if steps else nothing,
                 className="section-body"),
        aside=html.Span(f"the last {len(rows)}" if rows else "", className="muted"),
    )  # fmt: skip


def _scope(row: dict[str, Any]) -> str:
    if row["level"] == "hour_of_week":
        return baseline_week.hour_name(row["slot"])
    if row["level"] == "hour_of_day":
        return f"Every day {row['slot']:02}:00"
    return "All hours"


class One(TypedDict):
    """The baseline on the page: its id, its pinned threshold before, and the hour it was shown

    for.
    """

    id: Id
    held: Number
    slot: Annotated[int, Field(ge=0, lt=WEEK)]


def step(
    _clicks: Clicks,
    site: SiteChoice,
    metric: Choice,
    _hour: Choice,
    threshold: Number,
    reason: Note,
    one: One | None,
    before: One | None,
    changed: Clicks,
) -> tuple[Any, Any, Any]:
    """Ask before a change, or make it; the truth is read anew after it.

    403 for whoever is no administrator of the whole company.
    """
    if not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
        raise PreventUpdate
    check(ADMIN)
    user_id = check_whole_tenant().user_id
    name = str(ctx.triggered_id["step"])
    words_ = (reason or "").strip()
    if name == "no" or site is None or one is None:
        return None, no_update, no_update
    if name in _ASKS:
        shown = queries.baselines.of_week(site, _metric(metric), utcnow())
        if shown is None:
            return states.not_found("site"), no_update, no_update
        asked = shown.expected[one["slot"]]
        if asked.baseline is None or asked.baseline.id != one["id"]:
            return _moved(), no_update, no_update
        return (
            changing.ask(name, asked, shown, _metric(metric), threshold, words_),
            no_update,
            no_update,
        )
    again = (changed if isinstance(changed, int) else 0) + 1
    if name == "undo":
        if before is None:
            return None, no_update, no_update
        said = changing.change(name, before["id"], before["held"], words_, user_id)
        return said, again, None
    # What the page shows is read anew; what was held before is kept for the way back.
    return changing.change(name, one["id"], threshold, words_, user_id), again, one


def _moved() -> Any:
    return parts.problem("Another baseline judges this hour by now. Look at it again first.")


def forget(_site: Choice, _metric_: Choice, _hour: Choice, _threshold: Clicks = None) -> Any:
    """A question about another hour or another threshold is no longer asked."""
    return None


def _metric(metric: str | None) -> str:
    return metric if metric in METRICS else METRICS[0]


def _slot(chosen: str | None, zone: str) -> int:
    if chosen and chosen.isdecimal() and int(chosen) < WEEK:
        return int(chosen)
    return baseline_week.now_slot(utcnow(), zone)

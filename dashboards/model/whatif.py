"""What if tickets opened from another score, or there were time for only so many a week."""

from __future__ import annotations

from typing import Annotated, Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, html
from pydantic import BeforeValidator, Field

from dashboards import browser, callbacks, marks, queries, states, theme, words
from dashboards.callbacks import Choice, Clicks
from dashboards.figures import what_if as figures
from dashboards.marks import aria
from dashboards.model import sight
from dashboards.model.charts import chart, span
from noc.identity.capabilities import FRAUD_REVIEW
from noc.identity.guard import check
from noc.identity.principal import required_principal

WEEK = 7
SPANS = (7, 30, 90)
MOST_A_WEEK = 7_000_000
"""A million tickets a day: what the what-if takes at most."""


def _number(value: Any) -> Any:
    return None if value == "" else value


Share = Annotated[float, Field(ge=0, le=1)] | None
Budget = Annotated[
    Annotated[float, Field(gt=0, le=MOST_A_WEEK, allow_inf_nan=False)] | None,
    BeforeValidator(_number),
]
"""Tickets a week, or nothing yet."""


def layout(query: dict[str, str]) -> Any:
    """The controls, as the address has them (``?ask=&threshold=&budget=&span=``).

    Nothing for whoever may not ask: REST has it behind the same capability.
    """
    if not required_principal().may(FRAUD_REVIEW):
        return None
    in_force = queries.reader.ticket_threshold()
    by_budget = query.get("ask") == "budget"
    return marks.section(
        "What if the threshold were another",
        html.Div(
            [
                html.Div(
                    [
                        dmc.SegmentedControl(
                            id="model-ask",
                            value="budget" if by_budget else "threshold",
                            data=[
                                {"value": "threshold", "label": "By score"},
                                {"value": "budget", "label": "By work"},
                            ],
                            **aria(label="What is given"),
                        ),
                        dmc.SegmentedControl(
                            id="model-span",
                            value=str(_span(query.get("span"))),
                            data=[{"value": str(n), "label": f"{n} days"} for n in SPANS],
                            **aria(label="Period"),
                        ),
                        html.Div(
                            [
                                html.Label("Tickets open from a score of", id="model-slider-label"),
                                dmc.Slider(
                                    id="model-threshold",
                                    value=_share(query.get("threshold"), in_force),
                                    min=0,
                                    max=1,
                                    step=0.01,
                                    precision=2,
                                    updatemode="mouseup",
                                    marks=[{"value": in_force, "label": f"now {in_force:.2f}"}],
                                    thumbLabel="Tickets open from a score of",
                                    className="whatif-slider",
                                ),
                            ],
                            id="model-by-threshold",
                            className="whatif-given",
                            hidden=by_budget,
                        ),
                        html.Div(
                            dmc.NumberInput(
                                id="model-budget",
                                label="There is time for so many tickets a week",
                                value=_week(query.get("budget")),
                                min=1,
                                max=MOST_A_WEEK,
                                debounce=400,
                                className="whatif-budget",
                            ),
                            id="model-by-budget",
                            className="whatif-given",
                            hidden=not by_budget,
                        ),
                    ],
                    className="whatif-controls",
                ),
                html.Div(states.skeleton(120, 280), id="model-whatif"),
            ],
            className="section-body whatif",
        ),
    )


def register(ui: Dash) -> None:
    """Ask again when something given changes."""
    callbacks.register(
        ui,
        show,
        Output("model-whatif", "children"),
        Input("model-ask", "value"),
        Input("model-threshold", "value"),
        Input("model-budget", "value"),
        Input("model-span", "value"),
        Input("scheme", "data"),
        Input({"type": "retry", "page": "model-whatif", "n": ALL}, "n_clicks"),
        running=[(Output("model-whatif", "className"), "is-loading", "")],
    )
    names = ("ask", "threshold", "budget", "span")
    browser.keep_address(ui, *(f"model-{name}" for name in names))
    browser.call(
        ui,
        "whatIfGiven",
        Output("model-by-threshold", "hidden"),
        Output("model-by-budget", "hidden"),
        Input("model-ask", "value"),
        on_load=False,
    )


def show(
    ask: Choice,
    threshold: Share,
    budget: Budget,
    days: Choice,
    scheme: Choice = None,
    _retries: Clicks = None,
) -> Any:
    """What it would have meant, beside what is; 403 without ``security:fraud:review``."""
    sight.look()
    check(FRAUD_REVIEW)
    by_budget = ask == "budget"
    if by_budget and budget is None:
        why = "Say how many tickets a week there is time for."
        return states.empty("How many?", why, mark="ticket")
    return states.or_failed(
        "The what-if",
        {"type": "retry", "page": "model-whatif", "n": 0},
        lambda: _content(
            None if by_budget else threshold,
            budget / WEEK if by_budget and budget else None,
            _span(days),
            "light" if scheme == "light" else "dark",
        ),
    )


def _content(
    threshold: float | None, budget: float | None, days: int, scheme: theme.Scheme
) -> html.Div | html.Section:
    found = queries.models.what_if(threshold, budget, days)
    if not found["punches"]:
        why = "Choose a longer period, or come back when punches were scored."
        return states.empty("No scored punches in this period", why, mark="curve")
    period = (
        f"{span(found['from'], found['to'])}, "
        f"{words.count(found['punches'], 'scored punch', 'scored punches')}, "
        f"{found['reviewed']:,} reviewed"
    )
    return html.Div(
        [
            html.P(sentence(found), className="model-sentence", role="status"),
            _table(found),
            html.P(_rests(found), className="muted"),
            html.Div(
                [
                    chart(
                        "work",
                        "How much work it would have been",
                        f"Tickets a week, and the false alarms among them with the 90 % interval "
                        f"of their share. {period}.",
                        figures.work(found, scheme),
                    ),
                    chart(
                        "yield",
                        "How much it would have found, and how much was right",
                        f"Shares of frauds found and of flags that are fraud, 90 % bands. "
                        f"{period}.",
                        figures.found_and_right(found, scheme),
                    ),
                ],
                className="model-charts",
            ),
        ],
        className="stack",
    )


def sentence(found: dict[str, Any]) -> str:
    """What would have been other, in one sentence."""
    asked, now = found["asked"], found["in_force"]
    score = asked["threshold"]
    begin = f"From {score:.2f} on"
    if found["budget"] is not None:
        if not found["within_budget"]:
            return (
                f"No threshold keeps to {_rate(found['budget'])} tickets a week: even from "
                f"{score:.2f} on there would have been {_rate(asked['tickets_per_day'])}."
            )
        begin = f"To keep to {_rate(found['budget'])} tickets a week, from {score:.2f} on"
    if abs(score - now["threshold"]) < 1e-9:
        return f"{begin}, as it is now."
    tickets = (asked["tickets_per_day"] - now["tickets_per_day"]) * WEEK
    caught = caught_frauds(asked) - caught_frauds(now)
    work = f"{_more(tickets)} tickets a week" if abs(tickets) >= 0.05 else "as many tickets"
    more = f"{abs(caught):,} {'more' if caught > 0 else 'fewer'} known"
    change = (
        f"{more} {'fraud' if abs(caught) == 1 else 'frauds'} found" if caught else "as many found"
    )
    return f"{begin}: {work}, and {change} in the period."


def caught_frauds(point: dict[str, Any]) -> int:
    """Punches over the threshold that were reviewed and found fraud."""
    precision = point["precision"]["value"]
    return 0 if precision is None else round(precision * point["reviewed"])


def _more(tickets: float) -> str:
    return f"{abs(tickets):.1f} {'more' if tickets > 0 else 'fewer'}"


def _rate(a_day: float) -> str:
    return f"{a_day * WEEK:.1f}".removesuffix(".0")


def _table(found: dict[str, Any]) -> html.Div:
    points = [("Now", found["in_force"]), ("Asked", found["asked"])]
    rows = [
        ("Tickets a week", [f"{one['tickets_per_day'] * WEEK:.1f}" for _, one in points]),
        ("Punches over it, a week", [f"{one['punches_per_day'] * WEEK:.1f}" for _, one in points]),
        ("Known frauds over it", [f"{caught_frauds(one):,}" for _, one in points]),
        ("Frauds found", [_share_told(one["recall"]) for _, one in points]),
        ("Flags that are fraud", [_share_told(one["precision"]) for _, one in points]),
        ("False alarms a week", [_alarms(one) for _, one in points]),
    ]
    head = [html.Th("", scope="col")] + [
        html.Th(f"{name}, from {one['threshold']:.2f} on", scope="col", className="num")
        for name, one in points
    ]
    body = [
        html.Tr([html.Th(name, scope="row"), *(html.Td(v, className="num") for v in values)])
        for name, values in rows
    ]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(body)], className="whatif-table")
    return html.Div(table, className="whatif-frame")


def _share_told(share: dict[str, float | None]) -> str:
    value, low, high = share["value"], share["low"], share["high"]
    if value is None or low is None or high is None:
        return "not known"
    return f"{value:.0%} ({low:.0%} to {high:.0%})"


def _alarms(point: dict[str, Any]) -> str:
    if point["precision"]["value"] is None:
        return "not known"
    found = figures.false_alarms(point)
    return f"{found['value']:.1f} ({found['low']:.1f} to {found['high']:.1f})"


def _rests(found: dict[str, Any]) -> str:
    """What to be careful about."""
    basis = (
        "Frauds found is told from random audits."
        if found["recall_basis"] == "random audits"
        else "Frauds found is told from reviewed punches, which flatters: what was never "
        "suspected was hardly looked at."
    )
    return (
        f"In brackets: the interval that holds the true value nine times in ten. {basis} "
        "Tickets are counted as they open: what comes while one is held for the same person and "
        "kind joins it."
    )


def _span(days: str | None) -> int:
    return int(days) if days and days in map(str, SPANS) else 30


def _share(text: str | None, otherwise: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return value if 0 <= value <= 1 else otherwise


def _week(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value <= MOST_A_WEEK else None

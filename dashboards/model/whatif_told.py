"""What another threshold would have meant: in a sentence, a table, and charts."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import exports, queries, states, theme, words
from dashboards.figures import what_if as figures
from dashboards.model.charts import chart, span

WEEK = 7


def content(
    threshold: float | None, budget: float | None, days: int, scheme: theme.Scheme
) -> html.Div | html.Section:
    """What would have been, beside what is; ``budget`` in tickets a day."""
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
    table = html.Table(
        [html.Thead(html.Tr(head)), html.Tbody(body)], className="whatif-table", id="model-what-if"
    )
    return html.Div(
        [table, exports.rows("model-what-if", "model-what-if")], className="whatif-frame"
    )


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

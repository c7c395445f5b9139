"""Beside the punch: how far today's work has come, what waits, and the last verdicts."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks
from dashboards.marks import aria, data

VERDICT = {"CONFIRMED": "Fraud", "FALSE_POSITIVE": "Genuine"}


def done(told: dict[str, Any]) -> html.Div:
    """Today's verdicts against the budget, and the reader's last five."""
    return html.Div([_today(told), _latest(told["latest"])], className="stack")


def waiting(queue: dict[str, Any]) -> html.Section:
    """How many punches wait, by why one would look at them."""
    counts, audits = queue["waiting"], queue["audits"]
    pairs = [
        ("Random audits", f"{counts['random audit']:,}"),
        (f"Score from {queue['threshold']:.2f}", f"{counts['highest score']:,}"),
        ("Just below", f"{counts['most uncertain']:,}"),
        ("Unlabelled", f"{counts['total']:,}"),
    ]
    share = f"{audits['labelled']:,} of {audits['drawn']:,} random audits have a verdict."
    return marks.section(
        "Waiting",
        html.Div(
            [
                html.Dl(
                    [html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs],
                    className="review-counts",
                ),
                html.P(share, className="muted small") if audits["drawn"] else None,
            ],
            className="section-body",
        ),
        aside=html.Span(f"{queue['days']} days", className="muted"),
    )


def _today(told: dict[str, Any]) -> html.Section:
    given, budget = told["given"], told["budget"]
    share = min(given / budget, 1) if budget else 0
    return marks.section(
        "Today",
        html.Div(
            [
                html.P(
                    [html.Span(f"{given:,}", className="review-given"), f" of {budget:,} verdicts"],
                ),
                html.Div(
                    html.Span(style={"width": f"{share:.1%}"}),
                    className="review-bar",
                    role="progressbar",
                    **aria(
                        label="Verdicts today", valuenow=str(given), valuemax=str(max(budget, 1))
                    ),
                ),
                html.P(f"{told['mine']:,} of them yours", className="muted small"),
            ],
            className="section-body",
        ),
        aside=html.Span("since 00:00 UTC", className="muted"),
    )


def _latest(latest: list[dict[str, Any]]) -> html.Section:
    rows = [
        html.Li(
            [
                html.Button(
                    item["person_name"], className="text-btn", title="Show this punch again",
                    **data(**{"review-show": item["prediction_id"]}),
                ),
                html.Span(VERDICT[item["verdict"]], className=f"said-{item['verdict'].lower()}"),
                marks.moment(item["labelled_at"]),
                html.Button(
                    "Undo", className="btn btn-small",
                    **aria(label=f"Take back: {item['person_name']}"),
                    **data(**{"review-undo": item["prediction_id"], "verdict": item["verdict"]}),
                ),
                html.P(item["note"], className="muted small") if item["note"] else None,
            ]
        )
        for item in latest
    ]  # fmt: skip
    nothing = html.P("None yet.", className="muted pad")
    body: Any = html.Ul(rows, className="review-last") if rows else nothing
    return marks.section("Your last verdicts", body)

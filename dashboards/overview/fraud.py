"""Fraud so far today against what is usual by this hour, in a sentence and on a line."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks, states, words
from dashboards.marks import aria
from dashboards.overview.numbers import Numbers
from dashboards.overview.parts import address, number
from noc.fraud.so_far import DAYS, ENOUGH, FraudSoFar, SoFar, Usual
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.principal import required_principal

_TITLE = "Fraud today"


def fraud(numbers: Numbers) -> html.Section:
    """Punches over the threshold and anomalies, each beside its usual range."""
    if not required_principal().may(FRAUD_VIEW):
        body: Any = states.forbidden("How much fraud there is today", FRAUD_VIEW)
        return marks.section(_TITLE, body)
    found = numbers.fraud
    if not found.punches and not found.days:
        body = states.empty(
            "No punch has been scored yet",
            "Today's numbers and the usual ones come from the punches of your guards.",
            mark="pulse",
        )
        return marks.section(_TITLE, body)
    threshold = numbers.settings.tenant.fraud_score_ticket_threshold
    return marks.section(
        _TITLE,
        html.Div(
            [
                html.P(sentence(found), className="over-sentence"),
                _line(
                    found.over,
                    f"Punches scored {threshold:.2f} or more",
                    address("heatmap", days=7),
                ),
                _line(
                    found.anomalies,
                    "Suspicious punches",
                    address("alerts", state="all", type="fraud", age="24h"),
                ),
                html.P(_rests_on(found), className="muted"),
            ],
            className="section-body over-fraud",
        ),
    )


def sentence(found: FraudSoFar) -> str:
    """The finding: how today compares."""
    count = found.over.today
    begun = f"{words.count(count, 'punch', 'punches')} reached the ticket threshold so far today"
    known = found.over.usual
    if known is None:
        return (
            f"{begun}. What is usual can be said after {ENOUGH} days with punches; "
            f"so far there are {found.days}."
        )
    return f"{begun}, {judgement(count, known)}: by this hour it is usually {said(known)}."


def _rests_on(found: FraudSoFar) -> str:
    """Period and number behind the lines."""
    scored = words.count(found.punches, "scored punch", "scored punches")
    days = f"the last {DAYS} days"
    if found.days < DAYS:
        days = f"{found.days} of {days}, those with punches"
    return (
        f"{scored} since midnight at each site. Usual, the line, is the median of {days} up to "
        "this hour; the bar is what 8 in 10 of them had, the dot is today."
    )


def judgement(count: int, known: Usual) -> str:
    """Whether the number is outside what 8 in 10 days had."""
    if count > known.most:
        return f"more than on any of the last {DAYS} days"
    if count > known.high:
        return "more than usual"
    return "fewer than usual" if count < known.low else "as usual"


def said(known: Usual) -> str:
    """ "2, on 8 of 10 days 0 to 6"."""
    span = str(known.low) if known.low == known.high else f"{known.low} to {known.high}"
    return f"{known.median:g}, on 8 of 10 days {span}"


def _line(found: SoFar, name: str, href: str) -> html.Div:
    known = found.usual
    head = [
        html.Span(name),
        number(found.today, href, f"{name.lower()} today", strong=True),
    ]
    if known is None:
        return html.Div(html.Div(head, className="usual-head"), className="usual")
    end = max(found.today, known.most, 1)

    def at(value: float) -> str:
        return f"{value / end * 100:.1f}%"

    track = [
        html.I(
            className="usual-range",
            style={"left": at(known.low), "width": at(known.high - known.low)},
        ),
        html.I(className="usual-median", style={"left": at(known.median)}),
        html.I(className="usual-today", style={"left": at(found.today)}),
    ]
    text = f"{name}: {found.today} today; usually {said(known)}"
    return html.Div(
        [
            html.Div(head, className="usual-head"),
            html.Div(
                [
                    html.Span("0", className="num"),
                    html.Span(track, className="usual-track", role="img", **aria(label=text)),
                    html.Span(f"{end:,}", className="num"),
                ],
                className="usual-scale",
            ),
        ],
        className="usual",
        title=text,
    )

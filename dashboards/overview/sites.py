"""Sites by trouble, and how the rank is made."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards import exports, marks, states, words
from dashboards.overview.numbers import Numbers
from dashboards.overview.parts import address, number
from dashboards.queries.overview import AWAY, POINTS, SiteTrouble
from noc.domain import SEVERITIES

SHOWN = 8

RANK = (
    "Points of a site: an open alert counts {CRITICAL} if critical, {HIGH} high, {MEDIUM} medium, "
    "{LOW} low; a fraud alert of the last 24 h {fraud} more; an overdue ticket {overdue}; a guard "
    "silent or off post {away}. Muted alerts do not count."
).format(**POINTS)


def sites(numbers: Numbers) -> html.Section:
    """The most troubled sites with what their points are made of."""
    every = numbers.sites
    troubled = [site for site in every if site.points]
    if not every:
        body: Any = states.empty(
            "No sites yet",
            "Sites come in from your systems over REST or by import; their troubles are ranked "
            "here.",
            mark="pin",
        )
    elif not troubled:
        quiet = words.count(len(every), "site is", "sites are")
        body = states.empty("No site is in trouble", f"{quiet} quiet.")
    else:
        foot = html.P(_foot(len(every), len(troubled)), className="muted over-foot")
        body = html.Div([_table(troubled[:SHOWN]), foot])
    return marks.section(
        "Sites by trouble",
        body,
        aside=html.Span(
            [
                html.Span("the most troubled first", className="muted"),
                exports.rows("overview-sites", "sites-by-trouble") if troubled else None,
            ],
            className="exports exports-said",
        ),
        className="over-wide",
    )


def _foot(every: int, troubled: int) -> str:
    quiet = every - troubled
    more = (
        f"{words.count(troubled - SHOWN, 'more site')} with trouble. " if troubled > SHOWN else ""
    )
    rest = f"{words.count(quiet, 'site')} quiet. " if quiet else ""
    return f"{more}{rest}{RANK}"


def _table(shown: list[SiteTrouble]) -> html.Table:
    names = ("Site", "Open alerts", "Overdue", "Fraud in 24 h", "Silent, off post", "Points")
    most = shown[0].points
    return html.Table(
        [
            html.Thead(html.Tr([html.Th(name, scope="col") for name in names])),
            html.Tbody([_row(site, most) for site in shown]),
        ],
        className="ages trouble",
        id="overview-sites",
    )


def _row(site: SiteTrouble, most: int) -> html.Tr:
    at = f"at {site.name}"
    alerts = address("alerts", state="open", site=site.id)
    return html.Tr(
        [
            html.Th(
                dcc.Link(site.name, href=alerts, className="link"), scope="row", title=site.name
            ),
            html.Td(
                html.Div(
                    [_worst(site), number(site.alerts, alerts, f"open alerts {at}")],
                    className="trouble-alerts",
                )
            ),
            html.Td(
                number(
                    site.counts["overdue"],
                    address("tickets", view="overdue", site=site.id),
                    f"overdue tickets {at}",
                )
            ),
            html.Td(
                number(
                    site.counts["fraud"],
                    address("alerts", state="all", type="fraud", site=site.id, age="24h"),
                    f"fraud alerts in 24 hours {at}",
                )
            ),
            html.Td(_away(site)),
            html.Td(
                [
                    html.Span(
                        html.I(style={"width": f"{site.points / most * 100:.0f}%"}),
                        className="points-bar",
                        **marks.aria(hidden="true"),
                    ),
                    html.Span(f"{site.points:,}", className="num"),
                ],
                className="points",
                title=RANK,
            ),
        ]
    )


def _worst(site: SiteTrouble) -> html.Span | None:
    """How many of the worst severity there are, since eight low ones are no critical one."""
    worst = next((code for code in reversed(SEVERITIES) if site.counts[code]), None)
    if worst is None:
        return None
    return html.Span(
        [marks.severity(worst), f" {site.counts[worst]}"],
        className="worst",
    )


def _away(site: SiteTrouble) -> Any:
    """The newest finding opens beside the page."""
    count = site.counts["away"]
    if not count or site.finding_id is None:
        return number(0, "", "")
    named = " or ".join(words.say(words.FINDING, code).lower() for code in AWAY)
    return html.Button(
        f"{count:,}",
        className="text-btn count",
        title=f"{words.count(count, 'finding')}: {named}. Opens the newest.",
        **marks.data(open=f"finding:{site.finding_id}"),
        **marks.aria(label=f"{count} silent or off post at {site.name}; opens the newest finding"),
    )

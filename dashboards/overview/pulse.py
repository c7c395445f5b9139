"""Who is on duty, how long things waited, and how the feed is."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards import marks, states, words
from dashboards.overview.numbers import Numbers
from dashboards.overview.parts import address, long_span
from dashboards.queries.overview import RESPONSE_DAYS
from noc.audit.presence import Present

SILENT = 4
"""Guards who are named."""

_TIMES = (
    (
        "acknowledge",
        "Alerts acknowledged",
        "MTTA, mean time to acknowledge: the sum of (acknowledged − began) of all alerts "
        f"acknowledged in the last {RESPONSE_DAYS} days, divided by their number.",
        address("alerts", state="ACKNOWLEDGED"),
    ),
    (
        "resolve",
        "Alerts resolved",
        "MTTR, mean time to resolve: the sum of (resolved − began) of all alerts resolved in the "
        f"last {RESPONSE_DAYS} days, divided by their number. Those that expired do not count.",
        address("alerts", state="RESOLVED"),
    ),
    (
        "ticket",
        "Tickets resolved",
        "MTTR of tickets: the sum of (resolved − opened − time on hold) of all tickets resolved in "
        f"the last {RESPONSE_DAYS} days, divided by their number.",
        address("tickets", view="done"),
    ),
)


def duty(numbers: Numbers) -> html.Section:
    """How many are on duty, and who of them is not heard of."""
    present = numbers.duty
    silent = [one for one in present if one.silent]
    if not present:
        body: Any = states.empty(
            "Nobody is on duty",
            "Guards are on duty while a shift of theirs runs; shifts come in over REST.",
            mark="people",
        )
    else:
        sites = numbers.places
        names = [html.Li(_silent(one, sites)) for one in silent[:SILENT]]
        body = html.Div(
            [
                html.P(_heard(present, silent)),
                html.Ul(names, className="silent") if names else None,
            ],
            className="section-body over-duty",
        )
    return marks.section("On duty now", body, aside=_total(present))


def _total(present: list[Present]) -> html.Span | None:
    return html.Span(f"{len(present):,}", className="num") if present else None


def _heard(present: list[Present], silent: list[Present]) -> str:
    heard = len(present) - len(silent)
    if not silent:
        return "All of them are heard of, by phone or punch."
    more = f"; the {SILENT} longest silent" if len(silent) > SILENT else ""
    return f"{heard:,} heard of, {len(silent):,} not{more}:"


def _silent(one: Present, sites: dict[str, dict[str, str]]) -> list[Any]:
    site = sites.get(str(one.site_id), {})
    return [
        marks.person(one.person_id, one.person_name),
        html.Span(site.get("name", ""), className="muted"),
        html.Span(
            [
                "last heard " if one.heard_at else "silent since the shift began ",
                marks.moment(one.since, site.get("timezone")),
            ],
            className="muted",
        ),
    ]


def responses(numbers: Numbers) -> html.Section:
    """Mean times to acknowledge and to resolve, with the formula on hover."""
    found = numbers.responses
    if not any(row["count"] for row in found.values()):
        body: Any = states.empty(
            "Nothing answered in a week",
            "Times are measured once alerts are acknowledged and resolved.",
            mark="clock",
        )
    else:
        body = html.Dl([_time(found[key], *rest) for key, *rest in _TIMES], className="over-times")
    aside = html.Span(f"last {RESPONSE_DAYS} days, mean", className="muted")
    return marks.section("Time to answer", body, aside=aside)


def _time(row: dict[str, Any], name: str, formula: str, href: str) -> html.Div:
    if not row["count"]:
        value: Any = html.Span("not measured", className="muted")
    else:
        value = [
            dcc.Link(long_span(row["mean"]), href=href, className="over-time"),
            html.Span(
                f"median {long_span(row['median'])}, n = {row['count']:,}", className="muted"
            ),
        ]
    return html.Div(
        [
            html.Dt(
                [name, html.Span(formula, className="formula", role="tooltip")],
                className="has-formula",
                tabIndex=0,
            ),
            html.Dd(value),
        ]
    )


def feed(numbers: Numbers) -> html.Section:
    """How the live feed is: here, and over the last hour."""
    stats = numbers.feed
    p95 = stats["broadcasts"]["latency_p95_ms"]
    failed = stats["broadcasts"]["failed"]
    if not stats["total"]:
        told: Any = html.P("No event in the last hour. Each punch, alert and ticket makes some.")
    else:
        told = marks.facts(
            [
                (
                    "Events a minute, last hour",
                    dcc.Link(f"{stats['total'] / 60:.1f}", href="/app/", className="link"),
                ),
                ("95 of 100 told within", "not measured" if p95 is None else f"{p95:,.0f} ms"),
                ("Not delivered", words.count(failed, "event") if failed else None),
            ]
        )
    return marks.section(
        "Live feed",
        html.Div(told, className="section-body over-feed"),
        aside=html.Span("connecting", id="overview-feed", className="state"),
    )

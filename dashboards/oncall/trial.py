"""A trial: who would be told when, if such an alert opened now. Nobody is told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import queries, words
from dashboards.marks import aria
from dashboards.oncall import phrases
from noc.domain import SEVERITIES
from noc.oncall import policies
from noc.oncall.schemas import TrialQuery


def content() -> html.Div:
    """The question, with its answer below it."""
    sites = [{"value": key, "label": site["name"]} for key, site in queries.reader.sites().items()]
    severities = [
        {"value": code, "label": words.say(words.SEVERITY, code)} for code in reversed(SEVERITIES)
    ]
    return html.Div(
        [
            html.H3("What would happen"),
            html.Div(
                [
                    html.Span("If an alert"),
                    dmc.Select(
                        id="oncall-try-severity", data=severities, value="CRITICAL",
                        allowDeselect=False, className="resolution", **aria(label="Severity"),
                    ),
                    dmc.Select(
                        id="oncall-try-type", data=_types(), placeholder="of any other type",
                        clearable=True, searchable=True, className="toolbar-select",
                        **aria(label="Type"),
                    ),
                    html.Span("opened now"),
                    dmc.Select(
                        id="oncall-try-site", data=sites, placeholder="at no site", clearable=True,
                        searchable=True, className="toolbar-select", **aria(label="Site"),
                    ),
                    html.Span("and nobody answered:"),
                ],
                className="oncall-try",
            ),
            html.Div(id="oncall-trial", role="status"),
        ]
    )  # fmt: skip


def answer(severity: str | None, kind: str | None, site: int | None, now: dt.datetime) -> Any:
    """By which policy it would be taken, and each step in words. BadField for another's site."""
    asked = TrialQuery.model_validate(
        {"severity": severity or "CRITICAL", "alert_type": kind or None, "site_id": site}
    )
    rows = queries.on_call.policies()
    taker = next((row for row in rows if policies.takes(row, asked)), None)
    if taker is None:
        return html.P("No policy takes it: nobody is told beyond the usual routes.")
    told = policies.trial(taker.id, asked, now=now)
    zone = _zone(site)
    steps = [html.Li(_step(step, now, zone)) for step in told["steps"]]
    last = html.Li(
        [html.Span(_after(told["exhausted_at"], now), className="oncall-after"), "given up"]
    )
    return [
        html.P(["Taken by ", html.Strong(taker.name), ":"]),
        html.Ol([*steps, last], className="oncall-course"),
    ]


def _step(step: dict[str, Any], now: dt.datetime, zone: str) -> list[Any]:
    names = [one["name"] for one in (*step["users"], *step["routes"])]
    missing = f"not reached: {phrases.listed(step['missing'])}" if step["missing"] else ""
    return [
        html.Span(_after(step["at"], now), className="oncall-after", title=_clock(step, zone)),
        html.Span(
            [
                html.Strong(phrases.listed(names)) if names else "nobody",
                html.Span(f", {missing}", className="muted") if missing else None,
            ]
        ),
    ]


def _clock(step: dict[str, Any], zone: str) -> str:
    return f"{phrases.local(step['at'], zone)} ({zone})"


def _zone(site: int | None) -> str:
    return queries.reader.zone(site) or "UTC"


def _after(at: dt.datetime, now: dt.datetime) -> str:
    minutes = round((at - now).total_seconds() / 60)
    return f"after {phrases.span(minutes)}" if minutes else "at once"


def _types() -> list[dict[str, str]]:
    return [{"value": code, "label": label} for code, label in words.ALERT.items()]

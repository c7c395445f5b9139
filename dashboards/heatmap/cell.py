"""The punches behind a cell of the heatmap, a page at a time, highest score first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import Patch, dcc, html

from dashboards import evidence, marks, queries, states, words
from dashboards.heatmap.choices import At
from noc.fraud.heatmap import Clock

PAGE = 25


def content(at: At, days: int, clock: Clock, now: dt.datetime) -> html.Section:
    """The first page of them."""
    site_id, place = at
    found, more = _page(at, days, clock, now, None)
    site = queries.reader.sites().get(str(site_id), {"name": "This site"})
    title = f"{site['name']}, {when(place)}"
    if not found:
        notice = states.empty("Nobody punched in this time", "A grey cell is not a zero.")
        return marks.section(title, notice, id="drill")
    told = "highest scores first" if more else words.count(len(found), "punch", "punches")
    return marks.section(
        title,
        html.Div(
            [
                html.Ul(_lines(found, site_id), id="heatmap-punches", className="punches"),
                dcc.Store(id="heatmap-cursor", data=_cursor(found) if more else None),
                html.Button(
                    "Show more", id="heatmap-more", className="btn", n_clicks=0, hidden=not more
                ),
                evidence.doubt(found[0]["model_version"]),
            ],
            className="section-body",
        ),
        aside=html.Span(told, className="muted"),
        id="drill",
    )


def following(
    at: At, days: int, clock: Clock, now: dt.datetime, after: tuple[float, int]
) -> tuple[Any, Any, bool]:
    """More lines for the list, from where to go on, and whether that is all."""
    found, more = _page(at, days, clock, now, after)
    lines = Patch()
    lines.extend(_lines(found, at[0]))
    return lines, _cursor(found) if more else None, not more


def when(place: int | dt.date) -> str:
    """ "Tuesday 02:00 to 03:00", "Tuesday 3 Nov 2026"."""
    if isinstance(place, dt.date):
        return f"{place:%A} {place.day} {place:%b %Y}"
    day, hour = divmod(place, 24)
    return f"{words.WEEKDAYS[day]} {hour:02}:00 to {hour + 1:02}:00"


def _page(
    at: At, days: int, clock: Clock, now: dt.datetime, after: tuple[float, int] | None
) -> tuple[list[dict[str, Any]], bool]:
    site_id, place = at
    found = queries.scores.cell_scores(site_id, place, days, clock, now, PAGE + 1, after)
    return found[:PAGE], len(found) > PAGE


def _cursor(found: list[dict[str, Any]]) -> list[float]:
    return [found[-1]["fraud_score"], found[-1]["punch_id"]]


def _lines(found: list[dict[str, Any]], site_id: int) -> list[html.Li]:
    threshold = queries.reader.ticket_threshold(site_id)
    return [html.Li(_punch(score, threshold)) for score in found]


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

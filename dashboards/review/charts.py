"""The two charts of a punch: where it was made, and what happened around it."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashboards import exports, graphs, theme, words
from dashboards.figures import punch_map, punch_timeline
from noc.fraud.review.surroundings import COLLEAGUE_SECONDS, FIX_MINUTES, STORY_HOURS


def place(punch: dict[str, Any], around: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    """The map of the site, the punch and the phone."""
    plan = punch_map.plan(punch, around["fixes"])
    fixes = words.count(len(plan.fixes), "fix", "fixes")
    lines = [f"{fixes} of the phone within {FIX_MINUTES} min, joined in order of time"]
    if not plan.fixes:
        lines = [f"The phone sent no position within {FIX_MINUTES} min"]
    if plan.outside:
        nearest = min(math.hypot(*fix.place) for fix in plan.fixes)
        lines.append(
            f"{plan.outside} further out than shown"
            if plan.outside < len(plan.fixes)
            else f"all of them further out than shown, the nearest {nearest / 1000:,.1f} km away"
        )
    if plan.punch is None:
        lines.append("the punch came without a place")
    elif plan.accuracy:
        lines.append(f"dashed: accuracy of the punch, {plan.accuracy:.0f} m")
    drawn = punch_map.figure(plan, punch["occurred_at"], punch["timezone"], scheme)
    words_of_it = _map_in_words(plan)
    return html.Figure(
        [
            html.Figcaption(
                [
                    html.H3(words_of_it),
                    exports.chart("review-map", f"punch-{punch['id']}-map"),
                ],
                className="split",
            ),
            graphs.told("review-map", drawn, words_of_it),
            html.P("; ".join(lines) + ". North is up.", className="muted small"),
        ],
        className="review-map",
    )


def _map_in_words(plan: punch_map.Plan) -> str:
    if plan.punch is None:
        return "No place was reported"
    metres = math.hypot(*plan.punch)
    return f"{metres:,.0f} m from the site's centre"


def story(
    punch: dict[str, Any], around: dict[str, Any], now: dt.datetime, scheme: theme.Scheme
) -> html.Figure:
    """What happened around the punch, drawn and in words."""
    since, until = around["since"], around["until"]
    chart = punch_timeline.figure(
        around["story"],
        around["heard"],
        punch["occurred_at"],
        since,
        until,
        now,
        punch["timezone"],
        scheme,
    )
    return html.Figure(
        [
            html.Figcaption(
                [
                    html.H3(_headline(around, punch, now)),
                    exports.chart("review-timeline", f"punch-{punch['id']}-timeline"),
                ],
                className="split",
            ),
            graphs.told("review-timeline", chart, "What happened around the punch"),
            html.P(
                f"{STORY_HOURS} h before and after, on the site's clock ({punch['timezone']}). "
                f"Colleagues: who punched at the site within {COLLEAGUE_SECONDS // 60} min.",
                className="muted small",
            ),
            html.Details(
                [
                    html.Summary("The same in words"),
                    html.Ol(_in_words(around, punch, now), className="review-story"),
                ]
            ),
        ],
        className="review-timeline",
    )


def _headline(around: dict[str, Any], punch: dict[str, Any], now: dt.datetime) -> str:
    others = {item["person_name"] for item in around["story"] if item["lane"] == "phone"}
    if others:
        return f"{', '.join(sorted(others))} punched on the same phone"
    if any(item["lane"] == "shift" for item in around["story"]):
        longest = max((end - start for start, end in _quiet(around, now)), default=None)
        if longest is None:
            return "On duty, and the phone was heard throughout"
        return f"On duty; the phone was silent for up to {words.span(longest.total_seconds())}"
    return "Not on duty in these hours"


def _quiet(around: dict[str, Any], now: dt.datetime) -> list[punch_timeline.Span]:
    """When nothing came from the phone although the guard was on duty."""
    until = min(around["until"], now)
    shifts = [
        (max(item["at"], around["since"]), min(item["until"], until))
        for item in around["story"]
        if item["lane"] == "shift"
    ]
    return punch_timeline.silences(around["heard"], shifts)


def _in_words(around: dict[str, Any], punch: dict[str, Any], now: dt.datetime) -> list[html.Li]:
    clock = ZoneInfo(punch["timezone"])
    told = [(item["at"], punch_timeline.told(item)) for item in around["story"]]
    told += [
        (start, f"On duty; nothing heard of the phone until {end.astimezone(clock):%H:%M}")
        for start, end in _quiet(around, now)
    ]
    return [
        html.Li([html.Span(f"{at.astimezone(clock):%H:%M:%S}", className="num"), text])
        for at, text in sorted(told)
    ]

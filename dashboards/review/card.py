"""One punch, large: who, where and when, why it was chosen, and the evidence on one screen."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboards import evidence, exports, marks, theme, words
from dashboards.figures import punch_map, punch_timeline
from dashboards.marks import aria, icon
from dashboards.review import comparison
from noc.fraud.review.surroundings import COLLEAGUE_SECONDS, FIX_MINUTES, STORY_HOURS

WHY = {
    "random audit": (
        "Random audit",
        "Drawn by chance, whatever its score. It says nothing for or against the guard; such "
        "punches tell how much fraud there is.",
    ),
    "highest score": ("Highest score", "Among the highest scores that nobody has looked at."),
    "most uncertain": (
        "Most uncertain",
        "Its score is nearest to where fraud and genuine part: a verdict here teaches the most.",
    ),
    "asked": ("Asked for", "You came here by a link, not from the queue."),
}


def card(
    score: dict[str, Any],
    around: dict[str, Any],
    why: str,
    *,
    ticket_from: float,
    fraud_from: float,
    now: dt.datetime,
    scheme: theme.Scheme,
) -> html.Article:
    """The punch: ``score`` of ``find_prediction``, ``around`` of the review's ``evidence``."""
    punch = around["punch"]
    return html.Article(
        [
            _head(score, punch, why, ticket_from, fraud_from),
            _standing(score),
            html.Div(
                [
                    html.Div(
                        [
                            html.H3("Why it stands out"),
                            evidence.reasons(score["reasons"]),
                            html.H3("This punch and the ones before"),
                            comparison.table(
                                comparison.rows(punch, around["before"], score["features"]),
                                around["before"],
                            ),
                        ],
                        className="review-facts",
                    ),
                    html.Div(
                        [_map(punch, around, scheme), _timeline(punch, around, now, scheme)],
                        className="review-charts",
                    ),
                ],
                className="review-top",
            ),
            _said(around["said"], punch["timezone"], score["person_id"]),
            evidence.doubt(score["model_version"]),
        ],
        className="review panel",
        **aria(label=f"{score['person_name']}, {words.say(words.PUNCH, score['kind'])}"),
    )


def _head(
    score: dict[str, Any],
    punch: dict[str, Any],
    why: str,
    ticket_from: float,
    fraud_from: float,
) -> html.Header:
    clock = punch["occurred_at"].astimezone(ZoneInfo(punch["timezone"]))
    name, explained = WHY.get(why, WHY["asked"])
    if score["inclusion_probability"] is not None and why == "asked":
        name, explained = WHY["random audit"]
    return html.Header(
        [
            html.Div(
                [
                    html.Span(name, className="tag", title=explained),
                    html.Span(explained, className="muted small"),
                ],
                className="review-why",
            ),
            html.Div(
                [
                    html.Div(
                        [
                            html.H2(
                                marks.person(score["person_id"], score["person_name"]),
                                className="review-name",
                            ),
                            html.P(
                                [
                                    html.Strong(
                                        f"{words.say(words.PUNCH, score['kind'])} {clock:%H:%M}"
                                    ),
                                    f", {clock:%A %d %b}, site's clock · {punch['site_name']} · ",
                                    marks.moment(score["occurred_at"], punch["timezone"]),
                                ],
                                className="review-when",
                            ),
                        ]
                    ),
                    html.Div(
                        [
                            marks.score(score["fraud_score"], ticket_from),
                            html.Span(
                                f"fraud from {fraud_from:.2f}, ticket from {ticket_from:.2f}",
                                className="muted small",
                            ),
                        ],
                        className="review-score",
                    ),
                ],
                className="review-head",
            ),
        ]
    )


def _standing(score: dict[str, Any]) -> html.P | None:
    """The verdict that holds, or what somebody wrote who found no answer."""
    label = score["label"]
    if label is not None:
        found = "fraud" if label["verdict"] == "CONFIRMED" else "genuine"
        who = label["labelled_by_name"] or words.say(
            {"ticket": "a ticket", "import": "an import", "demo": "the simulation"}, label["source"]
        )
        note = f": “{label['note']}”" if label["note"] else "."
        told: list[Any] = [
            f"Already found {found} by {who} ",
            marks.moment(label["labelled_at"]),
            note,
            " Your verdict would replace it.",
        ]
        return html.P([icon("info"), html.Span(told)], className="note review-standing")
    if score["looked_at"] is not None:
        said = f"Somebody looked and could not tell: “{score['looked_at']}”"
        return html.P([icon("info"), html.Span(said)], className="note review-standing")
    return None


def _map(punch: dict[str, Any], around: dict[str, Any], scheme: theme.Scheme) -> html.Figure:
    plan = punch_map.plan(punch, around["fixes"])
    fixes = words.count(len(plan.fixes), "fix", "fixes")
    lines = [f"{fixes} of the phone within {FIX_MINUTES} min, joined in order of time"]
    if not plan.fixes:
        lines = [f"The phone sent no position within {FIX_MINUTES} min"]
    if plan.outside:
        nearest = min(math.hypot(x, y) for _, x, y in plan.fixes)
        lines.append(
            f"{plan.outside} further out than shown"
            if plan.outside < len(plan.fixes)
            else f"all of them further out than shown, the nearest {nearest / 1000:,.1f} km away"
        )
    if plan.punch is None:
        lines.append("the punch came without a place")
    elif plan.accuracy:
        lines.append(f"dashed: accuracy of the punch, {plan.accuracy:.0f} m")
    graph = dcc.Graph(
        id="review-map",
        figure=punch_map.figure(plan, punch["occurred_at"], punch["timezone"], scheme),
        config={"displayModeBar": False, "responsive": True},
        style={"height": f"{punch_map.HEIGHT}px"},
    )
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
            html.Div(graph, role="img", **aria(label=words_of_it)),
            html.P("; ".join(lines) + ". North is up.", className="muted small"),
        ],
        className="review-map",
    )


def _map_in_words(plan: punch_map.Plan) -> str:
    if plan.punch is None:
        return "No place was reported"
    metres = math.hypot(*plan.punch)
    return f"{metres:,.0f} m from the site's centre"


def _timeline(
    punch: dict[str, Any], around: dict[str, Any], now: dt.datetime, scheme: theme.Scheme
) -> html.Figure:
    story, since, until = around["story"], around["since"], around["until"]
    chart = punch_timeline.figure(
        story,
        around["heard"],
        punch["occurred_at"],
        since,
        until,
        now,
        punch["timezone"],
        scheme,
    )
    graph = dcc.Graph(
        id="review-timeline",
        figure=chart,
        config={"displayModeBar": False, "responsive": True},
        style={"height": f"{punch_timeline.HEIGHT}px"},
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
            html.Div(graph, role="img", **aria(label="What happened around the punch")),
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


def _said(said: list[dict[str, Any]], zone: str, person_id: int) -> html.Div:
    items = [
        html.Li(
            [
                html.Span(
                    "The guard" if item["said_by"] == "guard" else item["user_name"] or "Somebody",
                    className="said-who",
                ),
                html.Span(item["comment"], className="said-words"),
                marks.opens(f"ticket:{item['ticket_id']}", item["number"]),
                marks.moment(item["at"], zone),
            ]
        )
        for item in said
    ]
    nothing = html.P("Nothing has been written down of what the guard says.", className="muted")
    return html.Div(
        [
            html.Div(
                [
                    html.H3("The guard's side, and what others wrote"),
                    dcc.Link(
                        "Write down the guard's side",
                        href=f"/app/person/{person_id}#guard-side",
                        className="text-btn",
                    ),
                ],
                className="split",
            ),
            html.Ul(items, className="said") if items else nothing,
        ],
        className="review-said",
    )

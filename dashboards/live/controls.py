"""What stands above the live table: views, filters, and how the feed is to be told."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import exports, marks, queries, words
from dashboards.marks import aria, data, icon, icon_button
from noc.domain import SEVERITIES

_WITH = {"me": "Mine", "nobody": "Nobody's"}


def views(query: dict[str, str]) -> html.Div:
    """Named filter sets at the left (``assets/feed_filters.js`` fills them), tools at the right."""
    return html.Div(
        [
            html.Div(id="live-views", className="views", role="group", **aria(label="Views")),
            html.Div(
                [
                    dmc.TextInput(
                        id="live-text",
                        value=query.get("q", "")[:100],
                        placeholder="Find in the feed",
                        leftSection=icon("search"),
                        className="live-text",
                        **aria(label="Find in the feed"),
                    ),
                    _sites(query.get("site")),
                    html.Button(
                        [icon("pause"), html.Span("Pause")], id="live-pause", className="chip"
                    ),
                    html.Div(
                        [
                            icon_button("sound-off", "Sounds", id="live-sound"),
                            icon_button("keys", "Keys", id="live-keys"),
                            icon_button("screen", "Show on a wall screen", id="live-wall"),
                            icon_button(
                                "rows", "Switch between roomy and tight rows", className="density"
                            ),
                            exports.table("live-grid", "live-feed"),
                        ],
                        className="live-tools",
                    ),
                ],
                className="live-right",
            ),
        ],
        className="toolbar",
        role="toolbar",
        **aria(label="Views and tools of the feed"),
    )


def filters() -> html.Div:
    """What narrows the feed, each with how many rows it would show."""
    severities = [chip("severity", code, marks.severity(code)) for code in reversed(SEVERITIES)]
    kinds = [chip("kind", kind, words.KINDS[kind]) for kind in words.KINDS]
    standing = [
        chip("open", "1", "Open"),
        *(chip("with", code, label) for code, label in _WITH.items()),
    ]
    return html.Div(
        [html.Div(group, className="chips") for group in (severities, kinds, standing)],
        className="toolbar live-filters",
        role="toolbar",
        **aria(label="Filters of the feed"),
    )


def bulk() -> html.Div:
    """What can be done with the rows that are selected; in sight while there are any."""
    return html.Div(
        [
            html.Span("", id="live-selected", role="status"),
            *(
                html.Button(
                    [label, html.Kbd(key)],
                    className="btn btn-small",
                    **data(do=action),
                )
                for label, key, action in (
                    ("Acknowledge", "a", "acknowledge"),
                    ("Take", "t", "take"),
                    ("Assign", "g", "assign"),
                    ("Snooze", "s", "snooze"),
                    ("Open ticket", "o", "ticket"),
                    ("Resolve", "r", "resolve"),
                )
            ),
            html.Button("Clear", className="text-btn", **data(do="clear")),
        ],
        id="live-bulk",
        className="live-bulk",
        hidden=True,
        role="toolbar",
        **aria(label="Actions on the selected alerts"),
    )


def chip(field: str, value: str, label: Any) -> html.Button:
    """A filter that is on or off, with a count."""
    return html.Button(
        [label, html.Span("0", className="chip-count")],
        className="chip",
        **data(facet=field, value=value),
        **aria(pressed="false"),
    )


def _sites(chosen: str | None) -> dmc.Select:
    known = queries.reader.sites()
    return dmc.Select(
        id="live-site",
        value=chosen if chosen in known else None,
        placeholder="All sites",
        data=[{"value": key, "label": site["name"]} for key, site in known.items()],
        clearable=True,
        searchable=True,
        className="toolbar-site",
        **aria(label="Site"),
    )

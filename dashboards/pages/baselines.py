"""Baselines: what is usual on a site through the week, and who says when it is not."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from dashboards import browser, listing, queries, states, words
from dashboards.baselines import form, hour, steps, week
from dashboards.baselines.chosen import CONTROLS
from dashboards.figures import baseline_week
from dashboards.marks import aria
from noc.audit.models import METRICS
from noc.audit.week import WEEK

TITLE = "Baselines"


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?site=&metric=&hour=`` choose from a link."""
    sites = queries.reader.sites()
    if not sites:
        return html.Div(
            states.empty("No sites", "What is usual is learned site by site."), className="panel"
        )
    return html.Div(
        [
            dcc.Store(id="baselines-one"),
            dcc.Store(id="baselines-before"),
            dcc.Store(id="baselines-changed", data=0),
            html.Div(_controls(query, sites), className="toolbar"),
            html.Div(states.skeleton(48, 440), id="baselines-week", className="stack"),
            html.Div(
                [
                    html.Div(
                        [html.Div(states.skeleton(240), id="baselines-hour-part"), form.form()],
                        className="stack",
                    ),
                    html.Div(states.skeleton(160), id="baselines-changes"),
                ],
                className="baseline-columns",
            ),
        ],
        className="page",
    )


def register(ui: Dash) -> None:
    """Each part reads for itself: the week, the chosen hour, and the buttons below it."""
    for part in (week, hour, steps):
        part.register(ui)
    browser.keep_address(ui, *CONTROLS)


def _controls(query: dict[str, str], sites: dict[str, dict[str, str]]) -> list[Any]:
    site, metric, slot = query.get("site"), query.get("metric"), query.get("hour")
    metrics = {name: words.say(words.METRIC, name) for name in METRICS}
    hours = {str(number): baseline_week.hour_name(number) for number in range(WEEK)}
    return [
        dmc.Select(
            id="baselines-site",
            value=site if site in sites else next(iter(sites)),
            data=listing.by_name({key: one["name"] for key, one in sites.items()}),
            allowDeselect=False,
            searchable=True,
            className="baseline-site",
            **aria(label="Site"),
        ),
        dmc.Select(
            id="baselines-metric",
            value=metric if metric in metrics else METRICS[0],
            data=listing.by_name(metrics),
            allowDeselect=False,
            className="toolbar-select",
            **aria(label="What is counted"),
        ),
        dmc.Select(
            id="baselines-hour",
            value=slot if slot in hours else None,
            data=listing.by_name(hours),
            placeholder="This hour",
            searchable=True,
            clearable=True,
            className="toolbar-select",
            **aria(label="Hour of the week"),
        ),
    ]

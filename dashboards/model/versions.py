"""The versions there are, newest first."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards import exports, marks, queries, states, theme, words
from dashboards.figures import model_quality
from dashboards.figures.model_quality import interval
from dashboards.marks import aria
from dashboards.model.charts import chart

_HEAD = ("Version", "Status", "Kind", "Labels", "Frauds", "Average precision", "Made", "Note")


def content(chosen: str | None, scheme: theme.Scheme) -> html.Div | html.Section:
    """The table, and how they compare over time; the ``chosen`` version is marked in both.

    Each name leads to its verdict.
    """
    found = queries.models.versions()
    if not found:
        return marks.section(
            "Versions",
            states.empty(
                "No versions yet",
                "Each training that finds enough verdicts makes one. It scores once it has passed.",
                mark="curve",
            ),
        )
    full = len(found) == queries.models.LISTED
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(name, scope="col") for name in _HEAD])),
            html.Tbody([_row(model, chosen) for model in found]),
        ],
        className="model-table",
        id="model-versions",
    )
    listed = marks.section(
        "Versions",
        html.Div(table, className="model-table-frame", tabIndex=0, **aria(label="Versions")),
        aside=html.Span(
            [
                html.Span(
                    f"the {len(found)} newest" if full else words.count(len(found), "version"),
                    className="muted",
                ),
                exports.rows("model-versions", "model-versions"),
            ],
            className="exports exports-said",
        ),
    )
    drawn = _over_time(found, chosen, scheme)
    return html.Div([listed, drawn], className="stack") if drawn else listed


def _over_time(
    found: list[dict[str, Any]], chosen: str | None, scheme: theme.Scheme
) -> html.Figure | None:
    """The versions' average precision by day; nothing to compare with fewer than two."""
    known = [one for one in found if one.get("ap") and one["ap"]["value"] is not None]
    if len(known) < 2:
        return None
    best = max(known, key=lambda one: one["ap"]["value"])
    latest = max(known, key=lambda one: one["created_at"])
    first = "The latest version did best" if best is latest else f"{best['version']} did best"
    return chart(
        "versions",
        f"{first} on its own last weeks: {best['ap']['value']:.2f}",
        "Average precision of model and rules together, no unit, 90 % intervals, by the day it was "
        f"made. {words.count(len(known), 'version')}; full: scores now. Each is measured on other "
        "punches: where intervals overlap none is shown to be better.",
        model_quality.over_time(known, chosen, scheme),
    )


def status(model: dict[str, Any]) -> html.Span:
    """Shape and word of a version's status."""
    code = model["status"]
    return html.Span(words.say(words.MODEL_STATUS, code), className=f"state model-{code}")


def average_precision(model: dict[str, Any]) -> str:
    """With its interval where the report has one."""
    if model.get("ap"):
        return interval(model["ap"])
    return "not measured" if model["pr_auc"] is None else f"{model['pr_auc']:.2f}"


def _row(model: dict[str, Any], chosen: str | None) -> html.Tr:
    here = model["version"] == chosen
    link = dcc.Link(
        model["version"],
        href=f"/app/model?version={model['version']}",
        className="link model-link",
    )
    cells = [
        html.Td(status(model), **marks.data(name="Status")),
        html.Td(words.say(words.MODEL_TYPE, model["model_type"]), **marks.data(name="Kind")),
        html.Td(f"{model['train_samples']:,}", className="num", **marks.data(name="Labels")),
        html.Td(f"{model['positives']:,}", className="num", **marks.data(name="Frauds")),
        html.Td(
            average_precision(model),
            className="num",
            title="In brackets: the interval that holds the true value nine times in ten",
            **marks.data(name="Average precision"),
        ),
        html.Td(marks.moment(model["created_at"]), **marks.data(name="Made")),
        html.Td(
            html.Span(model["note"] or "—", title=model["note"] or "", className="model-note"),
            className="model-note-cell",
        ),
    ]
    return html.Tr(
        [html.Th(link, scope="row"), *cells],
        className="is-chosen" if here else "",
        **(aria(current="true") if here else {}),
    )

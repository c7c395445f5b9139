"""The live feed on a big screen: no navigation, large type, nothing to press but Esc."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards.marks import aria


def layout(counts: list[Any]) -> html.Div:
    """Clocks, counts, what is open and grave, what came last; ``assets/wall.js`` fills them."""
    return html.Div(
        [
            html.Header(
                [
                    html.Div(id="wall-health", className="wall-health", role="status"),
                    html.Div(id="wall-clocks", className="wall-clocks"),
                ],
                className="wall-head",
            ),
            html.Div(counts, id="kpis", className="kpis wall-kpis"),
            html.Div(
                [
                    _part("Open and critical", "wall-critical"),
                    _part("Last events", "wall-last"),
                ],
                className="wall-parts",
            ),
            html.P("Esc leaves the wall screen", className="wall-hint"),
        ],
        id="wall",
        className="wall",
    )


def _part(title: str, name: str) -> html.Section:
    return html.Section(
        [
            html.H2([title, html.Span(id=f"{name}-count", className="wall-count")]),
            html.Ol(id=name, className="wall-list", **aria(label=title)),
        ],
        className="wall-part",
    )

"""A chart where it stands on a page: every page places its figures the same way."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards import theme
from dashboards.marks import aria

CONFIG: Any = {"displayModeBar": False, "responsive": True}
"""What a chart offers by itself: no bar of buttons; ``exports.chart`` has the ones there are."""


def graph(name: str, figure: Any, **config: Any) -> dcc.Graph:
    """The figure under the id ``name``, as high as it was drawn; ``config`` is what more it can."""
    height = f"{figure.layout.height}px"
    whole: Any = {**CONFIG, **config}
    return dcc.Graph(id=name, figure=figure, config=whole, style={"height": height})


def told(name: str, figure: Any, said: str) -> html.Div:
    """The same for whoever does not see it: ``said`` is what it shows, in a sentence."""
    return html.Div(graph(name, figure), role="img", **aria(label=said))


def scheme(chosen: str | None) -> theme.Scheme:
    """The colours to draw in; what the switch does not offer is taken for dark."""
    return "light" if chosen == "light" else "dark"

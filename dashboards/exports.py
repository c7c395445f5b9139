"""What a page shows, to take along: tables as CSV, charts as PNG and their data as CSV.

``assets/exports.js`` does it in the browser, from what is on the page: nothing more is read, and
nobody gets what they do not see.
"""

from __future__ import annotations

from dash import html

from dashboards.marks import data


def table(grid: str, name: str) -> html.Button:
    """A button that saves the rows of the grid with the id ``grid`` as ``name``.csv."""
    return _button("CSV", f"Save the table as CSV: {name}", grid=grid, file=name)


def chart(graph: str, name: str) -> html.Span:
    """Buttons that save the chart with the id ``graph`` as ``name``.png and .csv."""
    return html.Span(
        [
            _button("PNG", f"Save the chart as PNG: {name}", png=graph, file=name),
            _button("CSV", f"Save the chart's data as CSV: {name}", csv=graph, file=name),
        ],
        className="exports",
    )


def picture(graph: str, name: str) -> html.Button:
    """A button that saves the chart as ``name``.png, for one whose data stands in a table."""
    return _button("PNG", f"Save the chart as PNG: {name}", png=graph, file=name)


def rows(table: str, name: str) -> html.Button:
    """A button that saves what the plain table with the id ``table`` shows as ``name``.csv."""
    return _button("CSV", f"Save the table as CSV: {name}", table=table, file=name)


def _button(label: str, title: str, **what: str) -> html.Button:
    named = {f"export-{key}": value for key, value in what.items()}
    return html.Button(
        label, className="btn btn-small export", title=title, type="button", **data(**named)
    )

"""Tables: the grid in the page's colours, with the columns that every list shares."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag

_PARAMS = {
    "backgroundColor": "var(--surface)",
    "foregroundColor": "var(--text)",
    "borderColor": "var(--line)",
    "rowBorder": "1px solid var(--line)",
    "headerBackgroundColor": "var(--surface)",
    "headerTextColor": "var(--muted)",
    "headerFontSize": "12px",
    "rowHoverColor": "var(--hover)",
    "selectedRowBackgroundColor": "var(--accent-soft)",
    "accentColor": "var(--accent)",
    "fontFamily": "var(--font)",
    "fontSize": "13px",
    "cellHorizontalPadding": "12px",
    "wrapperBorder": "none",
    "iconSize": "14px",
    "browserColorScheme": "inherit",
}
_PAIRS = ", ".join(f"{name}: '{value}'" for name, value in _PARAMS.items())
_THEME = f"themeQuartz.withParams({{{_PAIRS}}})"

WHO: dict[str, Any] = {"colId": "who", "field": "who", "headerName": "Who, where"} | {
    "cellRenderer": "Who", "flex": 3, "minWidth": 180,
}  # fmt: skip
WHAT: dict[str, Any] = {"colId": "what", "field": "what", "headerName": "What"} | {
    "cellRenderer": "What", "flex": 5, "minWidth": 220,
}  # fmt: skip
SEVERITY: dict[str, Any] = {"colId": "severity", "field": "severity"} | {
    "headerName": "Severity", "cellRenderer": "Severity", "width": 112,
}  # fmt: skip
WHEN: dict[str, Any] = {"colId": "at", "field": "at", "headerName": "When"} | {
    "cellRenderer": "When", "width": 112,
}  # fmt: skip
STATE: dict[str, Any] = {"colId": "state", "field": "state", "headerName": "State"} | {
    "cellRenderer": "State", "width": 140,
}  # fmt: skip
OWNER: dict[str, Any] = {"colId": "owner", "field": "owner", "headerName": "With"} | {
    "width": 150, "cellRenderer": "Owner",
}  # fmt: skip
CARD: dict[str, Any] = {"colId": "card", "field": "card", "headerName": ""} | {
    "cellRenderer": "Card", "flex": 1, "hide": True,
}  # fmt: skip


def grid(
    name: str,
    columns: list[dict[str, Any]],
    rows: list[dict[str, Any]] | None,
) -> dag.AgGrid:
    """A table of rows with an ``id``; Enter or a click opens the row's drawer."""
    return dag.AgGrid(
        id=name,
        columnDefs=[*columns, CARD],
        rowData=rows,
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        className="noc-grid",
        rowClassRules={
            "row-fresh": {"function": "freshRow(params.data)"},
            "row-muted": {"function": "Boolean(params.data && params.data.muted)"},
            "row-critical": {"function": "criticalRow(params.data)"},
        },
        eventListeners={
            "rowClicked": ["openRow(params)"],
            "cellKeyDown": ["keyInRow(params)"],
        },
        dashGridOptions={
            "theme": {"function": _THEME},
            "rowHeight": 50,
            "headerHeight": 34,
            "animateRows": False,
            "suppressCellFocus": False,
            "ensureDomOrder": True,
            "suppressNoRowsOverlay": True,
        },
        style={"height": "100%"},
    )

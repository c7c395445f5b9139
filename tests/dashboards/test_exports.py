"""Whatever is drawn or listed can be taken along: tables as CSV, charts as PNG and CSV."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import dashboards

HOUSE = Path(dashboards.__file__).parent

TABLES = {"grids.grid": 0, "kit.table": 0, "parts.table": 0}
CHARTS = {"graphs.graph": 0, "graphs.told": 0}
"""The helpers that make something, and which argument its id is."""

MAKERS = ("grids.py", "graphs.py", "exports.py", "admin/kit.py", "person/parts.py")
"""The helpers' own modules: the id is given to them."""

SAVED = {
    "exports.table": ("table",),
    "exports.rows": ("table",),
    "exports.chart": ("png", "csv"),
    "exports.picture": ("png",),
}

ELSEWHERE = {
    "dashboards/pages/alerts.py": ("'alerts-grid'", "dashboards/listing.py"),
    "dashboards/pages/findings.py": ("'findings-grid'", "dashboards/listing.py"),
    "dashboards/pages/incidents.py": ("'incidents-grid'", "dashboards/listing.py"),
    "dashboards/pages/live.py": ("'live-grid'", "dashboards/live/controls.py"),
    "dashboards/tickets/table.py": ("'tickets-grid'", "dashboards/pages/tickets.py"),
}
"""Tables whose button stands in the toolbar of another module."""


class Made(NamedTuple):
    """Something drawn or listed: where, what, and its id as it is written there."""

    module: str
    what: str
    key: str


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def calls(path: Path) -> Iterator[ast.Call]:
    return (one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call))


def modules() -> list[Path]:
    return sorted(path for path in HOUSE.rglob("*.py") if _name(path) not in MAKERS)


def _name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def made() -> list[Made]:
    """Every table and chart of the pages."""
    found = []
    for path in modules():
        for call in calls(path):
            name, module = called(call), f"dashboards/{_name(path)}"
            if name in TABLES or name in CHARTS:
                what = "table" if name in TABLES else "chart"
                found.append(Made(module, what, ast.unparse(call.args[0])))
            elif name == "html.Table":
                keys = [ast.unparse(one.value) for one in call.keywords if one.arg == "id"]
                found.append(Made(module, "table", keys[0] if keys else "no id"))
    return found


def saved(module: str) -> dict[str, set[str]]:
    """What the buttons of a module save, by the id as it is written there."""
    found: dict[str, set[str]] = {}
    for call in calls(HOUSE.parent / module):
        if called(call) in SAVED:
            found.setdefault(ast.unparse(call.args[0]), set()).update(SAVED[called(call)])
    return found


def test_there_are_tables_and_charts_and_none_is_made_past_the_helpers() -> None:
    assert {one.what for one in made()} == {"table", "chart"}
    assert len(made()) >= 25
    for path in modules():
        for call in calls(path):
            assert called(call) not in ("dcc.Graph", "dag.AgGrid", "dash_table.DataTable"), path


@pytest.mark.parametrize("one", made(), ids=lambda one: f"{one.module}:{one.key}")
def test_it_has_its_buttons(one: Made) -> None:
    buttons = saved(one.module)
    if one.module in ELSEWHERE:
        key, module = ELSEWHERE[one.module]
        assert one.key == key
        kept = "f'{name}-grid'" if module == "dashboards/listing.py" else key
        buttons = {key: saved(module)[kept]}
    assert one.key in buttons, f"no button saves it; those of the module save {sorted(buttons)}"
    told = buttons[one.key]
    if one.what == "table":
        assert "table" in told
    else:
        # A chart whose data stands in a table beside it is saved as a picture, the table as CSV.
        assert "png" in told
        assert "csv" in told or any("table" in other for other in buttons.values())

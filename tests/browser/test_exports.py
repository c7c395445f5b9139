"""What stands on a page can be taken along: each table as CSV, each chart as PNG and CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from noc.identity.models import User
from tests.browser.conftest import Company, Watched

pytestmark = pytest.mark.browser

SHOWN = {
    "/app/overview": "#overview-alerts",
    "/app/": "#live-grid .ag-row",
    "/app/alerts": "#alerts-grid .ag-row",
    "/app/tickets?show=table": "#tickets-grid .ag-row",
    "/app/heatmap?by=day": "#heatmap-graph .js-plotly-plot",
    "/app/heatmap?by=day&view=table": "#heatmap-cells",
    "/app/heatmap?by=day&view=map": "#heatmap-map .js-plotly-plot",
    "/app/person/{person}": "#person-graph .js-plotly-plot",
    "/app/review": "#review-compared",
    "/app/admin?part=users": "#admin-users-table tbody tr",
    "/app/admin?part=settings": "#admin-settings-fraud-table",
    "/app/admin?part=sites": "#admin-sites-table tbody tr",
    "/app/admin?part=jobs": "#admin-queues-table",
}
"""Pages, and what is there once they are."""

FOUND = """() => {
    const seen = (one) => one.offsetParent !== null;
    const saved = (kind) => [...document.querySelectorAll(`[data-export-${kind}]`)]
        .map((one) => one.dataset[`export${kind[0].toUpperCase()}${kind.slice(1)}`]);
    const all = (what) => [...document.querySelectorAll(`#page ${what}`)].filter(seen);
    const tables = all("table").filter((one) => one.tBodies[0]?.rows.length);
    const grids = all(".ag-root-wrapper").map((one) => one.closest("[id]").id);
    const charts = all(".js-plotly-plot").map((one) => one.closest("[id]").id);
    return {
        tables: tables.map((one) => one.id), savedTables: saved("table"),
        grids, savedGrids: saved("grid"),
        charts, savedPngs: saved("png"), savedCsvs: saved("csv"),
    };
}"""


def standing(watched: Watched, company: Company, path: str) -> Page:
    with company.rows() as make:
        make.session.execute(
            update(User).where(User.tenant_id == company.tenant_id).values(role="admin")
        )
    watched.sign_in(company, "/app/people")
    watched.page.goto(watched.base + path.format(person=company.person_id))
    expect(watched.page.locator(SHOWN[path]).first).to_be_visible()
    return watched.page


def lines_of(page: Page, button: str) -> list[list[str]]:
    """The CSV that a button saves."""
    with page.expect_download() as waiting:
        page.locator(button).click()
    assert waiting.value.suggested_filename.endswith(".csv")
    with Path(waiting.value.path()).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("path", SHOWN)
def test_all_that_stands_on_a_page_can_be_taken_along(
    watched: Watched, company: Company, path: str
) -> None:
    page = standing(watched, company, path)
    page.wait_for_load_state("networkidle")
    found: dict[str, Any] = page.evaluate(FOUND)
    assert found["tables"] or found["grids"] or found["charts"]
    for table in found["tables"]:
        assert table, "a table without an id"
        assert table in found["savedTables"]
        rows = page.locator(f"#{table} tr").count()
        assert len(lines_of(page, f'[data-export-table="{table}"]')) == rows
    for grid in found["grids"]:
        assert grid in found["savedGrids"]
        assert len(lines_of(page, f'[data-export-grid="{grid}"]')) > 1
    for chart in found["charts"]:
        assert chart in found["savedPngs"]
        assert chart in found["savedCsvs"]
        assert len(lines_of(page, f'[data-export-csv="{chart}"]')) > 1


def test_the_table_of_the_heatmap_is_saved_as_it_stands(watched: Watched, company: Company) -> None:
    page = standing(watched, company, "/app/heatmap?by=day&view=table")
    head, line = lines_of(page, '[data-export-table="heatmap-cells"]')
    assert head == ["Site", "When", "Highest score", "Punches", "Over", "Reviewed", "Fraud"]
    assert line[0] == "Harbour Depot"
    assert line[3:] == ["1", "1", "0", "—"]


def test_a_saved_cell_is_no_formula_and_a_number_stays_one(
    watched: Watched, company: Company
) -> None:
    page = standing(watched, company, "/app/overview")
    cells = ["=1+1", "+cmd|x", "-1+1", "@a", "＝1+1", "－1", "-0.12", "+1,204.5", "-", "1-1"]
    page.evaluate(
        """(cells) => {
            const table = Object.assign(document.createElement("table"), { id: "made" });
            cells.forEach((cell) => { table.insertRow().insertCell().textContent = cell; });
            const button = Object.assign(document.createElement("button"), { className: "export" });
            Object.assign(button.dataset, { exportTable: "made", exportFile: "made" });
            document.querySelector("#page").prepend(table, button);
        }""",
        cells,
    )
    saved = [line[0] for line in lines_of(page, '[data-export-table="made"]')]
    assert saved == [f"'{cell}" for cell in cells[:6]] + ["-0.12", "+1,204.5", "'-", "1-1"]

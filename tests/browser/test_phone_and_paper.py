"""Pages on a phone, and pages that are printed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from noc.alerts.process import AlertInput, process_alert
from noc.workforce.models import Site
from tests.browser.conftest import Company, Watched

pytestmark = pytest.mark.browser


@pytest.mark.window(viewport={"width": 390, "height": 844})
@pytest.mark.parametrize("path", ["", "alerts", "tickets"])
def test_on_a_phone_a_row_is_a_card(watched: Watched, company: Company, path: str) -> None:
    page = watched.sign_in(company)
    page.goto(f"{watched.base}/app/{path}")
    expect(page.locator("#page .card-cell").first).to_be_visible()
    expect(page.locator("#page .ag-header-cell:visible")).to_have_count(0)


@pytest.mark.window(viewport={"width": 390, "height": 844})
def test_on_a_phone_the_heatmaps_names_leave_room_for_its_cells(
    watched: Watched, company: Company
) -> None:
    with company.rows() as make:
        make.session.get_one(
            Site, (company.tenant_id, company.site_id)
        ).name = "Harbour Depot, North Gate"
    page = watched.sign_in(company)
    page.goto(f"{watched.base}/app/heatmap")
    name = page.locator("#heatmap-graph .ytick text").first
    expect(name).to_have_text(re.compile("^.{0,12}…$"))
    page.set_viewport_size({"width": 1200, "height": 844})
    expect(name).not_to_have_text(re.compile("…"))


def test_paper_has_every_row_of_a_table_and_says_of_when_it_is(
    watched: Watched, company: Company
) -> None:
    with company.rows():
        for number in range(40):
            alert = AlertInput(
                alert_type="DEVICE_OFFLINE",
                severity="LOW",
                message=f"Reader {number:02} does not answer.",
                occurred_at=dt.datetime.now(dt.UTC),
                site_id=company.site_id,
                dedup_key=f"reader-{number}",
            )
            process_alert(alert, now=alert.occurred_at)
    page = watched.sign_in(company)
    page.goto(f"{watched.base}/app/alerts")
    expect(page.locator("#page .ag-row").first).to_be_visible()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    rows = page.locator("#page table.paper tbody tr")
    for number in (0, 39):
        expect(rows.filter(has_text=f"Reader {number:02} does")).to_be_visible()
    assert page.locator("#page .ag-row:visible").count() == 0
    now = dt.datetime.now(dt.UTC)
    expect(page.locator(".top p.paper")).to_contain_text(f"{now:%b} {now.year}, ")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.locator(".paper")).to_have_count(0)
    expect(page.locator("#page .ag-row").first).to_be_visible()


def test_a_chart_is_as_wide_as_the_paper(watched: Watched, company: Company) -> None:
    page = watched.sign_in(company)
    page.goto(f"{watched.base}/app/heatmap")
    expect(page.locator("#heatmap-graph .main-svg").first).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 990})
    box = page.locator("#heatmap-graph .main-svg").first.bounding_box()
    assert box
    assert box["x"] + box["width"] <= 700
    assert box["height"] > 40
    assert page.evaluate("document.documentElement.scrollWidth") <= 700

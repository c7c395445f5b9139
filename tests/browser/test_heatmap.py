"""The heatmap's table by keyboard, its map, and all of it in the address."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Company, Watched
from tests.browser.test_review import shown
from tests.fraud.review.population import prediction

pytestmark = pytest.mark.browser


def test_a_cell_opens_from_the_keyboard_and_stands_in_the_address(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company, "/app/people")
    page.goto(f"{watched.base}/app/heatmap?view=table&by=day")
    cell = page.get_by_role("button", name="Harbour Depot", exact=False)
    expect(cell).to_have_count(1)
    cell.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drill")).to_contain_text("Meera Joshi")
    page.wait_for_url(f"**at={company.site_id}.20*")
    page.reload()
    expect(page.locator("#drill")).to_contain_text("Meera Joshi")
    expect(page.get_by_role("radio", name="Table")).to_be_checked()


def test_a_site_on_the_map_leads_to_its_cells(watched: Watched, company: Company) -> None:
    with company.rows() as make:
        make.site(name="Quiet Yard", lat=52.2, lon=0.4)
    page = watched.sign_in(company, "/app/heatmap?view=map")
    plot = page.locator("#heatmap-map")
    expect(plot).to_contain_text("Harbour Depot")
    expect(plot).to_contain_text("Quiet Yard")
    expect(plot.get_by_text("km", exact=False).first).to_be_visible()
    spot = page.evaluate(
        """() => {
            const plot = document.querySelector('#heatmap-map .js-plotly-plot');
            const at = plot.data.findIndex((trace) => trace.customdata && trace.marker.cmax);
            const { xaxis, yaxis } = plot._fullLayout;
            const box = plot.getBoundingClientRect();
            const { x, y } = plot._fullData[at];
            return [box.left + xaxis._offset + xaxis.d2p(x[0]),
                    box.top + yaxis._offset + yaxis.d2p(y[0])];
        }"""
    )
    page.mouse.move(*spot)
    page.mouse.click(*spot)
    page.wait_for_url(f"**site={company.site_id}**")
    expect(page.locator("#heatmap-graph")).to_contain_text("Harbour Depot")
    expect(page.locator("#heatmap-graph")).not_to_contain_text("Quiet Yard")


def test_from_a_cell_to_its_punch_to_a_verdict(watched: Watched, company: Company) -> None:
    page = watched.sign_in(company, "/app/people")
    page.goto(f"{watched.base}/app/heatmap?view=table&by=day")
    page.get_by_role("button", name="Harbour Depot", exact=False).click()
    cell = page.locator("#drill")
    expect(cell).to_contain_text("The same phone punched for somebody else")
    cell.get_by_role("button", name="Punched in").click()
    drawer = page.locator("#detail")
    expect(drawer).to_contain_text("The same phone punched for somebody else")
    drawer.get_by_role("link", name="Review this punch").click()
    page.wait_for_url("**/app/review?punch=*")
    shown(page, "Meera Joshi")
    expect(page.locator("#drawer")).to_be_hidden()
    page.get_by_role("button", name="Fraud", exact=True).click()
    expect(page.locator(".review-last li")).to_contain_text("Meera Joshi")
    expect(page.locator(".review-last .said-confirmed")).to_have_text("Fraud")
    with company.rows() as make:
        found = prediction(make, company.punch.punch)
        assert (found.actual_fraud_detected, found.label_source) == (True, "review")

    page.goto(f"{watched.base}/app/heatmap?view=table&by=day&open=punch:{company.punch.punch}")
    expect(page.locator("#detail")).to_contain_text("Confirmed fraud")

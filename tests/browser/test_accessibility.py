"""Every page, in both colours and on a phone, to axe-core: nothing serious is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from dashboards.places import PLACES
from tests.browser.conftest import Company, Watched

pytestmark = pytest.mark.browser

ADDRESSES = [place.nav.href for place in PLACES if place.nav]
GRAVE = ("serious", "critical")

WINDOWS = [
    pytest.param("dark", id="dark", marks=pytest.mark.window(color_scheme="dark")),
    pytest.param("light", id="light", marks=pytest.mark.window(color_scheme="light")),
    pytest.param(
        "phone",
        id="phone",
        marks=pytest.mark.window(
            color_scheme="light", viewport={"width": 390, "height": 844}, has_touch=True
        ),
    ),
]


def settled(page: Page) -> None:
    """Nothing on the page is still on its way."""
    expect(page.locator("#title")).not_to_be_empty()
    expect(page.locator("#page .skeleton")).to_have_count(0)
    expect(page.locator("#page .is-loading")).to_have_count(0)
    # A grid draws its cells after its rows.
    page.wait_for_function(
        """() => [...document.querySelectorAll("#page .ag-root")].every((grid) =>
            grid.querySelector(".ag-header-cell"))"""
    )
    still(page)


def still(page: Page) -> None:
    """Nothing is fading in: half-transparent text has too little contrast."""
    page.wait_for_function(
        """() => document.getAnimations().every((one) =>
            one.playState !== "running" || one.effect.getTiming().iterations === Infinity)"""
    )


def wrong(page: Page) -> list[str]:
    """What is seriously wrong and stays so: what was still being drawn is looked at again."""
    if not _found(page):
        return []
    settled(page)
    return _found(page)


def _found(page: Page) -> list[str]:
    """What axe finds that is serious, with the places where it is."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {one['id']} ({one['help']}): "
        + "; ".join(node["html"][:160] for node in one["nodes"][:5])
        for one in found
        if one["impact"] in GRAVE
    ]


@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_is_seriously_hard_to_use(watched: Watched, company: Company, window: str) -> None:
    page = watched.sign_in(company)
    troubles: list[str] = []
    for address in (*ADDRESSES, f"/app/person/{company.person_id}"):
        page.goto(f"{watched.base}{address}")
        settled(page)
        troubles += wrong(page)
    assert not troubles, "\n".join(troubles)


def test_the_drawer_and_the_sign_in_page_are_no_harder(watched: Watched, company: Company) -> None:
    page = watched.page
    page.goto(f"{watched.base}/login")
    troubles = wrong(page)
    watched.sign_in(company, "/app/alerts")
    settled(page)
    page.locator("#alerts-grid .ag-center-cols-container .ag-row").first.click()
    expect(page.locator("#detail .drawer-title")).to_be_visible()
    still(page)
    troubles += wrong(page)
    assert not troubles, "\n".join(troubles)

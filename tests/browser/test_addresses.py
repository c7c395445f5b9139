"""What stands open in the drawer has an address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Company, Watched
from tests.browser.test_pages import live, raise_alert

pytestmark = pytest.mark.browser


def test_the_address_opens_the_drawer_and_follows_it(watched: Watched, company: Company) -> None:
    alert = raise_alert(company, "The gate does not close.")
    path = f"/app/alerts?state=all&open=alert:{alert}"
    watched.page.goto(watched.base + path)
    page = watched.page
    page.get_by_label("E-mail").fill(company.email)
    page.get_by_label("Password").fill("a long night shift")
    page.get_by_role("button", name="Sign in").click()
    drawer = page.locator("#detail")
    expect(drawer).to_contain_text("The gate does not close.")
    page.reload()
    expect(drawer).to_contain_text("The gate does not close.")
    assert page.url.endswith(path)

    page.get_by_role("button", name="Close").click()
    expect(page.locator(".mantine-Drawer-content")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/app/alerts\?state=all$"))

    row = page.locator("#alerts-grid .ag-row", has_text="The gate does not close.")
    row.click()
    expect(page).to_have_url(re.compile(rf"open=alert:{alert}$"))
    page.evaluate("window.stays = true")
    drawer.get_by_role("link", name="Meera Joshi").click()
    expect(page.get_by_role("heading", name="Meera Joshi", level=2)).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/app/person/{company.person_id}(\?days=\w+)?$"))
    expect(page.locator(".mantine-Drawer-content")).to_be_hidden()
    page.go_back()
    expect(page).to_have_url(re.compile(rf"open=alert:{alert}$"))
    expect(drawer).to_contain_text("The gate does not close.")
    assert page.evaluate("window.stays") is True, "the page was loaded anew"


def test_the_next_page_does_not_open_what_was_open_before(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company, "/app/alerts")
    live(page)
    page.goto(f"{watched.base}/app/alerts?open=alert:{company.punch.alert}")
    expect(page.locator("#detail .drawer-title")).to_have_text("Attendance fraud")
    page.keyboard.press("Escape")
    expect(page.locator(".mantine-Drawer-content")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("meera")
    page.get_by_role("option", name="Meera Joshi · G120").click()
    expect(page.get_by_role("heading", name="Meera Joshi", level=2)).to_be_visible()
    assert "open=" not in page.url


@pytest.mark.parametrize("target", ["alert:999999", "alert:x", "<b>:1", "thing:1", ""])
def test_an_address_of_nothing_does_no_harm(
    watched: Watched, company: Company, target: str
) -> None:
    page = watched.sign_in(company)
    page.goto(f"{watched.base}/app/people?open={target}")
    expect(page.locator("#people-list")).to_contain_text("Meera Joshi")
    known = target in ("alert:999999", "thing:1")
    if known:
        expect(page.locator("#detail")).to_contain_text("No such")
    else:
        expect(page.locator(".mantine-Drawer-content")).to_have_count(0)

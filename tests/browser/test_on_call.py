"""On call in the browser: taking over, and the order of members by keyboard."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from noc.identity.passwords import hash_password
from noc.oncall import schedules
from noc.oncall.schemas import ScheduleIn
from tests.browser.conftest import PASSWORD, Company, Watched
from tests.browser.test_pages import live

pytestmark = pytest.mark.browser


def test_an_administrator_takes_over_and_arranges_by_keyboard(
    watched: Watched, company: Company
) -> None:
    email = f"ada-{company.email}"
    now = dt.datetime.now(dt.UTC)
    with company.rows() as make:
        make.user("admin", email=email, name="Ada Admin", password_hash=hash_password(PASSWORD))
        members = [make.user("operator", name=name).id for name in ("Ann Archer", "Ben Okafor")]
        given = {
            "name": "Night desk", "timezone": "UTC", "members": members, "rotation": "weekly",
            "handover_weekday": "monday", "handover_time": "00:00",
            "starts_on": (now - dt.timedelta(days=now.weekday())).date().isoformat(),
        }  # fmt: skip
        schedules.create(ScheduleIn.model_validate(given), now=now)
    page = watched.sign_in(dataclasses.replace(company, email=email), "/app/on-call")
    live(page)
    page.evaluate("window.stays = true")
    card = page.locator(".oncall-card")
    expect(card).to_contain_text("Ann Archer")
    page.get_by_role("button", name="Take over Night desk").press("Enter")
    expect(card.get_by_role("button", name="The handover")).to_be_focused()
    card.get_by_role("button", name="4 h, until").press("Enter")
    expect(card.locator(".oncall-who")).to_have_text("Ada Admin")
    expect(page.locator(".seg.seg-mine.seg-taken")).to_have_count(1)
    page.get_by_role("button", name="Give Night desk back").press("Enter")
    expect(card.locator(".oncall-who")).to_have_text("Ann Archer")
    expect(page.locator(".seg.seg-mine")).to_have_count(0)

    page.locator(".oncall .mantine-SegmentedControl-label", has_text="28 days").click()
    expect(page.locator(".oncall-tick")).to_have_count(28)
    expect(page).to_have_url(re.compile(r"days=28"))

    page.get_by_role("button", name="Change Night desk").press("Enter")
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    page.get_by_role("button", name="Move Ann Archer down").press("Enter")
    expect(page.locator(".oncall-order li").first).to_contain_text("Ben Okafor")
    expect(page.get_by_role("button", name="Move Ann Archer up")).to_be_focused()
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.locator(".oncall-arrange .done")).to_have_text("Saved.")
    expect(card.locator(".oncall-who")).to_have_text("Ben Okafor")

    page.get_by_role("button", name="Delete Night desk", exact=True).click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.get_by_role("button", name="Yes, delete Night desk").click()
    expect(page.locator("#oncall-now")).to_contain_text("Nobody is on call")
    assert page.evaluate("window.stays") is True, "the page was loaded anew"


@pytest.mark.window(viewport={"width": 390, "height": 844}, color_scheme="light")
def test_on_call_fits_a_narrow_screen(watched: Watched, company: Company) -> None:
    now = dt.datetime.now(dt.UTC)
    with company.rows() as make:
        name = "Ravi Kumaraswamy Venkatanarasimharajuvaripeta"
        given = {
            "name": "The desk of the northern ports and depots", "timezone": "Asia/Kolkata",
            "members": [make.user("operator", name=name).id], "rotation": "daily",
            "handover_time": "08:00",
        }  # fmt: skip
        schedules.create(ScheduleIn.model_validate(given), now=now)
    page = watched.sign_in(company, "/app/on-call")
    expect(page.locator(".seg").first).to_be_visible()
    assert page.evaluate("document.getElementById('page').scrollWidth") <= 390

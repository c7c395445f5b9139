"""Administration in the browser: a secret is seen once, and a window's times before it is made."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from noc.alerts.suppression.models import Suppression
from noc.identity.models import User
from tests.browser.conftest import Company, Watched

pytestmark = pytest.mark.browser


def as_admin(watched: Watched, company: Company, part: str) -> Page:
    with company.rows() as make:
        make.session.execute(
            update(User).where(User.tenant_id == company.tenant_id).values(role="admin")
        )
    watched.sign_in(company)
    watched.page.goto(f"{watched.base}/app/admin?part={part}")
    return watched.page


def test_a_token_is_seen_once_and_gone_from_the_page(watched: Watched, company: Company) -> None:
    page = as_admin(watched, company, "tokens")
    page.get_by_role("button", name="New token").click()
    page.get_by_label("What it is for").fill("monitors")
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("#admin-secret-value")
    expect(secret).to_have_text(re.compile("^noc_"))
    value = secret.text_content() or ""
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="I have it").click()
    expect(secret).to_have_count(0)
    assert value not in page.content()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert value not in kept
    expect(page.locator("#admin-tokens-table")).to_contain_text("monitors")


def test_a_window_shows_its_times_and_is_made_by_keyboard(
    watched: Watched, company: Company
) -> None:
    page = as_admin(watched, company, "windows")
    page.get_by_role("button", name="New window").press("Enter")
    page.get_by_role("textbox", name="Name", exact=True).fill("Generator test")
    page.get_by_role("textbox", name="Why").fill("Every night")
    page.get_by_role("button", name="Again and again").press("Enter")
    expect(page.get_by_role("textbox", name="How often")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Generator test")
    page.get_by_role("button", name="Show its times").press("Enter")
    expect(page.locator(".admin-times li")).to_have_count(5)
    page.get_by_role("button", name="Make the window").press("Enter")
    expect(page.locator("#admin-body")).to_contain_text("Every day at")
    with company.rows() as make:
        name = make.session.scalar(
            select(Suppression.name).where(Suppression.tenant_id == company.tenant_id)
        )
    assert name == "Generator test"


@pytest.mark.window(viewport={"width": 390, "height": 844})
def test_on_a_narrow_screen_nothing_is_wider_than_it(watched: Watched, company: Company) -> None:
    page = as_admin(watched, company, "users")
    page.get_by_role("button", name="Maya Fernandes").click()
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    for part in ("Settings", "Sites and rosters", "Who did what"):
        page.get_by_role("link", name=part).click()
        expect(page.locator(".admin-tab[aria-current]")).to_have_text(part)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("document.getElementById('page').scrollWidth") <= 390

"""Reviewing by keyboard, on a real server."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Company, Watched
from tests.dashboards.scored import scored
from tests.fraud.review.population import prediction

pytestmark = pytest.mark.browser

PATIENCE = 20_000
"""Milliseconds: the charts' program is big, and this is the first page that asks for it."""


def two_more(company: Company) -> None:
    """Two punches with lower scores than Meera's; Ben's is the most uncertain."""
    at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=4)
    with company.rows() as make:
        site = make.site(name="North Gate", timezone="UTC")
        for name, score in (("Ana Ruiz", 0.8), ("Ben Osei", 0.7)):
            scored(make, make.person(site, name=name), site, score=score, at=at)


def verdict_on(company: Company, punch: int) -> bool | None:
    with company.rows() as make:
        return prediction(make, punch).actual_fraud_detected


def shown(page: Page, name: str) -> None:
    expect(page.locator("#review-card:not(.is-loading) .review-name")).to_have_text(
        name, timeout=PATIENCE
    )


def test_punches_are_judged_by_keyboard_and_the_last_is_taken_back(
    watched: Watched, company: Company
) -> None:
    two_more(company)
    page = watched.sign_in(company, "/app/review")
    shown(page, "Meera Joshi")
    expect(page.locator("#review-map svg.main-svg").first).to_be_visible(timeout=PATIENCE)

    page.keyboard.press("n")
    page.keyboard.type("fg: not keys while writing")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    shown(page, "Ben Osei")
    expect(page.locator("#review-note")).to_have_value("")
    expect(page.locator(".review-last li").first).to_contain_text("Meera Joshi")
    expect(page.locator(".review-last li").first).to_contain_text("not keys while writing")
    assert verdict_on(company, company.punch.punch) is True

    page.keyboard.press("u")
    shown(page, "Ana Ruiz")
    page.keyboard.press("z")
    shown(page, "Ben Osei")
    page.keyboard.press("z")
    shown(page, "Meera Joshi")
    expect(page.locator(".review-given")).to_have_text("0")
    assert verdict_on(company, company.punch.punch) is None


def test_letters_can_be_switched_off_and_a_link_leads_to_one_punch(
    watched: Watched, company: Company
) -> None:
    two_more(company)
    with company.rows() as make:
        key = prediction(make, company.punch.punch).id
    page = watched.sign_in(company, "/app/review")
    shown(page, "Meera Joshi")
    page.keyboard.press("?")
    page.get_by_role("button", name="Letters act as keys").click()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.wait_for_timeout(300)
    shown(page, "Meera Joshi")
    page.get_by_role("button", name="Genuine").click()
    shown(page, "Ben Osei")

    page.goto(f"{watched.base}/app/review?punch={key}")
    shown(page, "Meera Joshi")
    expect(page.locator(".review-standing")).to_contain_text("Already found genuine")

"""What a role leaves out is not in the menu, refused at its address, and refused by its calls."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from noc.identity.passwords import hash_password
from tests.browser.conftest import PASSWORD, Company, Watched
from tests.browser.test_pages import live
from tests.fraud.review.population import prediction

pytestmark = pytest.mark.browser

CLOSED = {
    "/app/review": "reviewing punches",
    "/app/heatmap": "the fraud heatmap",
    "/app/model": "the model",
    "/app/admin?part=users": "managing users",
}


def operator(watched: Watched, company: Company) -> Page:
    email = f"olga-{company.email}"
    with company.rows() as make:
        make.user(
            "operator", email=email, name="Olga Petrova", password_hash=hash_password(PASSWORD)
        )
    page = watched.sign_in(dataclasses.replace(company, email=email))
    live(page)
    return page


def call(page: Page, body: dict[str, Any]) -> Any:
    """The page's own call, sent by the reader's browser with the reader's cookies."""
    return page.evaluate(
        """async (body) => {
            const token = document.cookie.split("; ").map((one) => one.split("="))
                .find(([name]) => name === "noc_csrf");
            const answer = await fetch("/app/_dash-update-component", {
                method: "POST", body,
                headers: { "Content-Type": "application/json",
                           "X-CSRFToken": decodeURIComponent(token[1]) },
            });
            return [answer.status, await answer.text()];
        }""",
        json.dumps(body),
    )


def test_an_operator_is_refused_what_is_a_security_managers(
    watched: Watched, company: Company
) -> None:
    page = operator(watched, company)
    menu = page.get_by_role("navigation", name="Pages")
    expect(menu.get_by_role("link", name="Live feed")).to_be_visible()
    for name in ("Review", "Heatmap", "Model"):
        expect(menu.get_by_role("link", name=name, exact=True)).to_have_count(0)
    for address, what in CLOSED.items():
        page.goto(watched.base + address)
        expect(page.locator("#page")).to_contain_text("Not part of your role")
        expect(page.locator("#page")).to_contain_text(what)


def test_a_call_of_a_closed_page_is_refused_with_an_operators_cookie(
    watched: Watched, company: Company
) -> None:
    watched.expected = ("403",)
    page = operator(watched, company)
    with company.rows() as make:
        key = prediction(make, company.punch.punch).id
    said = {"id": str(key), "verdict": "CONFIRMED", "note": None, "expected": None}
    body: dict[str, Any] = {
        "inputs": [
            {"id": "review-steps", "property": "data", "value": {"number": 1, "steps": [said]}}
        ],
        "state": [],
        "changedPropIds": ["review-steps.data"],
    }
    known = page.evaluate("fetch('/app/_dash-dependencies').then((answer) => answer.json())")
    (judge,) = [one for one in known if one["output"].startswith("..review-judged.data")]
    body["output"] = judge["output"]
    body["outputs"] = [
        dict(zip(("id", "property"), part.rsplit(".", 1), strict=True))
        for part in judge["output"].strip(".").split("...")
    ]
    status, answer = call(page, body)
    assert status == 403, answer
    assert "security:fraud:review" in answer
    with company.rows() as make:
        assert prediction(make, company.punch.punch).actual_fraud_detected is None


@pytest.mark.window(viewport={"width": 390, "height": 844}, color_scheme="light", has_touch=True)
def test_on_a_phone_four_pages_are_near_and_the_rest_behind_more(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company, "/app/alerts")
    live(page)
    bar = page.get_by_role("navigation", name="Pages")
    expect(bar.get_by_role("link")).to_have_text(["Overview", "Live feed", "Alerts", "Tickets"])
    more = bar.get_by_role("button", name="More")
    for one in (*bar.get_by_role("link").all(), more):
        box = one.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert min(box["width"], box["height"]) >= 44
    more.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="More pages")
    expect(sheet).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")
    more.tap()
    sheet.get_by_role("link", name="Heatmap").tap()
    page.wait_for_url("**/app/heatmap**")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("heading", name="Fraud heatmap")).to_be_visible()
    expect(more).to_have_class("nav-link is-here")
    more.tap()
    expect(sheet.locator('[aria-current="page"]')).to_have_text("Heatmap")
    expect(sheet.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.window(viewport={"width": 390, "height": 844}, color_scheme="light", has_touch=True)
def test_behind_more_is_what_the_role_has(watched: Watched, company: Company) -> None:
    page = operator(watched, company)
    page.get_by_role("button", name="More").tap()
    sheet = page.get_by_role("dialog", name="More pages")
    expect(sheet.get_by_role("link")).to_have_text(
        ["Findings", "Incidents", "People", "Baselines", "On call", "Administration"]
    )

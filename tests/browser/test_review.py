"""Reviewing by keyboard, on a real server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from noc.fraud.review.labelling import Said, Seen, label
from tests.browser.conftest import Company, Watched
from tests.dashboards.scored import scored
from tests.fraud.review.population import prediction

pytestmark = pytest.mark.browser

PATIENCE = 45_000
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
    """The punch is there, and can be judged."""
    card = page.locator("#review-card:not(.is-loading)")
    expect(card.locator(".review-name")).to_have_text(name, timeout=PATIENCE)
    expect(page.locator('[data-review-step="CONFIRMED"]')).to_be_enabled(timeout=PATIENCE)


def note(page: Page) -> Locator:
    return page.locator("#review-note")


def slowed(page: Page, output: str, asked: list[str]) -> Callable[[], None]:
    """Hold back the answers of one callback until what is returned is called."""
    held: list[Route] = []
    through = False

    def carry(route: Route) -> None:
        body = route.request.post_data or ""
        if f'"output":"{output}' not in body.replace(" ", "") and f"..{output}" not in body:
            return route.continue_()
        asked.append(body)
        if through:
            return route.continue_()
        return held.append(route)

    def let_go() -> None:
        nonlocal through
        through = True
        while held:
            held.pop(0).continue_()

    page.route("**/_dash-update-component*", carry)
    return let_go


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
    expect(note(page)).to_have_value("")
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
    # A key that acts leaves the page at once, and what comes after it is asked for.
    page.keyboard.press("?")
    expect(page.locator("#review-help[open]")).to_be_visible()
    page.keyboard.press("Escape")
    shown(page, "Meera Joshi")
    page.get_by_role("button", name="Genuine").click()
    shown(page, "Ben Osei")

    page.goto(f"{watched.base}/app/review?punch={key}")
    shown(page, "Meera Joshi")
    expect(page.locator(".review-standing")).to_contain_text("Already found genuine")


def test_a_note_goes_with_its_punch_and_with_no_other_however_busy_the_machine(
    watched: Watched, company: Company
) -> None:
    two_more(company)
    page = watched.sign_in(company, "/app/review")
    shown(page, "Meera Joshi")
    # What the page has to do for a letter is still to be done when the next key comes.
    page.evaluate(
        """() => {
            const field = document.getElementById("review-note");
            const press = (target, key) => target.dispatchEvent(
                new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
            const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
            field.focus();
            set.call(field, "for Meera alone");
            field.dispatchEvent(new InputEvent("input", { bubbles: true }));
            press(field, "Escape");
            press(document.body, "f");
        }"""
    )
    shown(page, "Ben Osei")
    expect(note(page)).to_have_value("")
    note(page).fill("Ben was seen at the gate")
    page.get_by_role("button", name="Genuine").click()
    shown(page, "Ana Ruiz")
    expect(note(page)).to_have_value("")
    expect(page.locator(".review-last li")).to_have_count(2)
    said = page.locator(".review-last li")
    expect(said.filter(has_text="Meera Joshi")).to_contain_text("for Meera alone")
    expect(said.filter(has_text="Ben Osei")).to_contain_text("Ben was seen at the gate")
    page.keyboard.press("z")
    shown(page, "Ben Osei")
    expect(note(page)).to_have_value("Ben was seen at the gate")


def test_a_key_pressed_twice_judges_one_punch(watched: Watched, company: Company) -> None:
    two_more(company)
    page = watched.page
    dealt: list[Request] = []

    def third(request: Request) -> bool:
        if "review-dealt" in (request.post_data or ""):
            dealt.append(request)
        return len(dealt) == 3

    # All three are at hand: nothing but the drawing is to be waited for.
    with page.expect_event("requestfinished", third, timeout=PATIENCE):
        watched.sign_in(company, "/app/review")
    shown(page, "Meera Joshi")
    # The second one comes before the next punch is drawn, and is meant for the first.
    page.evaluate(
        """() => ["f", "f", "g"].forEach((key) => document.body.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))"""
    )
    shown(page, "Ben Osei")
    expect(page.locator(".review-given")).to_have_text("1")
    expect(page.locator(".review-last li")).to_have_count(1)
    assert verdict_on(company, company.punch.punch) is True


def test_what_is_typed_while_the_next_punch_is_on_its_way_is_no_verdict_on_another(
    watched: Watched, company: Company
) -> None:
    two_more(company)
    page = watched.sign_in(company, "/app/review")
    shown(page, "Meera Joshi")
    asked: list[str] = []
    answer = slowed(page, "review-judged.data", asked)
    page.keyboard.press("f")
    shown(page, "Ben Osei")
    page.keyboard.press("z")
    # Meera's punch is to come back: this is meant for it, and must not be taken for Ben's.
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.keyboard.type("gf: somebody writes")
    answer()
    expect(page.locator(".review-given")).to_have_text("0")
    expect(note(page)).to_have_value("gf: somebody writes")
    expect(page.locator(".review-name")).to_have_text("Ben Osei")
    page.keyboard.press("Escape")
    shown(page, "Meera Joshi")
    expect(note(page)).to_have_value("")
    assert verdict_on(company, company.punch.punch) is None
    assert not any("FALSE_POSITIVE" in body for body in asked)
    page.keyboard.press("g")
    shown(page, "Ben Osei")
    expect(note(page)).to_have_value("gf: somebody writes")


def test_a_punch_that_is_gone_is_not_taken_from_under_who_writes_about_it(
    watched: Watched, company: Company
) -> None:
    two_more(company)
    page = watched.page
    asked: list[str] = []
    answer = slowed(page, "review-dealt.data", asked)
    watched.sign_in(company, "/app/review")
    expect(note(page)).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#review-card.is-loading")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("n")
    page.keyboard.type("fu: the phone was his brother's")
    with company.rows() as make:
        key = prediction(make, company.punch.punch).id
        olga = make.user("security_manager", name="Olga Petrova")
        label(
            [Said(key, "CONFIRMED", None, Seen(None))],
            tenant_id=company.tenant_id, user_id=olga.id, token=None, site_ids=None,
            now=dt.datetime.now(dt.UTC),
        )  # fmt: skip
    answer()
    shown(page, "Meera Joshi")
    expect(page.locator(".review-standing")).to_contain_text("Already found fraud by Olga Petrova")
    expect(note(page)).to_have_value("fu: the phone was his brother's")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    shown(page, "Ben Osei")
    expect(note(page)).to_have_value("")

"""The overview follows the feed; tickets are moved by keys, menu and pointer, opened by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from noc.tickets import workflow
from noc.tickets.models import Ticket
from tests.browser.conftest import Company, Watched
from tests.browser.test_pages import live, raise_alert

pytestmark = pytest.mark.browser

BOARD = "/app/tickets?show=board"


def board(watched: Watched, company: Company) -> Page:
    page = watched.sign_in(company, "/app/tickets")
    page.goto(watched.base + BOARD)
    expect(page.locator(".card")).to_have_count(1)
    live(page)
    return page


def column(page: Page, name: str) -> Locator:
    return page.locator(f'.board-column[data-column="{name}"]')


def status_of(company: Company) -> str:
    with company.rows() as make:
        return str(make.session.get_one(Ticket, (company.tenant_id, company.punch.ticket)).status)


def test_the_overview_follows_the_feed_and_its_numbers_lead_to_their_lists(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company, "/app/overview")
    expect(page.locator(".lede h2")).to_contain_text("1 critical alert is open")
    live(page)
    expect(page.locator("#overview-feed")).to_have_text("live")
    page.evaluate("window.stays = true")
    raise_alert(company, "The gate was left open.", "CRITICAL")
    expect(page.locator(".lede h2")).to_contain_text("2 critical alerts are open")
    assert page.evaluate("window.stays") is True, "the page was loaded anew"
    page.get_by_role("link", name="critical alerts, under 1").click()
    expect(page.locator("#alerts-count")).to_have_text("1 alert")
    expect(page.locator("#alerts-grid")).to_contain_text("The gate was left open.")


def test_a_card_goes_by_keys_by_its_menu_and_by_dragging(
    watched: Watched, company: Company
) -> None:
    page = board(watched, company)
    card = page.locator(".card")
    card.locator(".card-title").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(column(page, "working").locator(".card")).to_have_count(1)
    expect(card.locator(".card-title")).to_be_focused()
    assert status_of(company) == "IN_PROGRESS"

    page.keyboard.press("m")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(card.locator(".card-title")).to_be_focused()
    card.get_by_role("button", name="Move").click()
    page.get_by_role("menuitem", name="Put on hold").click()
    expect(column(page, "on_hold").locator(".card")).to_have_count(1)
    expect(card.locator("time.left")).to_contain_text("stands")

    card.drag_to(column(page, "working"))
    expect(column(page, "working").locator(".card")).to_have_count(1)
    expect(card.locator("time.left")).not_to_contain_text("stands")
    card.drag_to(column(page, "resolved"))
    page.get_by_role("menuitem", name="Resolve: fixed").click()
    expect(column(page, "resolved").locator(".card")).to_have_count(1)
    assert status_of(company) == "RESOLVED"


def test_a_move_is_taken_back_with_a_key(watched: Watched, company: Company) -> None:
    page = board(watched, company)
    page.locator(".card .card-title").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(column(page, "working").locator(".card")).to_have_count(1)
    expect(page.locator(".toast")).to_contain_text("is in progress")
    page.keyboard.press("u")
    expect(column(page, "waiting").locator(".card")).to_have_count(1)
    expect(page.locator(".toast").last).to_contain_text("is new again")
    assert status_of(company) == "NEW"


def test_who_was_slower_is_told_what_happened(watched: Watched, company: Company) -> None:
    page = board(watched, company)
    page.locator(".card-move").click()
    expect(page.get_by_role("menu")).to_be_visible()
    with company.rows() as make:
        olga = make.user("operator", name="Olga Petrova")
        now = dt.datetime.now(dt.UTC)
        workflow.transition(company.punch.ticket, "ON_HOLD", user_id=olga.id, now=now)
    page.get_by_role("menuitem", name="Start work").click()
    said = page.locator("#tickets-said")
    expect(said).to_contain_text("was not moved: Olga Petrova set it to on hold")
    expect(column(page, "on_hold").locator(".card")).to_have_count(1)
    assert status_of(company) == "ON_HOLD"
    said.get_by_role("button", name="Look at").click()
    expect(page.locator("#detail")).to_contain_text("by Olga Petrova")


def test_a_ticket_is_opened_by_hand(watched: Watched, company: Company) -> None:
    page = board(watched, company)
    page.get_by_role("button", name="New ticket").click()
    form = page.get_by_role("dialog", name="New ticket")
    form.get_by_role("button", name="Open the ticket").click()
    expect(form).to_contain_text("Say in a line what is to be done")
    form.get_by_label("Title").fill("The lamp at the gate is out")
    form.get_by_label("Guard").fill("Meera")
    page.get_by_role("option", name="Meera Joshi").click()
    form.get_by_role("button", name="Open the ticket").click()
    expect(form).to_be_hidden()
    expect(page.locator("#detail .drawer-title")).to_have_text("The lamp at the gate is out")
    expect(page.locator(".card")).to_have_count(2)
    with company.rows() as make:
        query = select(Ticket).where(Ticket.title == "The lamp at the gate is out")
        ticket = make.session.scalars(query).one()
        assert (ticket.person_id, ticket.source) == (company.person_id, "MANUAL")


@pytest.mark.window(viewport={"width": 390, "height": 844}, color_scheme="light")
def test_both_fit_a_narrow_screen(watched: Watched, company: Company) -> None:
    page = watched.sign_in(company, "/app/overview")
    expect(page.locator(".lede h2")).to_contain_text("critical")
    assert page.evaluate("document.getElementById('page').scrollWidth") <= 390
    page.goto(watched.base + BOARD)
    expect(page.locator(".card")).to_be_visible()
    assert page.evaluate("document.getElementById('page').scrollWidth") <= 390

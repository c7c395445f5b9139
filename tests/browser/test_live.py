"""Triage on the live feed: keys, many at once, views, two people at one alert, and the wall."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from noc.alerts import lifecycle
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert
from noc.domain import Severity
from noc.identity.passwords import hash_password
from noc.tickets.models import Ticket
from tests.browser.conftest import PASSWORD, Company, Server, Watched
from tests.browser.test_pages import feed_row, live, status_of

pytestmark = pytest.mark.browser


def raise_alert(company: Company, message: str, severity: Severity = "HIGH") -> int:
    """A monitor reports trouble of its own, in another process than the web server's."""
    now = dt.datetime.now(dt.UTC)
    with company.rows():
        alert = AlertInput(
            "DEVICE_OFFLINE", severity, message, now, site_id=company.site_id,
            person_id=company.person_id, dedup_key=message,
        )  # fmt: skip
        return process_alert(alert, now=now).id


def raise_three(company: Company) -> list[int]:
    return [raise_alert(company, f"Gate {n} was left open.") for n in range(3)]


def ready(watched: Watched, company: Company, path: str = "/app/") -> Page:
    page = watched.sign_in(company, path)
    live(page)
    expect(page.locator(".noc-grid .ag-row").first).to_be_visible()
    return page


def selected(page: Page) -> list[str]:
    return sorted(page.evaluate("noc.table.selected()"))


def test_many_are_triaged_by_keys_alone(watched: Watched, company: Company) -> None:
    page = ready(watched, company)
    ids = raise_three(company)
    expect(feed_row(page, "Gate 2")).to_be_visible()
    page.keyboard.press("j")
    expect(feed_row(page, "Gate 2")).to_have_class(re.compile("row-current"))
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.locator("#live-bulk")).to_contain_text("2 selected")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_contain_text("Snooze 2 alerts")
    page.keyboard.press("2")
    expect(page.locator(".toast")).to_contain_text("2 alerts snoozed")
    expect(feed_row(page, "Gate 1")).to_contain_text("Shelved")
    expect(page.locator("#live-bulk")).to_be_hidden()
    page.keyboard.press("u")
    expect(feed_row(page, "Gate 1").locator(".state-new")).to_be_visible()
    expect(page.locator(".toast").last).to_contain_text("2 alerts put back")
    assert [status_of(company, key) for key in ids] == ["NEW"] * 3


def test_what_was_taken_is_put_back_by_a_key_unless_somebody_did_more(
    watched: Watched, company: Company
) -> None:
    with company.rows() as make:
        olga = make.user("operator", name="Olga Petrova").id
    page = ready(watched, company)
    first, second = (raise_alert(company, f"Gate {n} was left open.") for n in range(2))
    expect(feed_row(page, "Gate 1")).to_be_visible()
    with company.rows():
        now = dt.datetime.now(dt.UTC)
        lifecycle.assign(first, assignee_id=olga, user_id=olga, now=now)
    expect(feed_row(page, "Gate 0")).to_contain_text("with Olga Petrova")
    feed_row(page, "Gate 0").locator("input[type=checkbox]").check()
    feed_row(page, "Gate 1").locator("input[type=checkbox]").check()
    page.keyboard.press("t")
    expect(page.locator(".toast")).to_contain_text("2 alerts taken")
    expect(feed_row(page, "Gate 0")).to_contain_text("with Maya Fernandes")
    with company.rows():
        now = dt.datetime.now(dt.UTC)
        lifecycle.assign(second, assignee_id=olga, user_id=olga, now=now)
    expect(feed_row(page, "Gate 1")).to_contain_text("with Olga Petrova")
    page.keyboard.press("u")
    expect(page.locator(".toast-bad")).to_contain_text("Olga Petrova assigned it since")
    # One goes back to whoever had it, the other stays with whoever has it now.
    expect(feed_row(page, "Gate 0")).to_contain_text("with Olga Petrova")
    with company.rows() as make:
        for key in (first, second):
            found = make.session.get_one(Alert, (company.tenant_id, key))
            assert (found.status, found.assignee_id) == ("ASSIGNED", olga)


def test_a_step_in_the_drawer_is_put_back_by_its_notice(watched: Watched, company: Company) -> None:
    page = ready(watched, company, "/app/alerts")
    alert = raise_alert(company, "The gate was left open.")
    page.goto(f"{watched.base}/app/alerts?open=alert:{alert}")
    detail = page.locator("#detail")
    detail.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".toast")).to_contain_text("Alert acknowledged")
    expect(detail.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Alert put back")
    expect(detail).to_contain_text("Step taken back")
    assert status_of(company, alert) == "NEW"


def test_the_row_one_stands_on_stays_the_same_when_others_come_in_above(
    watched: Watched, company: Company
) -> None:
    page = ready(watched, company)
    (first, *_) = raise_three(company)
    expect(feed_row(page, "Gate 2")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("j")
    expect(feed_row(page, "Gate 0")).to_have_class(re.compile("row-current"))
    others = [raise_alert(company, f"Door {n} stands open.") for n in range(3)]
    expect(feed_row(page, "Door 2")).to_be_visible()
    page.keyboard.press("t")
    expect(feed_row(page, "Gate 0")).to_contain_text("with Maya Fernandes")
    expect(page.locator(".toast")).to_contain_text("Alert taken")
    assert status_of(company, first) == "ASSIGNED"
    assert {status_of(company, key) for key in others} == {"NEW"}


def test_a_range_becomes_one_ticket_and_what_is_refused_is_told(
    watched: Watched, company: Company
) -> None:
    page = ready(watched, company)
    ids = raise_three(company)
    expect(feed_row(page, "Gate 2")).to_be_visible()
    feed_row(page, "Gate 2").locator("input[type=checkbox]").check()
    feed_row(page, "Gate 0").click(modifiers=["Shift"], position={"x": 300, "y": 10})
    assert selected(page) == sorted(f"alert:{key}" for key in ids)
    page.keyboard.press("o")
    expect(page.locator(".toast")).to_contain_text("Ticket T-")
    expect(page.locator("#live-bulk")).to_be_hidden()
    with company.rows() as make:
        opened = make.session.query(Ticket).order_by(Ticket.id.desc()).first()
        assert opened is not None
        assert "and 2 more" in opened.title
    feed_row(page, "Gate 1").click(position={"x": 300, "y": 10})
    expect(page.locator("#detail")).to_contain_text("Gate 1")
    page.keyboard.press("r")
    page.keyboard.press("3")
    expect(page.locator("#detail")).to_contain_text("Resolved")
    page.keyboard.press("a")
    expect(page.locator(".toast-bad")).to_contain_text("It is resolved and cannot be acknowledged")


def test_a_view_is_kept_and_stands_in_the_address(watched: Watched, company: Company) -> None:
    page = ready(watched, company)
    raise_alert(company, "Fire in the hall.", "CRITICAL")
    raise_alert(company, "Camera 14 restarted.", "LOW")
    expect(feed_row(page, "Camera 14")).to_be_visible()
    page.get_by_role("button", name="Critical now").click()
    expect(feed_row(page, "Camera 14")).to_have_count(0)
    expect(feed_row(page, "Fire in the hall")).to_be_visible()
    assert "severity=CRITICAL&open=1" in page.url
    page.keyboard.press("/")
    page.keyboard.type("fire")
    expect(page).to_have_url(re.compile("q=fire"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save view").click()
    page.keyboard.type("Fires")
    page.keyboard.press("Enter")
    expect(page.locator("#live-views")).to_contain_text("Fires1")
    page.reload()
    expect(feed_row(page, "Fire in the hall")).to_be_visible()
    expect(feed_row(page, "Camera 14")).to_have_count(0)
    expect(page.locator("#live-views [aria-pressed=true]")).to_contain_text("Fires")
    page.get_by_role("button", name="Everything").click()
    expect(feed_row(page, "Camera 14")).to_be_visible()
    page.get_by_role("button", name="Mine", exact=False).first.click()
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()


def test_two_people_at_one_alert_see_each_other(
    watched: Watched, company: Company, browser: Browser, server: Server
) -> None:
    alert = raise_alert(company, "The gate was left open.")
    with company.rows() as make:
        email = f"olga-{company.email}"
        make.user(
            "operator", email=email, name="Olga Petrova", password_hash=hash_password(PASSWORD)
        )
    page = ready(watched, company)
    other = Watched(browser.new_context().new_page(), server.url)
    olga = ready(other, dataclasses.replace(company, email=email))
    feed_row(olga, "gate was left open").click(position={"x": 300, "y": 10})
    row = page.locator(f'#live-grid .ag-row[row-id="alert:{alert}"]')
    expect(row.locator(".lookers")).to_have_attribute("title", "Olga Petrova is looking")
    row.click(position={"x": 300, "y": 10})
    expect(page.locator("#drawer-looking")).to_contain_text("Olga Petrova is looking")
    expect(olga.locator("#drawer-looking")).to_contain_text("Maya Fernandes is looking")
    other.page.context.close()
    expect(row.locator(".lookers")).to_have_count(0)
    other.check()


def test_a_cut_leaves_a_line_that_says_what_was_caught_up(
    watched: Watched, company: Company
) -> None:
    lines: list[WebSocketRoute] = []
    away = False

    def carry(line: WebSocketRoute) -> None:
        if away:
            line.close(code=1001)
        else:
            lines.append(line)
            line.connect_to_server()

    watched.page.route_web_socket(re.compile("/ws/noc/dashboard/"), carry)
    page = ready(watched, company)
    expect(page.locator("#live-grid .ag-row").first).to_be_visible()
    away = True
    lines[-1].close(code=1001)
    expect(page.locator("#feed-badge")).not_to_have_text("live")
    raise_three(company)
    away = False
    expect(page.locator(".gap-line")).to_contain_text("3 events caught up")
    expect(page.locator(".gap-line")).to_contain_text("Reconnected after")


def test_the_keys_are_shown_and_sounds_are_off_until_wanted(
    watched: Watched, company: Company
) -> None:
    page = ready(watched, company)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("open a ticket")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    raise_alert(company, "Fire in the hall.", "CRITICAL")
    expect(page.locator("#live-said")).to_contain_text("Critical: Phone offline, Meera Joshi")
    assert page.evaluate("noc.notice.played || 0") == 0
    page.locator("#live-sound").click()
    page.get_by_label("Critical", exact=True).check()
    page.get_by_role("button", name="Done").click()
    raise_alert(company, "Smoke in the hall.", "CRITICAL")
    expect(feed_row(page, "Smoke in the hall")).to_be_visible()
    page.wait_for_function("noc.notice.played === 1")
    page.locator("#live-pause").click()
    raise_alert(company, "Glass in the hall.", "CRITICAL")
    expect(page.locator("#live-pause")).to_contain_text("1 new")
    assert page.evaluate("noc.notice.played") == 1


@pytest.mark.window(viewport={"width": 1920, "height": 1080})
def test_the_wall_screen_fills_itself_and_is_left_by_escape(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company, "/app/?wall=1")
    expect(page.locator("#wall-health")).to_have_text("Feed live")
    expect(page.locator(".nav")).to_be_hidden()
    alert = raise_alert(company, "Fire in the hall.", "CRITICAL")
    expect(page.locator("#wall-critical")).to_contain_text("Phone offline")
    expect(page.locator("#wall-last li").first).to_contain_text("Meera Joshi")
    with company.rows() as make:
        found = make.session.get_one(Alert, (company.tenant_id, alert))
        assert found.occurred_at <= dt.datetime.now(dt.UTC)
    page.keyboard.press("Escape")
    expect(page.locator("#live-grid")).to_be_visible()
    expect(page.locator(".nav")).to_be_visible()

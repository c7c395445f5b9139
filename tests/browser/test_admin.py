"""Administration in the browser: secrets seen once, windows made, lists with an address."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from noc.alerts.suppression.models import Suppression
from noc.identity.models import User
from noc.notifications.models import NotificationDelivery, NotificationRoute
from noc.workforce.models import Site
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


def names_in(page: Page, name: str) -> list[str]:
    return page.locator(f"#admin-{name}-table tbody th .text-btn").all_inner_texts()


def many_sites(company: Company) -> None:
    with company.rows() as make:
        for number in range(1, 131):
            make.site(name=f"Yard {number:03}", active=number > 3)


def address(page: Page, /, **wanted: str) -> None:
    """The address has these choices, in whichever order its controls came, and no others."""
    page.wait_for_function(
        """(wanted) => {
            const sorted = (pairs) => JSON.stringify([...pairs].sort());
            return sorted(new URLSearchParams(location.search)) === sorted(Object.entries(wanted));
        }""",
        arg=wanted,
    )


def test_what_is_searched_and_how_much_is_shown_stands_in_the_address(
    watched: Watched, company: Company
) -> None:
    many_sites(company)
    page = as_admin(watched, company, "sites")
    rows = page.locator("#admin-sites-table tbody tr")
    expect(rows).to_have_count(50)
    assert page.url.endswith("/app/admin?part=sites")
    page.locator("#sites-search").fill("yard")
    address(page, part="sites", search="yard")
    expect(page.locator("#admin-sites-count")).to_have_text("130 of 131 sites")
    page.locator("#sites-state").click()
    page.get_by_role("option", name="In use").click()
    expect(page.locator("#admin-sites-count")).to_have_text("127 of 131 sites")
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(100)
    address(page, part="sites", search="yard", state="active", page="2")

    shown = names_in(page, "sites")
    page.reload()
    expect(rows).to_have_count(100)
    expect(page.locator("#sites-search")).to_have_value("yard")
    assert names_in(page, "sites") == shown

    # To another part and back: each as it was left.
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="Users").click()
    expect(page.locator("#admin-users-table")).to_contain_text("Maya Fernandes")
    address(page, part="users")
    page.go_back()
    expect(rows).to_have_count(100)
    expect(page.locator("#sites-search")).to_have_value("yard")
    address(page, part="sites", search="yard", state="active", page="2")
    # The tab of the part itself leads to it without a search, and back to the search.
    page.get_by_role("link", name="Sites and rosters").click()
    expect(page.locator("#admin-sites-count")).to_have_text("131 sites")
    expect(page.locator("#sites-search")).to_have_value("")
    page.go_back()
    expect(rows).to_have_count(100)
    # Another search begins at its beginning.
    page.locator("#sites-search").fill("yard 01")
    expect(rows).to_have_count(10)
    address(page, part="sites", search="yard 01", state="active")
    assert page.evaluate("window.stays") is True, "the page was loaded anew"


def test_two_lists_of_a_part_have_addresses_of_their_own(
    watched: Watched, company: Company
) -> None:
    with company.rows() as make:
        for name in ("Desk", "Night"):
            route = make.row(
                NotificationRoute,
                {"name": name, "channel": "email", "addresses": [f"{name}@a.example".lower()]},
            )
            values = {"route_id": route.id, "event_id": uuid.uuid4(), "kind": "alert_opened",
                      "severity": "HIGH", "payload": {}}  # fmt: skip
            make.row(NotificationDelivery, values)
    page = as_admin(watched, company, "notifications&search=night&sent=desk&sent-state=pending")
    expect(page.locator("#admin-routes-table tbody tr")).to_have_count(1)
    expect(page.locator("#admin-routes-table")).to_contain_text("night@a.example")
    expect(page.locator("#admin-deliveries-table tbody tr")).to_have_count(1)
    expect(page.locator("#admin-deliveries-table")).to_contain_text("Desk")
    page.get_by_label("Route or site").fill("")
    expect(page.locator("#admin-deliveries-table tbody tr")).to_have_count(2)
    address(page, part="notifications", search="night", **{"sent-state": "pending"})
    # What is opened leaves both lists as they are, and is marked in its own.
    page.locator("#admin-deliveries-table").get_by_role("button").first.click()
    expect(page.locator(".admin-side")).to_contain_text("New alerts by")
    expect(page.locator("tr.is-chosen")).to_have_count(1)
    expect(page.locator("#admin-routes-table tbody tr")).to_have_count(1)
    with page.expect_download() as waiting:
        page.get_by_title("Save the table as CSV: deliveries").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == '"News","Route","Where","State","When"'
    assert len(lines) == 3


def test_a_roster_is_searched_beside_its_site(watched: Watched, company: Company) -> None:
    with company.rows() as make:
        site = make.session.get_one(Site, (company.tenant_id, company.site_id))
        today = dt.datetime.now(dt.UTC).replace(hour=8, minute=0)
        for number in range(60):
            make.shift(make.person(site, name=f"Guard {number:02}"), site, today)
    page = as_admin(watched, company, "sites")
    page.get_by_role("button", name="Harbour Depot").click()
    rows = page.locator("#admin-roster-table tbody tr")
    expect(rows).to_have_count(50)
    roster = page.locator(".section", has=page.locator("#admin-roster-table"))
    roster.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(60)
    roster.get_by_label("Name or code of a guard").fill("guard 07")
    expect(rows).to_have_count(1)
    address(page, part="sites")
    roster.get_by_role("button", name="Week before").click()
    expect(
        page.locator(".admin-side, .section").filter(has_text="Nobody is planned")
    ).to_be_visible()


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

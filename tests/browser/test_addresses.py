"""What stands open in the drawer has an address."""

from __future__ import annotations

import datetime as dt
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from noc.workforce.models import Person, Site
from tests.browser.conftest import Company, Watched
from tests.browser.test_pages import live, raise_alert
from tests.dashboards.modelled import START, version

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


def linked(company: Company) -> int:
    """Ana Ruiz, who has used the same phone as the company's guard: her id."""
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    with company.rows() as make:
        site = make.session.get_one(Site, (company.tenant_id, company.site_id))
        guard = make.session.get_one(Person, (company.tenant_id, company.person_id))
        friend = make.person(site, name="Ana Ruiz", code="G121")
        phone = make.device(code="D77", person_id=guard.id)
        for person in (guard, friend):
            make.punch(person, site, occurred_at=at, device_id=phone.id)
        return friend.id


def test_a_linked_guard_has_an_address_of_their_own(watched: Watched, company: Company) -> None:
    friend = linked(company)
    page = watched.sign_in(company)
    page.goto(f"{watched.base}/app/person/{company.person_id}?days=90#guard-side")
    expect(page.get_by_role("heading", name="Meera Joshi", level=2)).to_be_visible()
    graph = page.locator("#person-graph-links")
    expect(graph).to_contain_text("Ana Ruiz")
    graph.scroll_into_view_if_needed()
    spot = page.evaluate(
        """friend => {
            const plot = document.querySelector('#person-graph-links .js-plotly-plot');
            const box = plot.getBoundingClientRect();
            const { xaxis, yaxis } = plot._fullLayout;
            const trace = plot._fullData.find((one) => one.customdata);
            const at = trace.customdata.findIndex(([id]) => id === friend);
            return [box.left + xaxis._offset + xaxis.d2p(trace.x[at]),
                    box.top + yaxis._offset + yaxis.d2p(trace.y[at])];
        }""",
        friend,
    )
    page.mouse.move(*spot)
    page.mouse.click(*spot)
    expect(page.get_by_role("heading", name="Ana Ruiz", level=2)).to_be_visible()
    # What was chosen on the page before, and the part that it was opened at, stayed there.
    expect(page).to_have_url(re.compile(rf"/app/person/{friend}\?days=30$"))
    page.go_back()
    expect(page.get_by_role("heading", name="Meera Joshi", level=2)).to_be_visible()
    expect(page.get_by_role("radio", name="90 days")).to_be_checked()


def test_the_period_of_a_person_stands_in_the_address(watched: Watched, company: Company) -> None:
    page = watched.sign_in(company, "/app/people")
    page.get_by_role("link", name="Meera Joshi").click()
    page.locator("#person-days").get_by_text("90 days").click()
    expect(page).to_have_url(re.compile(rf"/app/person/{company.person_id}\?days=90$"))
    page.reload()
    expect(page.get_by_role("radio", name="90 days")).to_be_checked()


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


def test_another_version_leaves_the_what_if_in_the_address(
    watched: Watched, company: Company
) -> None:
    with company.rows() as make:
        version(make, "v1", status="active", passed=True, at=START)
        version(make, "v2")
    page = watched.sign_in(company, "/app/people")
    page.goto(f"{watched.base}/app/model?ask=budget&budget=12&span=7")
    expect(page.locator("tr.is-chosen")).to_contain_text("v1")
    page.locator("a.model-link", has_text="v2").press("Enter")
    expect(page.locator("tr.is-chosen")).to_contain_text("v2")
    asked = {"ask": ["budget"], "budget": ["12"], "span": ["7"]}
    expect_choices(page, asked | {"version": ["v2"]})

    page.get_by_text("90 days", exact=True).click()
    expect_choices(page, asked | {"span": ["90"], "version": ["v2"]})
    page.go_back()
    expect(page.locator("tr.is-chosen")).to_contain_text("v1")
    expect_choices(page, asked | {"span": ["90"]})
    page.reload()
    expect(page.locator("#model-budget")).to_have_value("12")
    expect_choices(page, asked | {"span": ["90"]})


def expect_choices(page: Page, choices: dict[str, list[str]]) -> None:
    """Sooner or later the address says these, however they are ordered; the threshold aside."""

    def said() -> dict[str, list[str]]:
        found = parse_qs(urlsplit(page.url).query)
        return {name: values for name, values in found.items() if name != "threshold"}

    deadline = time.monotonic() + 15
    while said() != choices and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert said() == choices

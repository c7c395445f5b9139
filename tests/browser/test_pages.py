"""What people do in the browser, on a real server."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from noc.alerts import lifecycle
from noc.alerts.models import Alert
from noc.alerts.process import AlertInput, process_alert
from noc.fraud.retraining import runs
from noc.identity.models import UserSession
from noc.identity.passwords import hash_password
from noc.runs.models import JobRun
from tests.browser.conftest import PASSWORD, Company, Server, Watched
from tests.dashboards.modelled import START, version, watch

pytestmark = pytest.mark.browser


def raise_alert(company: Company, message: str, severity: str = "HIGH") -> int:
    """A monitor reports trouble, in another process than the web server's."""
    now = dt.datetime.now(dt.UTC)
    with company.rows():
        alert = AlertInput(
            alert_type="DEVICE_OFFLINE",
            severity=severity,  # type: ignore[arg-type]
            message=message,
            occurred_at=now,
            site_id=company.site_id,
            person_id=company.person_id,
        )
        return process_alert(alert, now=now).id


def status_of(company: Company, alert_id: int) -> str:
    with company.rows() as make:
        return str(make.session.get_one(Alert, (company.tenant_id, alert_id)).status)


def fraud_row(page: Page, company: Company) -> Locator:
    """The row of the suspicious punch's alert."""
    return page.locator(f'#live-grid .ag-row[row-id="alert:{company.punch.alert}"]')


def feed_row(page: Page, text: str) -> Locator:
    return page.locator("#live-grid .ag-center-cols-container .ag-row", has_text=text)


def live(page: Page) -> None:
    expect(page.locator("#feed-badge")).to_have_text("live")


def test_a_wrong_password_is_told_and_the_right_one_leads_to_the_live_feed(
    watched: Watched, company: Company
) -> None:
    watched.expected = ("401",)
    page = watched.page
    page.goto(f"{watched.base}/app/heatmap")
    expect(page).to_have_title("Sign in · NOC Intelligence")
    page.get_by_label("E-mail").fill(company.email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    page.get_by_label("Password").fill("a long night shift")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Fraud heatmap")).to_be_visible()


def test_an_alert_appears_by_itself_is_acknowledged_and_that_is_undone(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company)
    live(page)
    page.evaluate("window.stays = true")
    alert_id = raise_alert(company, "The phone has been silent for 35 minutes.")
    row = feed_row(page, "silent for 35 minutes")
    expect(row).to_be_visible()
    expect(row).to_contain_text("Meera Joshi")
    expect(row).to_contain_text("High")
    row.get_by_role("button", name="Acknowledge").click()
    expect(row).to_contain_text("Acknowledged")
    expect(page.locator(".toast")).to_contain_text("Alert acknowledged")
    assert status_of(company, alert_id) == "ACKNOWLEDGED"
    page.get_by_role("button", name="Undo").click()
    expect(row.locator(".state-new")).to_be_visible()
    expect(page.locator(".toast")).to_contain_text("Alert put back")
    assert status_of(company, alert_id) == "NEW"
    assert page.evaluate("window.stays") is True, "the page was loaded anew"


def test_what_somebody_else_does_shows_in_the_row_and_in_the_open_drawer(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company)
    live(page)
    row = fraud_row(page, company)
    row.click()
    expect(page.locator("#detail .drawer-title")).to_have_text("Attendance fraud")
    with company.rows() as make:
        olga = make.user("operator", name="Olga Petrova")
        now = dt.datetime.now(dt.UTC)
        lifecycle.acknowledge(company.punch.alert, user_id=olga.id, now=now)
    expect(page.locator("#detail")).to_contain_text("by Olga Petrova")
    expect(row).to_contain_text("Acknowledged")


def test_filters_narrow_the_feed_and_say_how_much_there_is(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company)
    raise_alert(company, "Camera 14 restarted.", "INFO")
    expect(feed_row(page, "Camera 14")).to_be_visible()
    info = page.locator('[data-facet="severity"][data-value="INFO"]')
    expect(info).to_contain_text("1")
    page.locator('[data-facet="severity"][data-value="CRITICAL"]').click()
    expect(feed_row(page, "Camera 14")).to_have_count(0)
    page.locator('[data-facet="severity"][data-value="CRITICAL"]').click()
    page.locator('[data-facet="severity"][data-value="LOW"]').click()
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(feed_row(page, "Camera 14")).to_be_visible()


def test_a_paused_feed_counts_what_waits(watched: Watched, company: Company) -> None:
    page = watched.sign_in(company)
    live(page)
    expect(fraud_row(page, company)).to_be_visible()
    page.locator("#live-pause").click()
    raise_alert(company, "The gate was left open.")
    expect(page.locator("#live-pause")).to_contain_text("1 new")
    expect(feed_row(page, "gate was left open")).to_have_count(0)
    page.locator("#live-pause").click()
    expect(feed_row(page, "gate was left open")).to_be_visible()


def test_a_cell_of_the_heatmap_leads_to_its_punches_and_on_to_the_person(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company, "/app/heatmap")
    expect(page.get_by_role("heading", name="1 punch scored 0.80 or more")).to_be_visible()
    spot = page.wait_for_function(
        """hour => {
            const graph = document.querySelector('#heatmap-graph .js-plotly-plot');
            const layout = graph && graph._fullLayout;
            if (!layout || !layout.xaxis || !layout.yaxis._length) return null;
            const box = graph.getBoundingClientRect();
            return [box.left + layout.xaxis._offset + layout.xaxis.r2p(hour),
                    box.top + layout.yaxis._offset + layout.yaxis._length / 2];
        }""",
        arg=company.hour,
    ).json_value()
    page.mouse.move(*spot)
    page.mouse.click(*spot)
    cell = page.locator("#drill")
    expect(cell).to_contain_text("Harbour Depot")
    expect(cell).to_contain_text("The same phone punched for somebody else")
    cell.get_by_role("link", name="Meera Joshi").click()
    expect(page).to_have_url(re.compile(rf"/app/person/{company.person_id}(\?days=30)?$"))
    expect(page.get_by_role("heading", name="Meera Joshi")).to_be_visible()
    expect(page.get_by_role("heading", name="1 of 1 punch scored")).to_be_visible()
    expect(page.locator("#person-graph .js-plotly-plot")).to_be_visible()
    expect(page.get_by_text("A score is not a verdict").first).to_be_visible()


def test_colours_change_everywhere_without_a_reload_and_stay(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company, f"/app/person/{company.person_id}")
    tick = page.locator("#person-graph .xtick text >> visible=true").first
    expect(tick).to_be_visible()
    page.evaluate("window.stays = true")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between dark and light").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    expect(page.locator("#person-graph .xtick text >> visible=true").first).to_have_css(
        "fill", "rgb(86, 96, 112)"
    )
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    assert page.evaluate("window.stays") is True
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    expect(page.locator("#person-graph .xtick text >> visible=true").first).to_have_css(
        "fill", "rgb(86, 96, 112)"
    )


def test_a_person_is_found_from_the_keyboard(watched: Watched, company: Company) -> None:
    page = watched.sign_in(company, "/app/tickets")
    live(page)
    page.wait_for_url(re.compile(r"/app/tickets\?.*show="))
    page.keyboard.press("/")
    expect(page.locator("#finder")).to_be_focused()
    page.keyboard.type("meera")
    page.get_by_role("option", name="Meera Joshi · G120").click()
    expect(page).to_have_url(re.compile(rf"/app/person/{company.person_id}(\?days=30)?$"))
    expect(page.get_by_role("heading", name="Meera Joshi")).to_be_visible()


@pytest.mark.parametrize(
    "name", ["Overview", "Alerts", "Tickets", "People", "Heatmap", "Live feed"]
)
def test_each_page_opens_from_the_navigation(watched: Watched, company: Company, name: str) -> None:
    page = watched.sign_in(company, "/app/tickets")
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("navigation").locator('[aria-current="page"]')).to_have_text(name)
    expect(page.locator("#page")).to_contain_text(re.compile("Meera Joshi|Harbour Depot"))


@pytest.mark.window(viewport={"width": 390, "height": 844}, color_scheme="light")
def test_the_feed_fits_a_narrow_screen(watched: Watched, company: Company) -> None:
    page = watched.sign_in(company)
    expect(page.locator("#live-grid .card-cell").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_session_that_ended_leads_to_the_sign_in(watched: Watched, company: Company) -> None:
    watched.expected = ("401", "1008", "Callback error")
    page = watched.sign_in(company)
    live(page)
    expect(fraud_row(page, company)).to_be_visible()
    with company.rows() as make:
        make.session.query(UserSession).delete()
    page.get_by_role("navigation").get_by_role("link", name="Alerts").click()
    page.wait_for_url("**/login?next=**")


def test_a_feed_that_was_cut_goes_on_where_it_stopped(
    watched: Watched, company: Company, server: Server
) -> None:
    watched.expected = ("WebSocket", "ERR_CONNECTION_REFUSED", "Failed to fetch", "Callback error")
    page = watched.sign_in(company)
    live(page)
    server.stop()
    expect(page.locator("#feed-badge")).to_have_text("offline")
    raise_alert(company, "This happened while nobody could see it.")
    server.start()
    live(page)
    expect(feed_row(page, "while nobody could see it")).to_be_visible()


def test_an_action_that_did_not_arrive_is_taken_back_and_said(
    watched: Watched, company: Company, server: Server
) -> None:
    watched.expected = ("503", "Callback error")
    page = watched.sign_in(company)
    live(page)
    row = fraud_row(page, company)
    page.route(
        "**/_dash-update-component*",
        lambda route: (
            route.fulfill(status=503, body="{}")
            if "feed-result.data" in (route.request.post_data or "")
            else route.continue_()
        ),
    )
    row.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".toast")).to_contain_text("did not reach the server")
    expect(row.locator(".state-new")).to_be_visible()
    assert status_of(company, company.punch.alert) == "NEW"


def test_an_administrator_follows_a_training_and_changes_who_scores(
    watched: Watched, company: Company
) -> None:
    email = f"ada-{company.email}"
    with company.rows() as make:
        make.user("admin", email=email, name="Ada", password_hash=hash_password(PASSWORD))
        version(make, "v1", status="active", passed=True, at=START)
        version(make, "v2")
        watch(make, "v1")
    page = watched.sign_in(dataclasses.replace(company, email=email), "/app/model")
    expect(page.get_by_role("heading", name="v1 scores since 2 Nov")).to_be_visible()
    expect(page.locator(".model-chart .js-plotly-plot")).to_have_count(11)
    live(page)
    page.evaluate("window.stays = true")

    page.get_by_role("button", name="Train a model").click()
    expect(page.locator("#model-run")).to_contain_text("Waits for a worker")
    with company.rows() as make:
        run = make.session.query(JobRun).one()
        now = dt.datetime.now(dt.UTC)
        # Few verdicts: the worker refuses, and the page hears of it by itself.
        assert runs.carry_out(run.id, tenant_id=company.tenant_id, now=now) == "refused"
    expect(page.locator("#model-run")).to_contain_text("a model needs 100")

    page.get_by_role("row", name="v2").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/app/model[?].*version=v2"))
    verdict = page.locator("#model-verdict")
    expect(verdict).to_contain_text("v2: did not pass its gate")
    verdict.get_by_label("Why it should score").fill("It finds more.")
    verdict.get_by_role("button", name="Activate v2").click()
    verdict.get_by_role("button", name="Yes, activate v2").click()
    expect(verdict).to_contain_text("v2 scores from the next batch on")
    expect(page.get_by_role("heading", name=re.compile("v2 scores since"))).to_be_visible()
    verdict.get_by_role("button", name="Roll back").click()
    expect(verdict).to_contain_text("v1 scores again from the next batch on")
    verdict.get_by_role("button", name="Yes, take v2 back").click()
    expect(verdict).to_contain_text("v2 was taken back; v1 scores again")
    expect(page.get_by_role("heading", name=re.compile("v1 scores since"))).to_be_visible()
    page.go_back()
    expect(verdict).to_contain_text("v1: passed its gate")
    assert page.evaluate("window.stays") is True, "the page was loaded anew"


@pytest.mark.window(viewport={"width": 390, "height": 844}, color_scheme="light")
def test_the_model_fits_a_narrow_screen(watched: Watched, company: Company) -> None:
    with company.rows() as make:
        version(make, "v1", status="active", passed=True, at=START)
        watch(make, "v1")
    page = watched.sign_in(company, "/app/model")
    expect(page.locator(".model-chart .js-plotly-plot")).to_have_count(10)
    assert page.evaluate("document.getElementById('page').scrollWidth") <= 390


def test_components_are_not_woken_for_each_one_that_appears(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company)
    live(page)
    page.evaluate("window.woken = 0; void window.store.subscribe(() => { window.woken += 1; })")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Overview").click()
    expect(page.locator("#overview-body section").first).to_be_visible()
    expect(page.locator("#page .skeleton")).to_have_count(0)
    components = page.locator("#page *").count()
    assert components > 200
    assert page.evaluate("window.woken") < components / 3


def test_no_page_loads_a_script_that_was_not_fetched_ahead(
    watched: Watched, company: Company
) -> None:
    page = watched.page
    page.goto(f"{watched.base}/login")
    here = page.locator("link[rel=prefetch], script[src]")
    ahead = here.evaluate_all("found => found.map((one) => one.href || one.src)")
    watched.sign_in(company)
    for path, drawn in (("", ".ag-row"), ("overview", ".section"), ("heatmap", ".main-svg")):
        page.goto(f"{watched.base}/app/{path}")
        expect(page.locator(f"#page {drawn}").first).to_be_visible()
        loaded = page.evaluate(
            "performance.getEntriesByType('resource')"
            ".filter((one) => one.initiatorType === 'script').map((one) => one.name)"
        )
        assert len(loaded) >= 12
        assert set(loaded) <= set(ahead)


def test_a_table_that_was_hidden_while_empty_is_fitted_when_rows_come(
    watched: Watched, company: Company
) -> None:
    page = watched.sign_in(company)
    page.goto(f"{watched.base}/app/?severity=LOW")
    live(page)
    expect(page.locator("#live-filtered")).to_be_visible()
    page.set_viewport_size({"width": 1200, "height": 800})
    page.wait_for_timeout(400)  # Tables are fitted a moment after.
    expect(page.locator("#live-grid[data-fitted]")).to_have_count(0)
    raise_alert(company, "The lamp of the gate flickers.", "LOW")
    expect(feed_row(page, "The lamp of the gate flickers.")).to_be_visible()
    expect(page.locator("#live-grid[data-fitted=yes]")).to_be_visible()

"""Incidents, findings and baselines in the browser: replay, keys, and asking before it hurts."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from noc.alerts.process import AlertInput, process_alert
from noc.audit.cycle import run
from noc.audit.models import Finding
from noc.incidents.models import Incident
from noc.telemetry.ingest import store_signals
from noc.workforce.models import Person, Site
from tests.browser.conftest import Company, Watched
from tests.dashboards import audited

pytestmark = pytest.mark.browser

MINUTE = dt.timedelta(minutes=1)


def silent_guard(company: Company) -> str:
    """A guard falls silent 40 minutes ago, and their phone is reported gone: the incident's id."""
    now = dt.datetime.now(dt.UTC)
    with company.rows() as make:
        site = make.session.get_one(Site, (company.tenant_id, company.site_id))
        person = make.session.get_one(Person, (company.tenant_id, company.person_id))
        make.shift(person, site, now - 180 * MINUTE)
        signals = [
            {
                "external_id": f"fix{ago}", "kind": "location", "person_id": person.id,
                "occurred_at": (now - ago * MINUTE).isoformat(), "accuracy": 8,
                "lat": site.lat + ago * 1e-5, "lon": site.lon,
            }
            for ago in (60, 55, 50, 45, 40)
        ]  # fmt: skip
        store_signals(signals, tenant_id=company.tenant_id, now=now - 40 * MINUTE)
        alert = AlertInput(
            alert_type="DEVICE_OFFLINE", severity="HIGH", message="The phone is gone.",
            occurred_at=now - 10 * MINUTE, site_id=site.id, person_id=person.id,
        )  # fmt: skip
        process_alert(alert, now=now)
        run("heartbeat", now, tenant_id=company.tenant_id, now=now)
        return str(make.session.scalars(select(Incident.id)).one())


def test_an_incident_is_replayed_and_closed(watched: Watched, company: Company) -> None:
    key = silent_guard(company)
    page = watched.sign_in(company, "/app/incidents")
    page.locator("#incidents-grid .ag-row", has_text="Meera Joshi").click()
    page.wait_for_url(f"**/app/incident/{key}")
    known = page.locator("#incident-known")
    expect(known).to_contain_text("Everything to")
    rows = page.locator("#incident-rows > li:visible")
    everything = rows.count()
    assert everything >= 3

    page.locator("#incident-rows").click(position={"x": 2, "y": 2})
    page.keyboard.press(",")
    expect(known).to_contain_text("Known at")
    for _ in range(12):
        page.keyboard.press(",")
    expect(rows).to_have_count(0)
    expect(known).to_contain_text("nothing yet")
    page.locator("#incident-speed").get_by_text("15 min/s").click()
    page.locator("#incident-play").click()
    expect(known).to_contain_text("Everything to", timeout=120_000)
    expect(rows).to_have_count(everything)

    page.get_by_role("button", name="Root cause").click()
    expect(page.locator("#incident-problem")).to_contain_text("Write what was behind it first")
    page.get_by_label("Note").fill("An empty battery.")
    page.get_by_role("button", name="Root cause").click()
    expect(page.locator("#incident-side")).to_contain_text("An empty battery.")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#incident-head")).to_contain_text("Closed")
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()


def test_findings_are_acknowledged_by_key_and_resolved_together(
    watched: Watched, company: Company
) -> None:
    with company.rows() as make:
        site = make.session.get_one(Site, (company.tenant_id, company.site_id))
        ids = [audited.finding(make, make.person(site), site).id for _ in range(3)]
    page = watched.sign_in(company, "/app/findings")
    grid = page.locator("#findings-grid")
    row = grid.locator(f'.ag-row[row-id="finding:{ids[0]}"]')
    row.locator('[col-id="severity"]').focus()
    page.keyboard.press("a")
    expect(row).to_contain_text("Acknowledged")
    expect(page.locator(".toast").last).to_contain_text("1 finding acknowledged")
    page.keyboard.press("Space")
    expect(page.locator("#findings-chosen")).to_have_text("1 finding chosen")
    grid.locator(".ag-header-select-all input").check()
    expect(page.locator("#findings-chosen")).to_have_text("3 findings chosen")
    page.locator("#findings-outcome").click()
    page.get_by_role("option", name="False positive").click()
    expect(page.locator("#findings-means")).to_contain_text("They can be reopened")
    page.locator("#findings-resolve").click()
    page.get_by_role("button", name="Yes, resolve 3").click()
    expect(page.locator(".toast").last).to_contain_text("3 findings resolved")
    expect(page.locator("#findings-bulk")).to_be_hidden()
    with company.rows() as make:
        states = make.session.scalars(select(Finding.resolution))
        assert set(states) == {"FALSE_POSITIVE"}
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast").last).to_contain_text("3 findings open again")
    # As it was before: the first had been seen, the others had not.
    expect(row).to_contain_text("Acknowledged")
    expect(grid.get_by_role("button", name="Acknowledge")).to_have_count(2)


def test_a_count_of_the_matrix_filters_and_the_address_keeps_it(
    watched: Watched, company: Company
) -> None:
    with company.rows() as make:
        site = make.session.get_one(Site, (company.tenant_id, company.site_id))
        audited.finding(make, make.person(site), site)
        late = {"finding_type": "TOUR_LATE", "category": "COMPLIANCE", "severity": "LOW"}
        audited.finding(make, make.person(site), site, **late)
    page = watched.sign_in(company, "/app/findings")
    page.locator(".matrix-count[data-kind=TOUR_LATE]").click()
    expect(page.locator("#findings-count")).to_have_text("1 finding")
    page.wait_for_url(re.compile("type=TOUR_LATE"))
    page.locator(".matrix-count[data-kind=TOUR_LATE][aria-pressed=true]").click()
    expect(page.locator("#findings-count")).to_have_text("2 findings")


@pytest.mark.window(viewport={"width": 390, "height": 844}, color_scheme="light")
@pytest.mark.parametrize("path", ["findings", "baselines", "incident"])
def test_the_pages_fit_a_narrow_screen(watched: Watched, company: Company, path: str) -> None:
    key = silent_guard(company)
    with company.rows() as make:
        site = make.session.get_one(Site, (company.tenant_id, company.site_id))
        audited.baseline(make, site)
    page = watched.sign_in(company, f"/app/{path}" + (f"/{key}" if path == "incident" else ""))
    shown = {
        "findings": "#findings-grid .card-cell",
        "baselines": "#baselines-graph .js-plotly-plot",
        "incident": "#incident-map .js-plotly-plot",
    }
    expect(page.locator(shown[path]).first).to_be_visible(timeout=20_000)
    width = page.evaluate("document.getElementById('page').scrollWidth")
    assert width <= 390, f"{width} px"

"""A model is trained from verdicts and put to work, on a real server, by who may."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from noc.database.base import utcnow
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining import runs
from noc.identity.passwords import hash_password
from noc.runs.models import JobRun
from tests.browser.conftest import PASSWORD, Company, Watched
from tests.browser.test_pages import live
from tests.fraud.labelled import labelled

pytestmark = pytest.mark.browser

TRAINING = 60_000
"""Milliseconds that the page may take to tell of it: a training uses every core there is."""


def test_a_model_is_trained_watches_and_is_made_to_score(
    watched: Watched, company: Company
) -> None:
    email = f"ada-{company.email}"
    with company.rows() as make:
        make.user("admin", email=email, name="Ada", password_hash=hash_password(PASSWORD))
        labelled(make, 150, now=utcnow())
    page = watched.sign_in(dataclasses.replace(company, email=email), "/app/model")
    live(page)
    page.get_by_role("button", name="Train a model").click()
    expect(page.locator("#model-run")).to_contain_text("Waits for a worker")
    with company.rows() as make:
        run = make.session.query(JobRun).one()
        now = dt.datetime.now(dt.UTC)
        assert runs.carry_out(run.id, tenant_id=company.tenant_id, now=now) == "succeeded"
    expect(page.locator("#model-run")).to_contain_text("v1 watches", timeout=TRAINING)

    page.goto(f"{watched.base}/app/model?version=v1")
    verdict = page.locator("#model-verdict")
    verdict.get_by_label("Why it should score").fill("It finds what the rules do not.")
    verdict.get_by_role("button", name="Activate v1").click()
    sure = verdict.get_by_role("button", name="Yes, activate v1")
    told = verdict.get_by_text("v1 scores from the next batch on")
    expect(sure.or_(told)).to_be_visible()
    if sure.is_visible():
        sure.click()
    expect(told).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("v1 scores since"))).to_be_visible()
    with company.rows() as make:
        model = make.session.query(FraudModel).filter_by(version="v1").one()
        assert (model.is_active, model.status) == (True, "active")

"""Administration: what it shows to whom, what it does, and what it never keeps."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboards.admin import queues, roster, said, sight, steps, window_form
from dashboards.admin.routes import NEWS
from jobs.schedule import SCHEDULE
from noc.alerts.suppression.models import Suppression
from noc.database import tenancy
from noc.database.base import utcnow
from noc.events.news import NEWS_KINDS
from noc.extensions import queue
from noc.fraud.retraining import runs
from noc.identity import passwords, trail
from noc.identity import tokens as api_tokens
from noc.identity.models import ApiToken, TenantSetting, User, UserSite
from noc.identity.trail import Target
from noc.notifications.models import NotificationDelivery, NotificationRoute
from noc.runs import backstage
from noc.runs.models import JobRun
from noc.settings import TENANT_SETTINGS
from tests.dashboards.administered import (
    LISTS,
    PARTS,
    ids_in,
    listed,
    page,
    part,
    press,
    version_in,
    who_did,
)
from tests.dashboards.conftest import Reader
from tests.factories import NOW, Make
from tests.signed_in import limit_to

# -- who sees what ---------------------------------------------------------------------------


def test_an_admin_has_every_part_and_the_address_chooses(admin: Reader) -> None:
    shown = page(admin, "?part=tokens").text
    assert all(f"?part={name}" in shown for name in PARTS)
    assert '"data":"tokens"' in shown
    assert '"data":"users"' in page(admin, "?part=no-such").text


def test_an_operator_reaches_the_windows_and_a_viewer_nothing(
    app: APIFlask, make: Make, viewer: Reader
) -> None:
    operator = Reader(app, make, make.user("operator"))
    shown = page(operator).text
    assert "?part=windows" in shown
    assert "?part=users" not in shown
    assert "Nothing is muted" in listed(operator, "windows").text
    assert "Not part of your role" in part(operator, "users").text
    assert "Not part of your role" in page(viewer).text
    assert "Not part of your role" in part(viewer, "windows").text
    assert listed(viewer, "windows").status_code == 403


@pytest.mark.parametrize("name", PARTS)
def test_no_step_is_taken_for_whoever_may_not(
    app: APIFlask, make: Make, viewer: Reader, name: str
) -> None:
    if name == "trail":
        assert who_did(viewer).status_code == 403
        return
    assert press(viewer, name, "open", 1).status_code == 403
    for one in LISTS.get(name, ()):
        assert listed(viewer, one).status_code == 403
    if name != "windows":
        assert press(Reader(app, make, make.user("operator")), name, "new").status_code == 403


def test_an_admin_of_some_sites_sees_those_and_nothing_of_the_whole_company(
    app: APIFlask, make: Make
) -> None:
    here, there = make.site(name="Here"), make.site(name="Elsewhere")
    limited = Reader(app, make, limit_to(make, make.user("admin"), here.id))
    for name in PARTS:
        if sight.NEEDS[name].whole:
            assert "concerns the whole company" in part(limited, name).text
    assert press(limited, "users", "new").status_code == 403
    assert "Here" in listed(limited, "sites").text
    assert "Elsewhere" not in listed(limited, "sites").text
    assert "No such site" in press(limited, "sites", "open", there.id).text
    opened = press(limited, "sites", "open", here.id)
    assert "save" not in ids_in(opened)
    monday = f"{here.id}:2026-11-16"
    assert press(limited, "sites", "save", monday, {}).text.count("Here") > 0
    assert trail.read(tenant_id=make.tenant_id, limit=5).items == []


@pytest.mark.parametrize("name", PARTS)
def test_no_part_shows_or_touches_another_companys_rows(
    admin: Reader, make: Make, foreign: Make, session: Session, name: str
) -> None:
    site = foreign.site(name="Secret Vault")
    user = foreign.user("viewer", name="Zoe Unseen")
    token, _ = api_tokens.create(foreign.tenant_id, "Secret Token", ["noc:view"])
    route = foreign.row(
        NotificationRoute,
        {"name": "Secret Route", "channel": "email", "addresses": ["z@other.example"]},
    )
    window = foreign.row(
        Suppression,
        {"name": "Secret Window", "reason": "x", "timezone": "UTC", "starts_at": NOW,
         "ends_at": NOW + dt.timedelta(days=900), "prepared_until": NOW},
    )  # fmt: skip
    run, _ = runs.ask(tenant_id=foreign.tenant_id, trigger="manual", now=utcnow(), queued=False)
    foreign.row(TenantSetting, {"name": "fraud_reviews_per_day", "value": 4321, "site_id": site.id})
    trail.record("user.created", Target("user", user.id, "Zoe Unseen"))
    keys = {"users": user.id, "tokens": token.id, "sites": site.id, "notifications": route.id,
            "windows": window.id, "jobs": run.id,
            "settings": f"fraud_reviews_per_day:{site.id}"}  # fmt: skip
    texts = [part(admin, name).text]
    for one in LISTS.get(name, ()):
        for text in (None, "secret", "zoe"):
            texts.append(listed(admin, one, text).text)
    steps = ("open", "save", "disable", "enable", "password", "link", "revoke", "switch", "delete",
             "test", "secret", "replay-all", "cancel", "again", "back", "ask-delete")  # fmt: skip
    for step in steps if name in keys else ():
        answer = press(admin, name, step, keys[name], {"value": "5", "name": "x", "role": "viewer"})
        assert answer.status_code == 200
        texts.append(answer.text)
    texts.append(who_did(admin).text)
    for text in texts:
        for word in ("Secret", "Zoe", "4321"):
            assert word not in text
    tenancy.name_tenant(session, foreign.tenant_id)
    session.expire_all()
    assert session.get_one(User, (foreign.tenant_id, user.id)).role == "viewer"
    assert session.get_one(ApiToken, (foreign.tenant_id, token.id)).revoked_at is None
    assert session.get_one(NotificationRoute, (foreign.tenant_id, route.id)).active
    assert session.get_one(Suppression, (foreign.tenant_id, window.id)).cancelled_at is None
    assert session.get_one(JobRun, (foreign.tenant_id, run.id)).state == "queued"


# -- users and tokens ------------------------------------------------------------------------


def test_a_user_is_made_with_a_password_that_is_shown_once(
    admin: Reader, make: Make, session: Session
) -> None:
    site = make.site(name="Harbour Depot")
    new = {"name": "Olga", "email": "olga@acme.example", "role": "operator",
           "site_ids": [str(site.id)]}  # fmt: skip
    answer = press(admin, "users", "create", "", new)
    secret = json.dumps(answer.json["response"]["admin-secret"])
    password = re.search(r'"children": "([\w-]{16})"', secret)
    assert password is not None
    user = session.scalars(select(User).where(User.email == "olga@acme.example")).one()
    assert passwords.verify(user.password_hash, password[1])
    limits = session.scalars(select(UserSite.site_id).where(UserSite.user_id == user.id)).all()
    assert limits == [site.id]
    again = press(admin, "users", "open", user.id)
    assert password[1] not in again.text
    assert "Harbour Depot" in again.text
    assert "What concerns the whole company is closed to them" in again.text


def test_what_is_wrong_with_a_user_stands_at_the_field_and_nothing_typed_is_lost(
    admin: Reader,
) -> None:
    answer = press(admin, "users", "create", "", {"name": "Olga", "email": "olga", "role": "king"})
    assert "Input should" not in answer.text
    assert '"value":"Olga"' in answer.text
    assert "must be" in answer.text


def test_shutting_out_is_asked_about_and_can_be_undone(
    admin: Reader, make: Make, session: Session, me: User
) -> None:
    wim = make.user("viewer", name="Wim")
    api_tokens.create(make.tenant_id, "bridge", ["noc:view"], created_by=wim.id)
    asked = press(admin, "users", "ask-disable", wim.id)
    assert "1 API token made by them will go on working" in asked.text
    assert "Shut Wim out?" in asked.text
    session.refresh(wim)
    assert wim.active
    press(admin, "users", "disable", wim.id)
    session.refresh(wim)
    assert not wim.active
    press(admin, "users", "enable", wim.id)
    session.refresh(wim)
    assert wim.active
    assert "Nobody deactivates themselves" in press(admin, "users", "disable", me.id).text
    done = [row["action"] for row in trail.read(tenant_id=make.tenant_id, limit=9).items]
    assert done == ["user.activated", "user.deactivated", "token.created"]


def test_a_role_is_changed_and_not_to_one_above_the_admin(
    admin: Reader, make: Make, session: Session
) -> None:
    wim = make.user("viewer", name="Wim")
    press(admin, "users", "save", wim.id, {"name": "Wim V.", "role": "operator", "site_ids": []})
    session.refresh(wim)
    assert (wim.name, wim.role) == ("Wim V.", "operator")
    fields = {"name": "Wim", "role": "platform_admin", "site_ids": []}
    assert "platform admin" in press(admin, "users", "save", wim.id, fields).text
    session.refresh(wim)
    assert wim.role == "operator"


def test_a_token_is_shown_once_and_revoked_after_a_question(
    admin: Reader, make: Make, session: Session
) -> None:
    fields = {"name": "monitors", "capabilities": ["noc:view"], "ends": "30"}
    answer = press(admin, "tokens", "create", "", fields)
    secret = re.search(r"noc_[\w-]{40,}", answer.text)
    assert secret is not None
    assert api_tokens.find(secret[0]) is not None
    token = session.scalars(select(ApiToken).where(ApiToken.name == "monitors")).one()
    assert "monitors" in listed(admin, "tokens").text
    assert secret[0] not in listed(admin, "tokens").text
    asked = press(admin, "tokens", "open", token.id)
    assert "cannot be brought back" in asked.text
    assert secret[0] not in asked.text
    press(admin, "tokens", "revoke", token.id)
    assert api_tokens.find(secret[0]) is None
    nothing = press(admin, "tokens", "create", "", {"name": "x", "capabilities": [], "ends": "30"})
    assert '"error":"' in nothing.text


def test_what_two_admins_save_at_once_is_told_to_the_second_and_nothing_typed_is_lost(
    admin: Reader, make: Make, session: Session
) -> None:
    wim = make.user("viewer", name="Wim")
    seen = version_in(press(admin, "users", "open", wim.id))
    first = {"name": "Wim", "role": "operator", "site_ids": []}
    assert "Saved" in press(admin, "users", "save", seen, first).text
    second = {"name": "Wim Vermeer", "role": "viewer", "site_ids": []}
    late = press(admin, "users", "save", seen, second)
    assert "Ada Lovelace changed Wim at" in late.text
    assert "saving again puts it in place of theirs" in late.text
    assert '"value":"Wim Vermeer"' in late.text
    session.refresh(wim)
    assert (wim.name, wim.role) == ("Wim", "operator")
    press(admin, "users", "save", version_in(late), second)
    session.refresh(wim)
    assert (wim.name, wim.role) == ("Wim Vermeer", "viewer")


def test_the_same_holds_for_a_setting_and_for_who_is_in_charge(
    admin: Reader, make: Make, session: Session
) -> None:
    name = "ml_model_validation_thresholds"
    seen = version_in(press(admin, "settings", "open", name))
    gate = {"value.precision": "0.9", "value.recall": "0.6", "value.f1": "0.7"}
    press(admin, "settings", "save", seen, gate)
    late = press(admin, "settings", "save", seen, gate | {"value.precision": "0.5"})
    assert "after you looked" in late.text
    kept = select(TenantSetting.value["precision"])
    assert session.scalar(kept) == 0.9
    assert "after you looked" in press(admin, "settings", "back", seen).text
    press(admin, "settings", "back", version_in(late, "back"))
    assert session.scalar(kept) is None

    site, wim, olga = make.site(), make.user("operator"), make.user("operator")
    charged = version_in(press(admin, "sites", "open", site.id))
    press(admin, "sites", "save", charged, {"site_manager_id": str(wim.id)})
    late = press(admin, "sites", "save", charged, {"noc_supervisor_id": str(olga.id)})
    assert "after you looked" in late.text
    session.refresh(site)
    assert (site.site_manager_id, site.noc_supervisor_id) == (wim.id, None)


# -- settings, sites ---------------------------------------------------------------------------


def test_every_setting_has_words_and_says_where_it_comes_from(admin: Reader, make: Make) -> None:
    assert set(said.SETTINGS) == set(TENANT_SETTINGS)
    site = make.site(name="Harbour Depot")
    make.row(TenantSetting, {"name": "alert_expiry_days", "value": 9, "site_id": None})
    make.row(TenantSetting, {"name": "alert_expiry_days", "value": 3, "site_id": site.id})
    shown = part(admin, "settings").text
    assert "default 7" in shown
    assert "1 differs" in shown
    opened = press(admin, "settings", "open", "alert_expiry_days")
    assert '"value":"9"' in opened.text.replace('"value":9', '"value":"9"')
    assert "Harbour Depot" in opened.text


@pytest.mark.parametrize(
    ("name", "fields", "kept"),
    [
        ("fraud_reviews_per_day", {"value": "50"}, 50),
        ("fraud_score_ticket_threshold", {"value": "0.9"}, 0.9),
        ("predictive_fraud_enabled", {"value": "off"}, False),
        ("audit_finding_ticket_severities", {"value": ["CRITICAL"]}, ["CRITICAL"]),
        (
            "ml_model_validation_thresholds",
            {"value.precision": "0.9", "value.recall": "0.6", "value.f1": "0.7"},
            {"precision": 0.9, "recall": 0.6, "f1": 0.7},
        ),
    ],
)
def test_a_setting_is_set_and_taken_back(
    admin: Reader, session: Session, name: str, fields: dict[str, Any], kept: Any
) -> None:
    press(admin, "settings", "save", name, fields)
    assert session.scalar(select(TenantSetting.value)) == kept
    assert "Take it back" in press(admin, "settings", "open", name).text
    press(admin, "settings", "back", name)
    assert session.scalar(select(TenantSetting.value)) is None


@pytest.mark.parametrize("typed", ["abc", "0", "1e999", "NaN", "12.5", None, "[1]", "true"])
def test_a_value_that_cannot_be_is_told_at_the_field_and_not_kept(
    admin: Reader, session: Session, typed: Any
) -> None:
    answer = press(admin, "settings", "save", "fraud_reviews_per_day", {"value": typed})
    assert answer.status_code == 200
    assert '"error":"' in answer.text
    assert session.scalar(select(TenantSetting.value)) is None


def test_a_site_shows_its_week_and_who_is_away(admin: Reader, make: Make) -> None:
    site = make.site(name="Harbour Depot", timezone="Asia/Kolkata")
    meera, ravi = make.person(site, name="Meera Joshi"), make.person(site, name="Ravi Rao")
    monday = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
    make.shift(meera, site, monday + dt.timedelta(hours=3))
    make.shift(ravi, site, monday - dt.timedelta(hours=7))
    make.shift(ravi, site, monday + dt.timedelta(days=2))
    make.absence(ravi, monday + dt.timedelta(days=2), days=1)
    opened = press(admin, "sites", "week", f"{site.id}:2026-11-18").text
    assert "Roster, 16 Nov to 22 Nov 2026" in opened
    assert f'"data":"{site.id}:2026-11-16"' in opened
    shown = listed(admin, "roster", of=f"{site.id}:2026-11-16").text
    assert "08:30–16:30" in shown
    assert "until 06:30" in shown
    assert "on approved leave (leave)" in shown
    assert "Nobody is planned" in listed(admin, "roster", of=f"{site.id}:2027-03-01").text


def test_who_is_in_charge_is_changed_and_must_be_an_active_user(
    admin: Reader, make: Make, session: Session
) -> None:
    site, wim = make.site(), make.user("operator", name="Wim")
    gone = make.user("operator", name="Gone", active=False)
    key = f"{site.id}:2026-11-16"
    chosen = {"site_manager_id": str(wim.id), "security_manager_id": None}
    press(admin, "sites", "save", key, chosen)
    session.refresh(site)
    assert site.site_manager_id == wim.id
    (row,) = trail.read(tenant_id=make.tenant_id, limit=5).items
    assert row["detail"] == {"site_manager": [None, "Wim"]}
    refused = press(admin, "sites", "save", key, {"site_manager_id": str(gone.id)})
    assert "is not an active user" in refused.text


def test_a_geofence_is_drawn_to_scale() -> None:
    site = {"name": "x", "lat": 60.0, "lon": 10.0, "geofence_radius": 150.0,
            "geofence_polygon": None}  # fmt: skip
    assert 'r="76.0"' in roster.svg(site, "dark")
    assert ">50 m<" in roster.svg(site, "dark")
    square = site | {"geofence_polygon": [[10, 60], [10.002, 60], [10.002, 60.001], [10, 60.001]]}
    east, north = roster.corners(square)[2]
    assert east == pytest.approx(north, rel=1e-6)
    assert north == pytest.approx(111.32)
    assert "<polygon" in roster.svg(square, "light")


# -- notifications, windows, jobs --------------------------------------------------------------


def test_a_route_is_made_changed_tried_and_deleted(
    admin: Reader, make: Make, session: Session
) -> None:
    hook = {"name": "Desk", "channel": "webhook", "url": "https://hooks.example/T0/very-secret",
            "min_severity": "HIGH", "kinds": [], "site_ids": [], "addresses": []}  # fmt: skip
    made = press(admin, "notifications", "create", "", hook)
    assert "The signing secret of Desk" in made.text
    assert "very-secret" not in made.text
    route = session.scalars(select(NotificationRoute)).one()
    secret = route.signing_secret or ""
    assert secret in made.text
    assert secret not in press(admin, "notifications", "open", route.id).text
    renewed = press(admin, "notifications", "secret", route.id)
    session.refresh(route)
    assert (route.signing_secret or "") in renewed.text
    assert route.signing_secret != secret
    kept = hook | {"url": None, "min_severity": "LOW"}
    press(admin, "notifications", "save", route.id, kept)
    session.refresh(route)
    assert (route.min_severity, route.url) == ("LOW", hook["url"])
    press(admin, "notifications", "switch", route.id)
    session.refresh(route)
    assert not route.active
    assert "A test is on its way" in press(admin, "notifications", "test", route.id).text
    assert session.scalars(select(NotificationDelivery.kind)).all() == ["test"]
    assert "This cannot be undone" in press(admin, "notifications", "ask-delete", route.id).text
    press(admin, "notifications", "delete", route.id)
    assert session.scalar(select(NotificationRoute.id)) is None


def test_dead_letters_are_listed_and_sent_anew(admin: Reader, make: Make, session: Session) -> None:
    route = make.row(
        NotificationRoute, {"name": "Desk", "channel": "email", "addresses": ["a@acme.example"]}
    )
    dead = [
        make.row(
            NotificationDelivery,
            {"route_id": route.id, "event_id": uuid.UUID(int=n + 1), "kind": "alert_opened",
             "severity": "HIGH", "payload": {"message": "Door open"}, "state": "dead",
             "attempts": 14, "finished_at": NOW, "last_error": "refused"},
        )
        for n in range(3)
    ]  # fmt: skip
    died = listed(admin, "deliveries", **{"sent-state": "dead"})
    assert "Died after 14 attempts" in died.text
    assert "3 deliveries" in died.text
    assert "No deliveries" in listed(admin, "deliveries", **{"sent-state": "sent"}).text
    opened = press(admin, "notifications", "delivery", dead[0].id)
    assert "Door open" in opened.text
    assert "It will be sent anew" in press(admin, "notifications", "replay", dead[0].id).text
    assert "Only what is dead" in press(admin, "notifications", "replay", dead[0].id).text
    told = press(admin, "notifications", "replay-all", route.id).text
    assert "2 deliveries will be sent anew" in told
    session.expire_all()
    assert {one.state for one in dead} == {"pending"}


def test_a_window_shows_its_times_before_it_is_made(
    app: APIFlask, make: Make, session: Session
) -> None:
    make.site(timezone="Asia/Kolkata")
    operator = Reader(app, make, make.user("operator"))
    form = {"name": "Drill", "reason": "Generator test", "every": "FREQ=DAILY",
            "start_time": "22:00", "minutes": "60", "timezone": "Asia/Kolkata"}  # fmt: skip
    looked = press(operator, "windows", "look", "again", form)
    assert looked.text.count("22:00 to") + looked.text.count(", 22:00") == 5
    assert session.scalar(select(Suppression.id)) is None
    press(operator, "windows", "create", "again", form)
    window = session.scalars(select(Suppression)).one()
    assert (window.rrule, window.timezone) == ("FREQ=DAILY", "Asia/Kolkata")
    assert "Every day at 22:00, 1 h" in listed(operator, "windows").text
    assert "Cancel Drill?" in press(operator, "windows", "ask-cancel", window.id).text
    press(operator, "windows", "cancel", window.id)
    session.refresh(window)
    assert window.cancelled_at is not None


def test_a_window_that_comes_once_is_by_the_clocks_of_its_site(
    admin: Reader, make: Make, session: Session
) -> None:
    site = make.site(timezone="Asia/Kolkata")
    day = utcnow().date() + dt.timedelta(days=3)
    form = {"name": "Repair", "reason": "Lift", "site_id": str(site.id), "timezone": "UTC",
            "starts": f"{day} 10:00:00", "ends": f"{day} 12:30:00"}  # fmt: skip
    press(admin, "windows", "create", "once", form)
    window = session.scalars(select(Suppression)).one()
    assert window.starts_at is not None
    assert f"{window.starts_at:%H:%M}" == "04:30"
    wrong = press(admin, "windows", "look", "once", form | {"ends": f"{day} 09:00:00"})
    assert "must be later than starts_at" in wrong.text
    assert '"value":"Repair"' in wrong.text


def test_rules_are_said_in_words() -> None:
    assert window_form.rule_words("FREQ=WEEKLY;BYDAY=MO,TH") == "Mondays, Thursdays"
    every_other = window_form.rule_words("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU")
    assert every_other == "Sundays, every other week"
    assert window_form.rule_words("FREQ=MONTHLY;BYDAY=1SU") == "FREQ=MONTHLY;BYDAY=1SU"


def test_a_run_is_followed_cancelled_and_begun_again(
    admin: Reader, make: Make, session: Session
) -> None:
    run, _ = runs.ask(tenant_id=make.tenant_id, trigger="manual", now=utcnow(), queued=False)
    assert "Waits for a worker" in part(admin, "jobs").text
    assert "Cancel this job?" in press(admin, "jobs", "ask-cancel", run.id).text
    press(admin, "jobs", "cancel", run.id)
    session.refresh(run)
    assert run.state == "cancelled"
    assert "It waits for a worker" in press(admin, "jobs", "again", run.id).text
    done = [row["action"] for row in trail.read(tenant_id=make.tenant_id, limit=9).items]
    assert done == ["job.requested", "job.cancelled", "job.requested"]


def test_a_failed_job_is_tried_again_by_its_company_alone(
    admin: Reader, make: Make, session: Session
) -> None:
    waiting = queue("scoring")
    for tenant_id in (make.tenant_id, make.tenant_id + 1):
        job = waiting.enqueue("jobs.scoring.score", tenant_id, job_id=f"score-t{tenant_id}-x")
        waiting.remove(job)
        waiting.failed_job_registry.add(job, ttl=600, exc_string="builtins.ValueError: secret 5")
    shown = part(admin, "jobs").text
    assert f"score-t{make.tenant_id}-x" in shown
    assert f"score-t{make.tenant_id + 1}-x" not in shown
    assert "secret 5" not in shown
    theirs = press(admin, "jobs", "retry", f"score-t{make.tenant_id + 1}-x")
    assert "There is no such failed job" in theirs.text
    assert "waits for a worker" in press(admin, "jobs", "retry", f"score-t{make.tenant_id}-x").text
    assert waiting.job_ids == [f"score-t{make.tenant_id}-x"]
    assert [one.failed for one in backstage.depths() if one.name == "scoring"] == [1]


# -- who did what ------------------------------------------------------------------------------


def test_details_are_said_in_words(admin: Reader, make: Make) -> None:
    site = make.site(name="Harbour Depot")
    trail.record(
        "user.changed", Target("user", 1, "Wim"),
        {"role": ["viewer", "operator"], "site_ids": [[], [site.id]]},
    )  # fmt: skip
    trail.record(
        "setting.set", Target("setting", "fraud_reviews_per_day", "fraud_reviews_per_day"),
        {"site_id": site.id, "before": None, "value": 50},
    )  # fmt: skip
    again = {"rrule": "FREQ=WEEKLY;BYDAY=SU", "start_time": "22:00", "duration_minutes": 60}
    ends = "2027-02-19T14:05:27.850486+00:00"
    trail.record("window.created", Target("window", 1, "Drill"), {"recurrence": again})
    trail.record(
        "token.created", Target("token", 1, "x"), {"capabilities": ["noc:view"], "expires_at": ends}
    )
    shown = who_did(admin).text
    assert "comes: Sundays at 22:00 for 60 min" in shown
    assert "ends: 19 Feb 2027, 14:05 UTC; may: see" in shown
    assert "role: Viewer → Operator; sites: every site → Harbour Depot" in shown
    assert "the default → 50 at Harbour Depot" in shown
    assert "Punches a day to review" in shown


def test_every_entry_of_the_schedule_has_words() -> None:
    assert {entry.name for entry in SCHEDULE} == set(queues.SCHEDULE)


def test_reasons_are_plain() -> None:
    assert steps._said("Input should be a valid integer") == "must be a whole number"
    assert steps._said("Input should be greater than 0") == "must be greater than 0"


def test_every_kind_of_news_has_words() -> None:
    assert set(NEWS_KINDS) <= set(NEWS)

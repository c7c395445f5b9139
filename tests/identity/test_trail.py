"""Who did what: written where it is done, read by admins, changed by nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from noc.audit import tuning
from noc.audit.models import METRICS, BaselineProfile
from noc.database import tenancy
from noc.database.base import utcnow
from noc.identity import accounts, tenants, trail
from noc.identity.capabilities import ROLES
from noc.identity.commands import users
from noc.identity.models import AuditTrail, User
from noc.identity.principal import Principal
from noc.identity.trail import Target
from noc.rest.problems import Problem
from tests.conftest import ApiClient, Services
from tests.crowd import at_once, committed_tenant
from tests.dashboards.modelled import version
from tests.factories import NOW, Make
from tests.identity.conftest import PASSWORD
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

OLGA = {"email": "olga@acme.example", "name": "Olga", "role": "operator", "password": PASSWORD}
HOOK = {"name": "Desk", "channel": "webhook", "url": "https://hooks.example/T0/very-secret"}
WINDOW = {"name": "Lift repair", "reason": "Door sensors", "ends_at": "2199-01-01T00:00:00Z"}


def rows(api: ApiClient | UserClient, **filters: Any) -> list[dict[str, Any]]:
    response = api.get("audit-trail/", query_string=filters)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()["data"]
    return found


def actions(api: ApiClient | UserClient, **filters: Any) -> list[str]:
    return [row["action"] for row in rows(api, **filters)]


@pytest.fixture
def ada(app: APIFlask, make: Make) -> UserClient:
    """An admin, signed in."""
    return UserClient(app, make, make.user("admin", name="Ada Lovelace"))


def ok(response: Any) -> Any:
    assert response.status_code < 300, response.text
    return response.get_json()["data"]


def test_what_is_done_to_users_is_written_down_with_who_did_it(ada: UserClient, make: Make) -> None:
    site = make.site()
    olga = ok(ada.post("users/", json=OLGA))["id"]
    ok(ada.put(f"users/{olga}/", json={"role": "viewer", "site_ids": [site.id]}))
    ok(ada.put(f"users/{olga}/", json={"role": "viewer"}))
    ok(ada.post(f"users/{olga}/password/", json={"password": "another good one"}))
    ok(ada.post(f"users/{olga}/link/"))
    ok(ada.post(f"users/{olga}/deactivate/"))
    ok(ada.post(f"users/{olga}/deactivate/"))
    ok(ada.post(f"users/{olga}/activate/"))
    told = rows(ada, target="olga")
    assert [row["action"] for row in told] == [
        "user.activated", "user.deactivated", "user.link_made", "user.password_set",
        "user.changed", "user.created",
    ]  # fmt: skip
    assert {row["actor"] for row in told} == {"Ada Lovelace"}
    assert {row["target_id"] for row in told} == {str(olga)}
    assert told[4]["detail"] == {"role": ["operator", "viewer"], "site_ids": [[], [site.id]]}


def test_no_secret_is_written_down(ada: UserClient, make: Make) -> None:
    olga = ok(ada.post("users/", json=OLGA))["id"]
    link = ok(ada.post(f"users/{olga}/link/"))["link"]
    token = ok(ada.post("tokens/", json={"name": "x", "capabilities": ["noc:view"]}))["token"]
    route = ok(ada.post("notifications/routes/", json=HOOK))
    ok(ada.put(f"notifications/routes/{route['id']}/", json={"url": HOOK["url"] + "-2"}))
    renewed = ok(ada.post(f"notifications/routes/{route['id']}/secret/"))
    written = str(rows(ada))
    for secret in (PASSWORD, link, token, "very-secret", route["signing_secret"],
                   renewed["signing_secret"]):  # fmt: skip
        assert secret not in written
    assert actions(ada, action="route") == [
        "route.secret_renewed",
        "route.changed",
        "route.created",
    ]


@pytest.mark.parametrize("name", ["password", "signing_secret", "token", "url"])
def test_a_detail_that_sounds_like_a_secret_is_refused(make: Make, name: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        trail.record("user.created", Target("user", 1, "x"), {name: "y"})


def test_settings_tokens_routes_and_windows_are_written_down(ada: UserClient, make: Make) -> None:
    ok(ada.put("settings/fraud_reviews_per_day/", json={"value": 50}))
    ok(ada.put("settings/fraud_reviews_per_day/", json={"value": 50}))
    ok(ada.put("settings/fraud_reviews_per_day/", json={"value": None}))
    ok(ada.put("settings/fraud_reviews_per_day/", json={"value": None}))
    assert [(row["action"], row["detail"]) for row in rows(ada, action="setting")] == [
        ("setting.taken_back", {"site_id": None, "value": 50}),
        ("setting.set", {"site_id": None, "before": None, "value": 50}),
    ]
    token = ok(ada.post("tokens/", json={"name": "monitors", "capabilities": ["noc:view"]}))["id"]
    ok(ada.post(f"tokens/{token}/revoke/"))
    ok(ada.post(f"tokens/{token}/revoke/"))
    assert actions(ada, action="token") == ["token.revoked", "token.created"]
    route = ok(ada.post("notifications/routes/", json=HOOK))["id"]
    ok(ada.put(f"notifications/routes/{route}/", json={"active": False}))
    ok(ada.post(f"notifications/routes/{route}/test/"))
    ok(ada.post(f"notifications/routes/{route}/replay/"))
    ok(ada._client.delete(
        f"/api/v2/noc/notifications/routes/{route}/", headers={"X-CSRFToken": "csrf-of-the-test"}
    ))  # fmt: skip
    told = rows(ada, action="route")
    assert [row["action"] for row in told] == [
        "route.deleted", "route.replayed", "route.tested", "route.changed", "route.created",
    ]  # fmt: skip
    assert told[3]["detail"] == {"active": [True, False]}
    soon = {
        "starts_at": utcnow().isoformat(),
        "ends_at": (utcnow() + dt.timedelta(hours=1)).isoformat(),
    }
    window = ok(ada.post("alerts/suppressions/", json=WINDOW | soon))["id"]
    ok(ada.post(f"alerts/suppressions/{window}/cancel/"))
    ok(ada.post(f"alerts/suppressions/{window}/cancel/"))
    assert actions(ada, action="window") == ["window.cancelled", "window.created"]


def test_models_and_baselines_are_written_down(ada: UserClient, make: Make) -> None:
    model = version(make, "v3", passed=True).id
    path = f"security/ml-models/{model}"
    ok(ada.post(f"{path}/activate/", json={"note": "It is better."}))
    ok(ada.post(f"{path}/activate/", json={"note": "Twice."}))
    ok(ada.post(f"{path}/rollback/"))
    told = rows(ada, action="model")
    assert [row["action"] for row in told] == ["model.rolled_back", "model.activated"]
    assert told[1]["detail"]["note"].startswith("It is better.")
    site = make.site()
    baseline = make.row(
        BaselineProfile,
        {"site_id": site.id, "metric_type": METRICS[0], "level": "hour_of_week", "slot": 3},
    )
    tuning.pin(baseline.id, 3.5, user_id=None, reason="Festival", now=NOW)
    tuning.pin(baseline.id, None, user_id=None, reason="Over", now=NOW)
    tuning.reset(baseline.id, user_id=None, reason="New gate", now=NOW)
    told = rows(ada, action="baseline")
    assert [row["action"] for row in told] == [
        "baseline.reset", "baseline.unpinned", "baseline.pinned",
    ]  # fmt: skip
    assert told[2]["detail"]["reason"] == "Festival"
    assert told[2]["actor"] == trail.PRODUCT


def test_a_command_and_a_token_are_named(app: APIFlask, api: ApiClient, make: Make) -> None:
    make.session.commit()
    asked = ["create", "--tenant", "acme", "--email", "lea@acme.example", "--name", "Lea"]
    made = app.test_cli_runner().invoke(users, [*asked, "--password", PASSWORD])
    assert made.exit_code == 0, made.output
    (row,) = rows(api, target="Lea")
    assert (row["actor"], row["user_id"], row["token_id"]) == ("command line", None, None)
    ok(api.post("users/", json=OLGA))
    (row,) = rows(api, target="Olga")
    assert row["actor"] == "tests"
    assert row["token_id"] is not None


def test_what_is_rolled_back_was_not_done(make: Make, session: Session) -> None:
    session.commit()
    trail.record("user.created", Target("user", 1, "Nobody"))
    session.rollback()
    assert session.scalar(select(AuditTrail.id).where(AuditTrail.target_name == "Nobody")) is None


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_trail SET actor = 'x'", "DELETE FROM audit_trail"]
)
def test_the_application_can_neither_change_nor_delete_it(
    make: Make, session: Session, statement: str
) -> None:
    trail.record("user.created", Target("user", 1, "Nobody"))
    session.flush()
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))


def test_it_is_filtered_and_turned_page_by_page(ada: UserClient, make: Make) -> None:
    for hour in range(5):
        kind = "user" if hour % 2 else "token"
        trail.record(
            f"{kind}.created", Target(kind, hour, f"Thing {hour}"),
            now=NOW + dt.timedelta(hours=hour), by="Noor" if hour < 2 else "Wim",
        )  # fmt: skip
    assert [row["target_id"] for row in rows(ada)] == ["4", "3", "2", "1", "0"]
    first = ada.get("audit-trail/", query_string={"limit": 3}).get_json()
    cursor = first["pagination"]["next_cursor"]
    rest = ada.get("audit-trail/", query_string={"limit": 3, "cursor": cursor}).get_json()
    assert [row["target_id"] for row in first["data"] + rest["data"]] == ["4", "3", "2", "1", "0"]
    assert rest["pagination"]["next_cursor"] is None
    assert [row["target_id"] for row in rows(ada, actor="noo")] == ["1", "0"]
    assert [row["target_id"] for row in rows(ada, action="user")] == ["3", "1"]
    assert [row["target_id"] for row in rows(ada, action="token.created")] == ["4", "2", "0"]
    assert [row["target_id"] for row in rows(ada, target="thing 3")] == ["3"]
    at = {"since": (NOW + dt.timedelta(hours=1)).isoformat()}
    until = {"until": (NOW + dt.timedelta(hours=3)).isoformat()}
    assert [row["target_id"] for row in rows(ada, **at, **until)] == ["2", "1"]
    assert rows(ada, actor="%") == []
    assert_problem(ada.get("audit-trail/?action=no such"), 422, action="")


def test_it_is_the_admins_of_the_whole_company(
    app: APIFlask, make: Make, session: Session, client: FlaskClient
) -> None:
    trail.record("user.created", Target("user", 1, "Kept Apart"))
    manager = UserClient(app, make, make.user("security_manager"))
    assert_problem(manager.get("audit-trail/"), 403)
    limited = UserClient(app, make, limit_to(make, make.user("admin"), make.site().id))
    assert_problem(limited.get("audit-trail/"), 403)
    other = tenants.create_tenant("other", "Other Ltd")
    tenancy.name_tenant(session, other.id)
    theirs = Make(session, other.id)
    stranger = UserClient(app, theirs, theirs.user("admin"))
    assert rows(stranger) == []


def test_a_page_of_it_is_one_query(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    for number in range(30):
        trail.record("user.created", Target("user", number, "x"))
    assert query_count(lambda: trail.read(tenant_id=make.tenant_id, limit=20)) == 1


# -- changing users ---------------------------------------------------------------------------


def test_a_role_holds_with_the_next_request(app: APIFlask, ada: UserClient, make: Make) -> None:
    wim = make.user("security_manager")
    signed_in = UserClient(app, make, wim)
    assert "security:fraud:view" in ok(signed_in.get("me/"))["capabilities"]
    ok(ada.put(f"users/{wim.id}/", json={"role": "viewer", "name": "Wim V."}))
    me = ok(signed_in.get("me/"))
    assert (me["capabilities"], me["name"]) == (["noc:view"], "Wim V.")


def test_a_change_that_cannot_be_names_the_field(ada: UserClient, make: Make) -> None:
    wim = make.user("viewer").id
    for body, field in (
        ({"role": "king"}, "role"),
        ({"site_ids": [999_999]}, "site_ids"),
        ({"name": " "}, "name"),
        ({"role": None}, "role"),
        ({"email": "x@acme.example"}, "email"),
    ):
        assert_problem(ada.put(f"users/{wim}/", json=body), 422, **{field: ""})


def test_nobody_changes_their_own_role_and_an_admin_none_of_the_platform(
    app: APIFlask, make: Make
) -> None:
    me = make.user("admin")
    ada = UserClient(app, make, me)
    assert_problem(ada.put(f"users/{me.id}/", json={"role": "viewer"}), 409)
    assert_problem(ada.put(f"users/{me.id}/", json={"site_ids": [make.site().id]}), 409)
    assert ok(ada.put(f"users/{me.id}/", json={"name": "Ada L."}))["name"] == "Ada L."
    boss, wim = make.user("platform_admin").id, make.user("viewer").id
    assert_problem(ada.put(f"users/{boss}/", json={"role": "viewer"}), 403)
    assert_problem(ada.put(f"users/{wim}/", json={"role": "platform_admin"}), 403)
    assert_problem(ada.post(f"users/{boss}/link/"), 403)
    assert_problem(ada.post(f"users/{me.id}/link/"), 409)


def test_a_link_lets_in_once_and_not_who_is_deactivated(
    app: APIFlask, ada: UserClient, make: Make
) -> None:
    wim = make.user("viewer").id
    link = ok(ada.post(f"users/{wim}/link/"))["link"]
    browser = app.test_client()
    assert browser.get(link).status_code in (302, 303)
    assert ok(ada.post(f"users/{wim}/deactivate/"))["active"] is False
    assert_problem(ada.post(f"users/{wim}/link/"), 409)
    assert ok(ada.post(f"users/{wim}/activate/"))["active"] is True


def test_of_two_admins_who_unseat_each_other_one_stays(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        first, second = make.user("admin").id, make.user("admin").id
        make.session.commit()

        def unseat(me: int, other: int) -> int:
            principal = Principal(make.tenant_id, "x", ROLES["admin"], user_id=me)
            try:
                accounts.change(principal, other, now=utcnow(), role="viewer")
            except Problem as problem:
                return problem.status
            return 200

        works = [lambda: unseat(first, second), lambda: unseat(second, first)]
        assert sorted(at_once(app, make.tenant_id, works)) == [200, 403]
        roles = make.session.scalars(select(User.role).where(User.tenant_id == make.tenant_id))
        assert sorted(roles) == ["admin", "viewer"]

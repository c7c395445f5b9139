"""Users and settings over REST, and who may manage whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.database import tenancy
from noc.identity import tenants
from noc.identity.models import TenantSetting, User
from noc.identity.tenant_settings import tenant_settings
from noc.identity.users import create_user
from noc.settings import TENANT_SETTINGS, Settings
from tests.conftest import ApiClient
from tests.factories import Make
from tests.identity.conftest import PASSWORD, csrf, sign_in
from tests.problems import assert_problem

OLGA = {"email": "Olga@Acme.example", "name": "Olga", "role": "operator", "password": PASSWORD}


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def test_a_user_is_made_and_signs_in(api: ApiClient, client: FlaskClient, make: Make) -> None:
    site = make.site()
    made = data(api.post("users/", json=OLGA | {"site_ids": [site.id, site.id]}), 201)
    assert made["email"] == "olga@acme.example"
    assert made["site_ids"] == [site.id]
    assert "password" not in str(made)
    assert sign_in(client).status_code == 303
    assert data(client.get("/api/v2/noc/me/"))["site_ids"] == [site.id]


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"email": "olga"}, "email", "not an e-mail address"),
        ({"role": "king"}, "role", "'viewer'"),
        ({"password": "short"}, "password", "at least 8"),
        ({"password": "\x00" * 10}, "password", "control characters"),
        ({"password": " " * 10}, "password", "blanks alone"),
        ({"password": "olga@acme.example"}, "password", "own name or address"),
        ({"site_ids": [999999]}, "site_ids", "no site 999999"),
        ({"person_id": 999999}, "person_id", "no person 999999"),
        ({"name": ""}, "name", "at least 1"),
        ({"name": "two\nlines"}, "name", "one line"),
        ({"admin": True}, "admin", "not permitted"),
    ],
)
def test_a_user_that_cannot_be_names_the_field(
    api: ApiClient, session: Session, wrong: dict[str, Any], field: str, reason: str
) -> None:
    assert_problem(api.post("users/", json=OLGA | wrong), 422, **{field: reason})
    assert session.scalar(select(func.count()).select_from(User)) == 0


def test_an_address_is_taken_once(api: ApiClient) -> None:
    data(api.post("users/", json=OLGA), 201)
    assert_problem(api.post("users/", json=OLGA), 422, email="cannot be the address")


def test_users_are_listed_with_their_limits(api: ApiClient, make: Make, operator: User) -> None:
    site = make.site()
    create_user(make.tenant_id, "lea@acme.example", "Lea", "viewer", PASSWORD, [site.id])
    listed = data(api.get("users/"))
    assert [(row["name"], row["site_ids"]) for row in listed] == [
        ("Olga", None),
        ("Lea", [site.id]),
    ]
    assert [row["name"] for row in data(api.get("users/?email=LEA@acme.example"))] == ["Lea"]
    assert [row["name"] for row in data(api.get("users/?role=operator"))] == ["Olga"]
    assert [row["name"] for row in data(api.get("users/?search=lEa"))] == ["Lea"]
    assert [row["name"] for row in data(api.get("users/?search=OLGA@"))] == ["Olga"]
    assert data(api.get("users/?search=lea&role=operator")) == []
    assert data(api.get("users/?search=%25")) == []


def test_another_tenants_user_is_not_there(api: ApiClient, session: Session) -> None:
    other = tenants.create_tenant("other", "Other Guarding")
    with tenancy.tenant_context(session, other.id):
        theirs = create_user(other.id, "o@other.example", "Otto", "viewer", PASSWORD)
        user_id = theirs.id
        session.commit()
    assert data(api.get("users/")) == []
    assert_problem(api.post(f"users/{user_id}/deactivate/"), 404)
    body = {"password": "another good one"}
    assert_problem(api.post(f"users/{user_id}/password/", json=body), 404)


def test_an_admin_deactivates_others_but_not_themselves(
    client: FlaskClient, make: Make, operator: User
) -> None:
    ada = create_user(make.tenant_id, "ada@acme.example", "Ada", "admin", PASSWORD)
    sign_in(client, email="ada@acme.example")
    path = "/api/v2/noc/users"
    assert_problem(client.post(f"{path}/{ada.id}/deactivate/", headers=csrf(client)), 409)
    ended = data(client.post(f"{path}/{operator.id}/deactivate/", headers=csrf(client)))
    assert ended["active"] is False


def test_an_admin_cannot_reach_for_the_platform(api: ApiClient, make: Make) -> None:
    """A tenant's admin could otherwise take over whoever administers every tenant."""
    boss = create_user(make.tenant_id, "boss@acme.example", "Boss", "platform_admin", PASSWORD)
    assert_problem(api.post("users/", json=OLGA | {"role": "platform_admin"}), 403)
    assert_problem(api.post(f"users/{boss.id}/deactivate/"), 403)
    body = {"password": "another good one"}
    assert_problem(api.post(f"users/{boss.id}/password/", json=body), 403)


def test_a_password_given_by_an_admin_works(
    api: ApiClient, client: FlaskClient, operator: User
) -> None:
    path = f"users/{operator.id}/password/"
    assert_problem(api.post(path, json={"password": "short"}), 422, password="at least 8")
    data(api.post(path, json={"password": "another good one"}))
    assert sign_in(client).status_code == 401
    assert sign_in(client, password="another good one").status_code == 303


def test_an_operator_manages_nobody(client: FlaskClient, operator: User) -> None:
    sign_in(client)
    for path in ("users/", "tokens/", "settings/"):
        problem = assert_problem(client.get(f"/api/v2/noc/{path}"), 403)
        assert "admin" in problem["detail"]


# -- settings -------------------------------------------------------------------------------


def test_a_setting_is_overridden_and_given_back(api: ApiClient, config: Settings) -> None:
    changed = data(api.put("settings/fraud_score_ticket_threshold/", json={"value": 0.9}))
    assert (changed["name"], changed["value"]) == ("fraud_score_ticket_threshold", 0.9)
    assert tenant_settings().fraud_score_ticket_threshold == 0.9
    shown = data(api.get("settings/"))
    setting = next(
        one for one in shown["settings"] if one["name"] == "fraud_score_ticket_threshold"
    )
    assert (setting["value"], setting["default"]) == (0.9, 0.8)
    assert [one["name"] for one in shown["overrides"]] == ["fraud_score_ticket_threshold"]
    data(api.put("settings/fraud_score_ticket_threshold/", json={"value": None}))
    assert tenant_settings() == config


def test_every_number_that_is_set_has_a_range() -> None:
    for name, field in Settings.model_fields.items():
        if field.annotation in (int, float):
            kinds = {type(constraint).__name__ for constraint in field.metadata}
            assert kinds & {"Ge", "Gt"}, name
            assert "Le" in kinds, name


def possible(schema: dict[str, Any]) -> str:
    """What a setting can be, in the words of the document."""
    kind = schema["type"]
    if kind == "boolean":
        return "true, false"
    if kind == "array":
        return f"any of {', '.join(schema['items']['enum'])}"
    if kind == "object":
        return "; ".join(f"{name} {possible(one)}" for name, one in schema["properties"].items())
    least = str(schema["minimum"]) if "minimum" in schema else f"above {schema['exclusiveMinimum']}"
    whole = "whole, " if kind == "integer" else ""
    return f"{whole}{least} to {schema['maximum']}"


def test_the_document_tells_the_range_of_every_setting(api: ApiClient) -> None:
    written = {}
    for text in (Path(__file__).parents[2] / "docs" / "identity.md").read_text().splitlines():
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        if cells[0].strip("`") in TENANT_SETTINGS:
            written[cells[0].strip("`")] = cells[1]
    settings = data(api.get("settings/"))["settings"]
    assert written == {one["name"]: possible(one["schema"]) for one in settings}


def test_the_description_tells_the_range_of_every_setting(client: FlaskClient) -> None:
    spec = client.get("/api/openapi.json").get_json()
    value = spec["components"]["schemas"]["SettingChange"]["properties"]["value"]
    told = {one["title"]: one for one in value["anyOf"] if "title" in one}
    assert told.keys() == TENANT_SETTINGS.keys()
    assert (told["fraud_cache_ttl"]["minimum"], told["fraud_cache_ttl"]["maximum"]) == (0, 86_400)


def test_part_of_the_models_gate_can_be_changed(api: ApiClient) -> None:
    name = "ml_model_validation_thresholds"
    data(api.put(f"settings/{name}/", json={"value": {"recall": 0.6}}))
    gate = tenant_settings().ml_model_validation_thresholds
    assert (gate.precision, gate.recall, gate.f1) == (0.85, 0.6, 0.8)


def test_a_sites_setting_goes_before_the_tenants(api: ApiClient, make: Make) -> None:
    site = make.site()
    name = "ticket_deduplication_hours"
    data(api.put(f"settings/{name}/", json={"value": 6}))
    data(api.put(f"settings/{name}/", json={"value": 2, "site_id": site.id}))
    data(api.put(f"settings/{name}/", json={"value": 3, "site_id": site.id}))
    assert tenant_settings().ticket_deduplication_hours == 6
    assert tenant_settings(site.id).ticket_deduplication_hours == 3


@pytest.mark.parametrize(
    ("name", "value", "field", "reason"),
    [
        ("fraud_score_ticket_threshold", 1.5, "value", "less than or equal to 1"),
        ("fraud_score_ticket_threshold", "high", "value", "valid number"),
        ("ticket_deduplication_hours", 0, "value", "greater than 0"),
        ("websocket_rate_limit", 2.5, "value", "integer"),
        ("websocket_rate_limit", True, "value", "integer"),
        ("fraud_score_ticket_threshold", "0.5", "value", "valid number"),
        ("ml_model_validation_thresholds", [0.5], "value", "JSON object"),
        ("fraud_deduplication_hours", 1e308, "value", "less than or equal to 8760"),
        ("fraud_cache_ttl", 10**30, "value", "less than or equal to 86400"),
        ("ml_model_validation_thresholds", {"a": 1}, "value.a", "not permitted"),
        ("ml_model_validation_thresholds", {"f1": 1.1}, "value.f1", "less than or equal to 1"),
        ("ml_model_validation_thresholds", {"f1": float("nan")}, "value.f1", "finite"),
        ("audit_finding_ticket_severities", ["BAD"], "value.0", "'CRITICAL'"),
        ("baseline_default_threshold", float("inf"), "value", "finite"),
        ("predictive_fraud_enabled", "maybe", "value", "boolean"),
    ],
)
def test_a_setting_that_cannot_be_names_what_is_wrong(
    api: ApiClient, session: Session, name: str, value: Any, field: str, reason: str
) -> None:
    response = api.put(f"settings/{name}/", json={"value": value})
    assert_problem(response, 422, **{field: reason})
    assert session.scalar(select(func.count()).select_from(TenantSetting)) == 0


def test_a_setting_of_the_process_is_not_the_tenants(api: ApiClient) -> None:
    for name in ("secret_key", "database_url", "nothing"):
        assert_problem(api.put(f"settings/{name}/", json={"value": "x"}), 404)
    assert "secret_key" not in api.get("settings/").text
    unknown = {"value": 5, "site_id": 999999}
    response = api.put("settings/ticket_deduplication_hours/", json=unknown)
    assert_problem(response, 422, site_id="no site 999999")


def test_an_override_of_another_release_is_left_out_not_fatal(
    session: Session, make: Make, config: Settings
) -> None:
    make.row(TenantSetting, {"name": "websocket_rate_limit", "value": "many"})
    make.row(TenantSetting, {"name": "gone_since", "value": 1})
    make.row(TenantSetting, {"name": "fraud_cache_ttl", "value": 10})
    assert tenant_settings() == config.model_copy(update={"fraud_cache_ttl": 10})

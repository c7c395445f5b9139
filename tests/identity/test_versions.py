"""Two at the same user or setting: whoever was slower is told, and no change goes under."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from noc.database.base import utcnow
from noc.identity import accounts
from noc.identity.capabilities import ROLES
from noc.identity.models import AuditTrail, TenantSetting, User
from noc.identity.principal import Principal
from noc.identity.tenant_settings import override
from noc.identity.users import state
from noc.identity.versions import version_of
from noc.rest.problems import Problem
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.problems import assert_problem
from tests.signed_in import UserClient


@pytest.fixture
def ada(app: APIFlask, make: Make) -> UserClient:
    """An admin, signed in."""
    return UserClient(app, make, make.user("admin", name="Ada Lovelace"))


def read(ada: UserClient, key: int) -> dict[str, Any]:
    rows: list[dict[str, Any]] = ada.get("users/").get_json()["data"]
    return next(row for row in rows if row["id"] == key)


def test_a_user_who_changed_meanwhile_is_not_changed_from_what_they_were(
    ada: UserClient, make: Make
) -> None:
    wim, site = make.user("viewer", name="Wim").id, make.site().id
    seen = read(ada, wim)["version"]
    first = ada.put(f"users/{wim}/", json={"site_ids": [site], "version": seen})
    now = first.get_json()["data"]["version"]
    assert now != seen
    told = ada.put(f"users/{wim}/", json={"role": "operator", "version": seen})
    problem = assert_problem(told, 409)
    assert problem["detail"].startswith("Ada Lovelace changed Wim at ")
    assert problem["current_version"] == now == read(ada, wim)["version"]
    assert read(ada, wim)["role"] == "viewer"
    assert ada.put(f"users/{wim}/", json={"role": "operator", "version": now}).status_code == 200
    assert ada.put(f"users/{wim}/", json={"role": "viewer"}).status_code == 200
    assert_problem(ada.put(f"users/{wim}/", json={"version": "7"}), 422, version="")


def test_a_sign_in_or_a_password_is_no_other_version(ada: UserClient, make: Make) -> None:
    wim = make.user("viewer")
    seen = read(ada, wim.id)["version"]
    wim.last_login_at = utcnow()
    make.session.flush()
    ada.post(f"users/{wim.id}/password/", json={"password": "another good one"})
    assert read(ada, wim.id)["version"] == seen


def test_of_many_who_change_what_they_have_seen_one_does(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        wim = make.user("viewer", name="Wim").id
        make.session.commit()
        seen = version_of(state("Wim", "viewer", ()))
        principal = Principal(make.tenant_id, "x", ROLES["admin"])

        def rename(name: str) -> int:
            try:
                accounts.change(principal, wim, now=utcnow(), name=name, version=seen)
            except Problem as problem:
                return problem.status
            return 200

        works = [partial(rename, f"Wim {number}") for number in range(6)]
        assert sorted(at_once(app, make.tenant_id, works)) == [200] + 5 * [409]
        name = make.session.scalar(select(User.name).where(User.id == wim))
        (told,) = make.session.scalars(
            select(AuditTrail.detail).where(AuditTrail.action == "user.changed")
        )
        assert told == {"name": ["Wim", name]}


SETTING = "settings/fraud_reviews_per_day/"


def versions(ada: UserClient, site_id: int | None = None) -> str:
    """The version of the setting, of the tenant or of a site, as it is read."""
    shown = ada.get("settings/").get_json()["data"]
    if site_id is None:
        return str(
            next(one for one in shown["settings"] if one["name"] == SETTING.split("/")[1])[
                "version"
            ]
        )
    here = [one["version"] for one in shown["overrides"] if one["site_id"] == site_id]
    return str(here[0] if here else shown["not_overridden"])


def test_a_setting_that_changed_meanwhile_is_not_changed_from_what_it_was(
    ada: UserClient, make: Make
) -> None:
    seen = versions(ada)
    first = ada.put(SETTING, json={"value": 50, "version": seen})
    now = first.get_json()["data"]["version"]
    assert now == versions(ada) != seen
    problem = assert_problem(ada.put(SETTING, json={"value": 60, "version": seen}), 409)
    assert problem["detail"].startswith("Ada Lovelace changed fraud_reviews_per_day at ")
    assert problem["current_version"] == now
    assert "send current_version as version" in problem["remedy"]
    late = ada.put(SETTING, json={"value": None, "version": seen})
    assert_problem(late, 409)
    assert make.session.scalar(select(TenantSetting.value)) == 50
    back = ada.put(SETTING, json={"value": None, "version": now})
    assert back.get_json()["data"]["version"] == seen == versions(ada)
    assert ada.put(SETTING, json={"value": 70}).status_code == 200
    assert_problem(ada.put(SETTING, json={"value": 1, "version": "x"}), 422, version="")


def test_the_version_of_a_setting_is_that_of_the_tenant_or_of_one_site(
    ada: UserClient, make: Make
) -> None:
    site = make.site().id
    of_tenant, of_site = versions(ada), versions(ada, site)
    ada.put(SETTING, json={"value": 50, "version": of_tenant})
    assert versions(ada, site) == of_site, "nothing was overridden there"
    told = ada.put(SETTING, json={"value": 0.5, "site_id": site, "version": of_site})
    assert_problem(told, 422)
    ada.put(SETTING, json={"value": 60, "site_id": site, "version": of_site})
    assert versions(ada, site) != of_site
    assert_problem(ada.put(SETTING, json={"value": 7, "site_id": site, "version": of_site}), 409)


def test_of_many_who_set_what_they_have_seen_one_does(app: APIFlask, services: Services) -> None:
    with committed_tenant(app, services) as make:
        make.session.commit()
        seen = version_of({"value": None})

        def set_to(value: int) -> int:
            try:
                override("fraud_reviews_per_day", value, site_id=None, now=NOW, version=seen)
            except Problem as problem:
                return problem.status
            return 200

        works = [partial(set_to, value) for value in range(10, 16)]
        assert sorted(at_once(app, make.tenant_id, works)) == [200] + 5 * [409]


def test_a_setting_that_several_set_at_once_is_told_from_each_to_the_next(
    app: APIFlask, services: Services
) -> None:
    values = list(range(10, 16))
    with committed_tenant(app, services) as make:
        make.session.commit()

        def set_to(value: int) -> None:
            override("fraud_reviews_per_day", value, site_id=None, now=NOW)

        at_once(app, make.tenant_id, [partial(set_to, value) for value in values])
        kept = make.session.scalar(select(TenantSetting.value))
        told = make.session.scalars(select(AuditTrail.detail).order_by(AuditTrail.id)).all()
    assert [one["before"] for one in told] == [None, *(one["value"] for one in told[:-1])]
    assert told[-1]["value"] == kept
    assert sorted(one["value"] for one in told) == values

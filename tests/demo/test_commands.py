"""``noc demo`` as people call it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from apiflask import APIFlask
from flask.cli import ScriptInfo

from noc.demo import accounts, marks
from noc.demo.commands import demo as demo_group
from noc.demo.places import COMPANIES
from noc.identity.capabilities import ROLES
from tests.demo.conftest import NOW, SMALL

Small = list[marks.Simulated]


def run(app: APIFlask, *arguments: str) -> str:
    """What the command says; fails where it does not succeed."""
    result = app.test_cli_runner().invoke(
        demo_group, list(arguments), obj=ScriptInfo(create_app=lambda: app)
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_every_printed_account_signs_in(demo: APIFlask, small_world: Small) -> None:
    output = run(demo, "accounts")
    addresses = re.findall(r"\S+@\S+", output)
    assert len(addresses) == sum(len(accounts.accounts_of(plan)) for plan in COMPANIES)
    assert accounts.PASSWORD in output
    demo.config["RATELIMIT_ENABLED"] = False
    for email in addresses:
        form = {"email": email, "password": accounts.PASSWORD}
        assert demo.test_client().post("/login", data=form).status_code == 303, email


def test_each_company_has_every_role_and_there_is_one_administrator_of_the_platform() -> None:
    roles: Counter[str] = Counter()
    for plan in COMPANIES:
        mine = {account.role for account in accounts.accounts_of(plan)}
        assert set(ROLES) - mine <= {"platform_admin"}
        roles.update(account.role for account in accounts.accounts_of(plan))
        assert all(account.email.endswith(".demo") for account in accounts.accounts_of(plan))
    assert roles["platform_admin"] == 1


def test_the_tenants_say_that_they_are_simulated(small_world: Small) -> None:
    assert all("(simulated)" in one.tenant.name for one in small_world)


def test_seeding_if_empty_leaves_a_complete_demo_alone(demo: APIFlask, small_world: Small) -> None:
    assert "there already" in run(demo, "seed", "--if-empty")
    assert marks.simulated_tenants() == small_world


def test_the_evaluation_names_typologies_and_look_alikes(
    demo: APIFlask, small_world: Small
) -> None:
    output = run(demo, "evaluate")
    assert "Average precision" in output.replace("\n", " ")
    assert "precision" in output
    assert "poor biometric" in output


def test_an_evaluation_of_another_versions_seed_says_so(
    demo: APIFlask, small_world: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("noc.demo.evaluation.simulate", _one_day_later)
    result = demo.test_cli_runner().invoke(
        demo_group, ["evaluate"], obj=ScriptInfo(create_app=lambda: demo)
    )
    assert result.exit_code == 1
    assert "noc demo seed" in result.output


def _one_day_later(company: object, day: int) -> object:
    from noc.demo.days import simulate

    return simulate(company, day + 1)  # type: ignore[arg-type]


def test_what_is_no_time_or_too_small_a_world_is_refused(demo: APIFlask) -> None:
    runner, info = demo.test_cli_runner(), ScriptInfo(create_app=lambda: demo)
    bad = runner.invoke(demo_group, ["seed", "--now", "yesterday"], obj=info)
    assert bad.exit_code == 2
    assert "is not a time" in bad.output
    small = runner.invoke(demo_group, ["seed", "--guards", "3"], obj=info)
    assert small.exit_code == 2


def test_dropping_asks_and_then_takes_the_simulated_tenants_away(
    demo: APIFlask, small_world: Small
) -> None:
    runner, info = demo.test_cli_runner(), ScriptInfo(create_app=lambda: demo)
    assert runner.invoke(demo_group, ["drop"], input="n\n", obj=info).exit_code == 1
    assert len(marks.simulated_tenants()) == 3
    assert "Dropped 3" in run(demo, "drop", "--yes")
    assert marks.simulated_tenants() == []


def test_the_scale_of_a_seed_can_be_read_back(small_world: Small) -> None:
    assert {one.scale for one in small_world} == {SMALL}
    assert small_world[0].scale.now == NOW

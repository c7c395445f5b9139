"""Whoever is limited to some sites names nothing of the others, whatever the body."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.factories import Make
from tests.problems import assert_problem
from tests.rest.walk import concrete, operations
from tests.signed_in import UserClient, limit_to

NAMING = re.compile(r"(person|site|device|checkpoint|alert|ticket|punch|swapped_with)_(id|code)$")
"""Fields that say whom or what a thing is about."""

SPAN = {"starts_at": "2026-11-16T09:00:00Z", "expires_at": "2026-11-16T10:00:00Z"}
SHIFT = {"starts_at": "2026-11-16T09:00:00Z", "ends_at": "2026-11-16T10:00:00Z"}


@pytest.fixture
def limited(app: APIFlask, make: Make) -> UserClient:
    """An admin, who may do whatever a user may, limited to one site."""
    return UserClient(app, make, limit_to(make, make.user("admin"), make.site().id))


def bodies(person: int, site: int) -> dict[str, dict[str, Any]]:
    """By rule below the prefix: a body that names what is elsewhere, and is right otherwise."""
    return {
        "users/": {
            "email": "new@acme.example",
            "name": "New",
            "role": "viewer",
            "password": "a good password",
            "person_id": person,
        },
        "settings/x/": {"value": 1, "site_id": site},
        "people/by-code/x/": {"name": "x", "home_site_id": site},
        "devices/by-code/x/": {"person_id": person},
        "shifts/by-code/x/": {"person_id": person, "site_id": site, **SHIFT},
        "absences/by-code/x/": {"person_id": person, **SHIFT},
        "tours/by-code/x/": {"name": "x", "site_id": site},
        "tours/987654321/rounds/": {"external_id": "x", "person_id": person, **SPAN},
        "attendance/events/": {"person_id": person, "site_id": site},
        "telemetry/events/": {"person_id": person},
        "alerts/": {"person_id": person, "site_id": site},
        "tickets/": {"title": "x", "person_id": person, "site_id": site},
        "alerts/suppressions/": {"name": "x", "reason": "x", "site_id": site, **SHIFT},
    }


def test_a_body_that_names_somebody_elsewhere_is_refused_and_tells_no_name(
    limited: UserClient, make: Make
) -> None:
    there = make.site()
    person = make.person(there, name="Kept Secret")
    for path, body in bodies(person.id, there.id).items():
        call = limited.put if "by-code" in path or "settings" in path else limited.post
        response = call(path, json=body)
        assert_problem(response, 422 if path in ("tickets/", "alerts/suppressions/") else 403)
        assert "Kept Secret" not in response.text


def test_every_body_that_names_something_is_tried(
    app: APIFlask, client: FlaskClient, make: Make
) -> None:
    spec = client.get("/api/openapi.json").get_json()
    naming = {
        concrete(rule)
        for _, rule, operation in operations(app, spec)
        if any(NAMING.search(name) for name in fields(operation.get("requestBody", {}), spec))
    }
    assert naming == set(bodies(1, 1))


def fields(schema: Any, spec: dict[str, Any]) -> set[str]:
    """The names of all the fields below a schema."""
    if isinstance(schema, list):
        return {name for one in schema for name in fields(one, spec)}
    if not isinstance(schema, dict):
        return set()
    found = set(schema.get("properties", {}))
    if reference := schema.get("$ref"):
        found |= fields(spec["components"]["schemas"][reference.rpartition("/")[2]], spec)
    return found | {name for one in schema.values() for name in fields(one, spec)}


@pytest.mark.parametrize("where", ["stranger", "elsewhere"])
def test_a_ticket_names_only_people_who_are_at_home_where_the_user_looks(
    app: APIFlask, make: Make, where: str
) -> None:
    here, there = make.site(), make.site()
    user = UserClient(app, make, limit_to(make, make.user("operator"), here.id))
    far = make.person(there).id if where == "elsewhere" else 10**12
    response = user.post("tickets/", json={"title": "x", "site_id": here.id, "person_id": far})
    problem = assert_problem(response, 422, person_id=f"no person {far}")
    assert len(problem["errors"]) == 1
    near = {"title": "x", "site_id": here.id, "person_id": make.person(here).id}
    assert user.post("tickets/", json=near).status_code == 201

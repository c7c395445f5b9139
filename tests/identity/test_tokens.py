"""API tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from noc.database import tenancy
from noc.database.base import utcnow
from noc.extensions import session as current_session
from noc.identity import tenants, tokens
from tests.conftest import ApiClient, Services
from tests.factories import Make
from tests.problems import assert_problem

ME = "/api/v2/noc/me/"


def ask(client: FlaskClient, authorization: str) -> Any:
    return client.get(ME, headers={"Authorization": authorization})


def test_a_token_speaks_for_its_tenant(client: FlaskClient, make: Make) -> None:
    token, secret = tokens.create(make.tenant_id, "billing", ["noc:view"])
    me = ask(client, f"Bearer {secret}").get_json()["data"]
    assert me["token_id"] == token.id
    assert me["user_id"] is None
    assert me["tenant"]["id"] == make.tenant_id
    assert me["capabilities"] == ["noc:view"]


def test_the_secret_is_not_kept(session: Session, make: Make) -> None:
    _, secret = tokens.create(make.tenant_id, "billing", ["noc:view"])
    row = session.execute(text("SELECT api_token::text FROM api_token")).scalar_one()
    assert secret.removeprefix("noc_") not in row


@pytest.mark.parametrize(
    "authorization",
    ["Bearer noc_wrong", "Bearer", "Bearer ", "Basic b2xnYTpwdw==", "nonsense", "Bearer \xff"],
)
def test_a_wrong_token_is_nobody(client: FlaskClient, authorization: str) -> None:
    response = ask(client, authorization)
    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_no_token_is_asked_for_one(client: FlaskClient) -> None:
    response = client.get(ME)
    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_token_is_nobody(client: FlaskClient, make: Make) -> None:
    token, secret = tokens.create(make.tenant_id, "billing", ["noc:view"])
    tokens.revoke(token)
    first = token.revoked_at
    tokens.revoke(token)
    assert token.revoked_at == first
    assert_problem(ask(client, f"Bearer {secret}"), 401)


def test_an_expired_token_is_nobody(client: FlaskClient, make: Make) -> None:
    later = utcnow() + dt.timedelta(days=1)
    token, secret = tokens.create(make.tenant_id, "billing", ["noc:view"], expires_at=later)
    assert ask(client, f"Bearer {secret}").status_code == 200
    token.expires_at = utcnow() - dt.timedelta(hours=1)
    assert_problem(ask(client, f"Bearer {secret}"), 401)


def test_a_use_is_noted_once_a_minute_even_where_the_view_only_reads(
    client: FlaskClient, session: Session, make: Make
) -> None:
    token, secret = tokens.create(make.tenant_id, "billing", ["noc:view"])
    ask(client, f"Bearer {secret}")
    session.refresh(token)
    noted = token.last_used_at
    assert noted is not None
    ask(client, f"Bearer {secret}")
    session.refresh(token)
    assert token.last_used_at == noted
    token.last_used_at = noted - 2 * tokens.USE_NOTED_EVERY
    ask(client, f"Bearer {secret}")
    session.refresh(token)
    assert token.last_used_at >= noted


@pytest.mark.parametrize(
    ("name", "capabilities", "field"),
    [
        ("ci", ["noc:everything"], "capabilities"),
        ("ci", ["platform"], "capabilities"),
        ("ci", [], "capabilities"),
        ("", ["noc:view"], "name"),
        ("two\nlines", ["noc:view"], "name"),
    ],
)
def test_a_token_that_cannot_be_is_refused(
    make: Make, name: str, capabilities: list[str], field: str
) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        tokens.create(make.tenant_id, name, capabilities)
    assert refused.value.field == field


def test_tokens_are_made_listed_and_revoked_over_rest(api: ApiClient, client: FlaskClient) -> None:
    made = api.post("tokens/", json={"name": "ci", "capabilities": ["noc:view", "noc:ingest"]})
    assert made.status_code == 201
    data = made.get_json()["data"]
    assert ask(client, f"Bearer {data['token']}").status_code == 200

    listed = api.get("tokens/?name=ci").get_json()["data"]
    begins = data["token"][:10].upper()
    found = api.get("tokens/", query_string={"search": begins}).get_json()["data"]
    assert [row["id"] for row in found] == [data["id"]]
    assert api.get("tokens/?search=no-such").get_json()["data"] == []
    assert [row["id"] for row in listed] == [data["id"]]
    assert "token" not in listed[0]
    assert listed[0]["prefix"] == data["token"][:10]

    assert api.post(f"tokens/{data['id']}/revoke/").get_json()["data"]["revoked"] is True
    assert_problem(ask(client, f"Bearer {data['token']}"), 401)
    assert [row["id"] for row in api.get("tokens/?revoked=true").get_json()["data"]] == [data["id"]]
    assert_problem(api.post("tokens/999999/revoke/"), 404)


def test_a_token_body_that_is_wrong_names_its_field(api: ApiClient) -> None:
    assert_problem(
        api.post("tokens/", json={"name": "ci", "capabilities": ["root"]}),
        422,
        capabilities="'root' is unknown",
    )
    assert_problem(
        api.post("tokens/", json={"name": "ci", "capabilities": ["noc:view"], "scope": 1}),
        422,
        scope="not permitted",
    )
    past = {"name": "ci", "capabilities": ["noc:view"], "expires_at": "2020-01-01T00:00:00Z"}
    assert_problem(api.post("tokens/", json=past), 422, expires_at="expired")
    assert_problem(api.post("tokens/", data="{", content_type="application/json"), 400)
    assert_problem(api.post("tokens/", json=[1]), 422)


@pytest.fixture
def committed(app: APIFlask, services: Services) -> Iterator[tuple[int, str]]:
    """A token that other connections see too: its id and secret; deleted afterwards."""
    with app.app_context():
        tenant = tenants.create_tenant("committed", "Committed Guarding")
        with tenancy.tenant_context(current_session(), tenant.id):
            token, secret = tokens.create(tenant.id, "busy", ["noc:view"])
            token_id = token.id
            current_session().commit()
    yield token_id, secret
    with psycopg.connect(plain(services.admin_url)) as owner:
        owner.execute("DELETE FROM tenant WHERE slug = 'committed'")


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_requests_of_one_token_never_wait_for_each_other(
    app: APIFlask, services: Services, committed: tuple[int, str]
) -> None:
    token_id, secret = committed
    client = app.test_client()
    with psycopg.connect(plain(services.admin_url)) as other:
        other.execute("SELECT FROM api_token WHERE id = %s FOR UPDATE", (token_id,))
        # Had it to wait, the server's statement_timeout would make it a 503.
        assert ask(client, f"Bearer {secret}").status_code == 200
        noted = other.execute("SELECT last_used_at FROM api_token WHERE id = %s", (token_id,))
        assert noted.fetchone() == (None,)
    assert ask(client, f"Bearer {secret}").status_code == 200
    with psycopg.connect(plain(services.admin_url)) as other:
        noted = other.execute("SELECT last_used_at FROM api_token WHERE id = %s", (token_id,))
        assert noted.fetchone() != (None,)

"""Signing in and out with the browser."""

from __future__ import annotations

import datetime as dt

import pytest
import structlog
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.identity import passwords, users
from noc.identity.models import Tenant, User, UserSession
from noc.identity.sign_in import PER_ADDRESS
from tests.factories import NOW, Make
from tests.identity.conftest import PASSWORD, csrf, sign_in
from tests.problems import assert_problem

ME = "/api/v2/noc/me/"


def test_a_sign_in_opens_the_interface(client: FlaskClient, operator: User) -> None:
    response = sign_in(client)
    assert response.status_code == 303
    assert response.headers["Location"] == "/app/"
    me = client.get(ME).get_json()["data"]
    assert me["name"] == "Olga"
    assert me["tenant"]["slug"] == "acme"
    assert me["capabilities"] == ["noc:operate", "noc:view"]


def test_the_address_is_read_in_any_case_and_with_blanks(
    client: FlaskClient, operator: User
) -> None:
    assert sign_in(client, email="  OLGA@Acme.Example ").status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("olga@acme.example", "wrong password"),
        ("nobody@acme.example", PASSWORD),
        ("olga@acme.example", ""),
        ("", ""),
        ("olga@acme.example\x00", PASSWORD),
        ("olga@acme.example", PASSWORD * 100),
    ],
)
def test_wrong_credentials_answer_alike(
    client: FlaskClient, operator: User, email: str, password: str
) -> None:
    response = sign_in(client, email=email, password=password)
    assert response.status_code == 401
    assert "do not go together" in response.text
    assert "Set-Cookie" not in response.headers
    assert_problem(client.get(ME), 401)


def test_an_unknown_address_costs_a_hash_as_a_known_one_does(
    client: FlaskClient, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = passwords._hasher.verify
    monkeypatch.setattr(
        passwords,
        "_hasher",
        type(
            "Counting",
            (),
            {
                "hash": staticmethod(passwords._hasher.hash),
                "verify": staticmethod(lambda h, p: checked.append(h) or real(h, p)),
                "check_needs_rehash": staticmethod(lambda _: False),
            },
        ),
    )
    sign_in(client, email="nobody@acme.example")
    sign_in(client)
    assert len(checked) == 2


def test_a_deactivated_user_is_out_at_once(
    client: FlaskClient, operator: User, session: Session
) -> None:
    sign_in(client)
    users.deactivate(operator, now=NOW)
    assert_problem(client.get(ME), 401)
    assert sign_in(client).status_code == 401


def test_a_deactivated_tenant_is_out_at_once(
    client: FlaskClient, operator: User, session: Session, make: Make
) -> None:
    sign_in(client)
    session.get_one(Tenant, make.tenant_id).active = False
    assert_problem(client.get(ME), 401)


def test_a_new_password_ends_what_the_old_one_opened(client: FlaskClient, operator: User) -> None:
    sign_in(client)
    users.set_password(operator, "another good one", now=NOW)
    assert_problem(client.get(ME), 401)
    assert sign_in(client, password="another good one").status_code == 303


def test_a_sign_in_is_over_after_its_hours(
    client: FlaskClient, operator: User, session: Session
) -> None:
    sign_in(client)
    session.scalars(select(UserSession)).one().expires_at = dt.datetime.now(dt.UTC)
    assert_problem(client.get(ME), 401)


def test_signing_in_again_ends_the_earlier_session(
    client: FlaskClient, operator: User, session: Session
) -> None:
    sign_in(client)
    stolen = client.get_cookie("noc_session")
    assert stolen is not None
    sign_in(client)
    kept = client.get_cookie("noc_session")
    assert kept is not None
    assert kept.value != stolen.value
    client.set_cookie("noc_session", stolen.value)
    assert_problem(client.get(ME), 401)


def test_signing_out_ends_it_in_the_database_too(client: FlaskClient, operator: User) -> None:
    sign_in(client)
    stolen = client.get_cookie("noc_session")
    assert stolen is not None
    assert client.post("/logout").headers["Location"] == "/login"
    assert client.get_cookie("noc_csrf") is None
    client.set_cookie("noc_session", stolen.value)
    assert_problem(client.get(ME), 401)


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_from_elsewhere(
    client: FlaskClient, operator: User
) -> None:
    response = sign_in(client)
    cookies = response.headers.getlist("Set-Cookie")
    session_cookie = next(one for one in cookies if one.startswith("noc_session="))
    assert "HttpOnly" in session_cookie
    assert "SameSite=Lax" in session_cookie
    assert PASSWORD not in session_cookie


def test_a_forged_cookie_is_nobody(client: FlaskClient, operator: User) -> None:
    sign_in(client)
    kept = client.get_cookie("noc_session")
    assert kept is not None
    client.set_cookie("noc_session", kept.value[:-4] + "AAAA")
    assert_problem(client.get(ME), 401)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example/",
        "javascript:alert(1)",
        "evil",
        "",
        " /app/",
    ],
)
def test_the_way_on_never_leads_to_another_host(
    client: FlaskClient, operator: User, wanted: str
) -> None:
    response = sign_in(client, next=wanted)
    assert response.headers["Location"] == "/app/"
    response = client.get("/login", query_string={"next": wanted})
    assert response.headers["Location"] == "/app/"


def test_the_way_on_is_the_page_that_was_wanted(client: FlaskClient, operator: User) -> None:
    response = sign_in(client, next="/app/people/7?days=30")
    assert response.headers["Location"] == "/app/people/7?days=30"


def test_refused_attempts_are_limited_and_said_in_the_page(
    client: FlaskClient, operator: User
) -> None:
    allowed = int(PER_ADDRESS.split()[0])
    for _ in range(allowed):
        assert sign_in(client, password="wrong").status_code == 401
    response = sign_in(client)
    assert response.status_code == 429
    assert "Too many attempts" in response.text
    assert int(response.headers["Retry-After"]) > 0


def test_one_user_is_guarded_from_attempts_of_many_hosts(
    client: FlaskClient, operator: User
) -> None:
    def attempt(host: str) -> int:
        data = {"email": "olga@acme.example", "password": "wrong"}
        return client.post("/login", data=data, environ_base={"REMOTE_ADDR": host}).status_code

    answers = [attempt(f"10.0.0.{n}") for n in range(21)]
    assert answers == [401] * 20 + [429]


def test_an_office_behind_one_address_signs_in_in_the_morning(
    client: FlaskClient, operator: User
) -> None:
    for _ in range(12):
        assert sign_in(client).status_code == 303


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_form_neither_signs_in_nor_out(
    client: FlaskClient, operator: User, path: str, headers: dict[str, str]
) -> None:
    data = {"email": "olga@acme.example", "password": PASSWORD}
    assert_problem(client.post(path, data=data, headers=headers), 403)


def test_a_session_must_prove_that_our_page_asks(
    client: FlaskClient, make: Make, operator: User
) -> None:
    users.create_user(make.tenant_id, "ada@acme.example", "Ada", "admin", PASSWORD)
    sign_in(client, email="ada@acme.example")
    body = {"name": "ci", "capabilities": ["noc:view"]}
    for headers in ({}, {"X-CSRFToken": "guess"}):
        problem = assert_problem(
            client.post("/api/v2/noc/tokens/", json=body, headers=headers), 403
        )
        assert "X-CSRFToken" in problem["detail"]
    made = client.post("/api/v2/noc/tokens/", json=body, headers=csrf(client))
    assert made.status_code == 201


def test_a_browser_without_a_sign_in_is_led_to_it(client: FlaskClient) -> None:
    response = client.get("/app/anything?site=3")
    if response.status_code != 404:  # the dashboards are mounted on top of this application
        assert response.headers["Location"] == "/login?next=/app/anything?site%3D3"


def test_neither_password_nor_secret_is_logged(
    client: FlaskClient, operator: User, session: Session
) -> None:
    with structlog.testing.capture_logs() as lines:
        sign_in(client, password="not this secret")
        sign_in(client)
    assert {line["event"] for line in lines} >= {"sign_in_refused", "signed_in"}
    assert "not this secret" not in str(lines)
    assert PASSWORD not in str(lines)
    assert session.scalar(select(func.count()).select_from(UserSession)) == 1

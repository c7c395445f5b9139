"""One-time sign-in links."""

from __future__ import annotations

import datetime as dt

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner

from noc.identity.links import VALID, one_time_link
from noc.identity.models import User
from tests.factories import Make


@pytest.fixture
def manager(make: Make) -> User:
    return make.user(email="kavita@acme.example")


def pages_open(client: FlaskClient) -> bool:
    return bool(client.get("/api/v2/noc/me/").status_code == 200)


def test_a_link_signs_in_and_leads_to_the_feed(client: FlaskClient, manager: User) -> None:
    answer = client.get(one_time_link(manager))
    assert answer.status_code == 303
    assert answer.location == "/app/"
    assert client.get("/api/v2/noc/me/").get_json()["data"]["name"] == manager.name


def test_a_link_works_once(app: APIFlask, client: FlaskClient, manager: User) -> None:
    link = one_time_link(manager)
    client.get(link)
    second = app.test_client()
    answer = second.get(link)
    assert answer.status_code == 401
    assert "used already or is too old" in answer.text
    assert not pages_open(second)
    assert pages_open(client), "the first sign-in goes on"


def test_a_link_goes_stale(
    client: FlaskClient, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = one_time_link(manager)
    now = TimestampSigner("any").get_timestamp()
    late = now + int(VALID / dt.timedelta(seconds=1)) + 2
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: late)
    assert client.get(link).status_code == 401
    assert not pages_open(client)


def test_a_forged_link_is_refused(client: FlaskClient, manager: User) -> None:
    link = one_time_link(manager)
    assert client.get(link[:-2]).status_code == 401
    assert client.get("/login?link=nonsense").status_code == 401


def test_a_deactivated_user_has_no_use_of_a_link(
    client: FlaskClient, make: Make, manager: User
) -> None:
    link = one_time_link(manager)
    manager.active = False
    make.session.commit()
    assert client.get(link).status_code == 401

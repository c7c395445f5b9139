"""Who may open the feed: refused over HTTP before the upgrade, ended when it no longer holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import update

from noc.extensions import db
from noc.extensions import session as current_session
from noc.identity import passwords, sessions, tokens
from noc.identity.models import ApiToken, TenantSetting, UserSite
from noc.settings import Settings
from tests.events.conftest import WAIT_SECONDS, House, Server, events_of, serving, wait_until
from tests.factories import Make

PASSWORD = "correct horse battery staple"


def status_of(server: Server, query: str = "", headers: dict[str, str] | None = None) -> int:
    """The HTTP status that a request for the upgrade is answered with."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)) as http:
        http.request("GET", f"/ws/noc/dashboard/{query}", headers=upgrade | (headers or {}))
        with http.getresponse() as answer:
            return answer.status


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def new_token(house: House, *capabilities: str) -> str:
    with house.working():
        _, token = tokens.create(house.tenant_id, "another", capabilities)
        current_session().commit()
    return token


def signed_in(house: House, *site_ids: int) -> dict[str, Any]:
    """The session cookie's content of an operator, limited to these sites if any."""
    with house.working():
        rows = Make(current_session(), house.tenant_id)
        user = rows.user("operator", password_hash=passwords.hash_password(PASSWORD))
        for site_id in site_ids:
            rows.row(UserSite, {"user_id": user.id, "site_id": site_id})
        email = user.email = f"feed{house.tenant_id}-{user.id}@acme.example"
        current_session().commit()
        content: dict[str, Any] = {}
        assert sessions.sign_in(content, email, PASSWORD)
    return content


def as_cookie(app: APIFlask, content: dict[str, Any]) -> dict[str, str]:
    """The header with which a browser sends the session."""
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return {"Cookie": f"noc_session={serializer.dumps(content)}"}


def test_nobody_and_a_wrong_token_are_refused_with_401(server: Server) -> None:
    assert status_of(server) == 401
    assert status_of(server, headers=bearer("noc_wrong")) == 401


def test_a_token_that_may_not_view_is_refused_with_403(house: House, server: Server) -> None:
    token = new_token(house, "noc:ingest")
    assert status_of(server, headers=bearer(token)) == 403


def test_a_site_of_another_tenant_is_refused_with_404(house: House, server: Server) -> None:
    assert status_of(server, "?site_id=999999999", bearer(house.token)) == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?after=-1", "after"),
        ("?after=soon", "after"),
        ("?after=99999999999999999999", "after"),
        ("?site_id=here", "site_id.0"),
        ("?types=alert_created,nonsense", "types.1"),
        ("?site=1", "site"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused_naming_the_field(
    house: House, app: APIFlask, server: Server, query: str, field: str
) -> None:
    assert status_of(server, query, bearer(house.token)) == 422
    answer = app.test_client().get(f"/ws/noc/dashboard/{query}", headers=bearer(house.token))
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_a_plain_request_is_told_to_upgrade(house: House, app: APIFlask) -> None:
    answer = app.test_client().get("/ws/noc/dashboard/", headers=bearer(house.token))
    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"
    assert app.test_client().get("/ws/noc/dashboard/").status_code == 401


def test_a_feed_that_is_switched_off_answers_503(house: House, server: Server) -> None:
    with house.working():
        row = TenantSetting(tenant_id=house.tenant_id, name="websocket_enabled", value=False)
        current_session().add(row)
        current_session().commit()
    assert status_of(server, headers=bearer(house.token)) == 503


@pytest.fixture
def small(config: Settings) -> Iterator[Server]:
    """A server with places for two."""
    with serving(config.model_copy(update={"websocket_max_connections": 2})) as server:
        yield server


def test_beyond_its_places_the_feed_answers_503_until_one_is_free(
    house: House, small: Server
) -> None:
    first = small.connect(house.token)
    small.connect(house.token)
    assert status_of(small, headers=bearer(house.token)) == 503
    assert status_of(small, headers=bearer("noc_wrong")) == 401, "a refusal takes no place"
    first.close()

    wait_until(
        lambda: status_of(small, headers=bearer(house.token)) == 101, "the place is given back"
    )


def test_a_session_opens_the_feed_from_its_own_origin_and_a_token_from_any(
    house: House, config: Settings
) -> None:
    allowed = {"allowed_origins": ("https://wall.acme.example",)}
    with serving(config.model_copy(update=allowed)) as server:
        cookie = as_cookie(server.app, signed_in(house))
        foreign = {"Origin": "https://evil.example"}
        assert status_of(server, headers=cookie | foreign) == 403
        assert status_of(server, headers=cookie | {"Origin": "null"}) == 403
        for origin in (f"http://127.0.0.1:{server.port}", "https://wall.acme.example"):
            assert status_of(server, headers=cookie | {"Origin": origin}) == 101
        assert status_of(server, headers=cookie) == 101, "no browser leaves out the Origin"
        assert status_of(server, headers=bearer(house.token) | foreign) == 101


def test_a_user_limited_to_a_site_is_told_of_that_site_alone(house: House, server: Server) -> None:
    here, there = house.site_ids
    cookie = as_cookie(server.app, signed_in(house, here))
    assert status_of(server, f"?site_id={there}", cookie) == 404
    client = server.connect_with(cookie)
    house.emit_together([{"n": 1}], site_id=there)
    house.emit_together([{"n": 2}])
    house.emit_together([{"n": 3}], site_id=here)
    assert [frame["n"] for frame in events_of(client, 1)] == [3]


def test_a_user_who_signs_out_is_closed_with_1008(house: House, server: Server) -> None:
    content = signed_in(house)
    client = server.connect_with(as_cookie(server.app, content))
    with house.working():
        sessions.sign_out(dict(content))
    assert client.closing_code(WAIT_SECONDS) == 1008


def test_a_token_that_is_revoked_is_closed_with_1008(house: House, server: Server) -> None:
    client = server.connect(house.token)
    with house.working():
        now = dt.datetime.now(dt.UTC)
        db.session.execute(update(ApiToken).values(revoked_at=now))
        db.session.commit()
    assert client.closing_code(WAIT_SECONDS) == 1008


def test_a_user_whose_sites_change_is_closed_and_comes_back_with_the_new_ones(
    house: House, server: Server
) -> None:
    here, there = house.site_ids
    content = signed_in(house, here)
    cookie = as_cookie(server.app, content)
    client = server.connect_with(cookie)
    with house.working():
        db.session.execute(update(UserSite).values(site_id=there))
        db.session.commit()
    assert client.closing_code(WAIT_SECONDS) == 1008


def test_an_open_feed_holds_no_database_connection(house: House, server: Server) -> None:
    for _ in range(5):
        server.connect(house.token)
    with server.app.app_context():
        wait_until(lambda: db.engine.pool.checkedout() == 0, "no connection is pinned")  # type: ignore[attr-defined]

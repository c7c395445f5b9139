"""Whoever may see less than before is told no more within five seconds, wherever the socket is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from noc.events import dispatcher, rights
from noc.events.rights import Badge, fallen
from noc.extensions import session as current_session
from noc.identity import passwords, sessions, tokens, users
from noc.identity.models import ApiToken, Tenant, User, UserSite
from noc.monitoring import metrics
from noc.settings import Settings
from tests.events.conftest import WAIT_SECONDS, House, Server, next_of, numbers, serving, wait_until
from tests.events.test_admission import PASSWORD, as_cookie
from tests.events.test_recovery import away
from tests.events.web_processes import WebProcess
from tests.factories import Make
from tests.feed_client import FeedClient

PROMISED_SECONDS = 5.0
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOBODY = "redis://127.0.0.1:1/0"
"""No Redis, so no doorbell."""


class People:
    """Tokens and signed-in users of a house, each with the headers to open the feed with."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.headers: dict[str, dict[str, str]] = {}
        self.ids: dict[str, int] = {}

    def token(self, name: str) -> None:
        with self.house.working():
            token, secret = tokens.create(self.house.tenant_id, name, ["noc:view"])
            current_session().commit()
            self.ids[name] = token.id
            self.headers[name] = {"Authorization": f"Bearer {secret}"}

    def user(self, name: str, *site_ids: int) -> None:
        with self.house.working():
            rows = Make(current_session(), self.house.tenant_id)
            user = rows.user("operator", password_hash=passwords.hash_password(PASSWORD))
            for site_id in site_ids:
                rows.row(UserSite, {"user_id": user.id, "site_id": site_id})
            email = user.email = f"{name}-{self.house.tenant_id}@acme.example"
            current_session().commit()
            content: dict[str, Any] = {}
            assert sessions.sign_in(content, email, PASSWORD)
            self.ids[name] = user.id
            self.headers[name] = as_cookie(self.house.app, content)

    def change(self, model: Any, name: str, **values: Any) -> None:
        """A change that nobody announces."""
        named = model.user_id if model is UserSite else model.id
        current_session().execute(update(model).where(named == self.ids[name]).values(**values))


@pytest.fixture
def people(house: House) -> People:
    """Five whose rights will change, and two whose will not."""
    here, _ = house.site_ids
    made = People(house)
    for name in ("revoked", "blinded", "expired", "same-token"):
        made.token(name)
    for name in ("disabled", "moved", "same-user"):
        made.user(name, here)
    return made


CHANGED = ("revoked", "blinded", "expired", "disabled", "moved")
SAME = ("same-token", "same-user")


def change_all(people: People) -> None:
    """In SQL, announced to nobody."""
    _, there = people.house.site_ids
    with people.house.working():
        people.change(ApiToken, "revoked", revoked_at=PAST)
        people.change(ApiToken, "blinded", capabilities=["noc:ingest"])
        people.change(ApiToken, "expired", expires_at=PAST)
        people.change(User, "disabled", active=False)
        people.change(UserSite, "moved", site_id=there)
        current_session().commit()


def test_unannounced_changes_reach_every_process_within_five_seconds_without_redis(
    people: People, web: Callable[..., WebProcess]
) -> None:
    house = people.house
    alone = {"REDIS_URL": NOBODY, "WEBSOCKET_HEARTBEAT_SECONDS": "3600"}
    processes = [web(**alone), web(**alone)]
    clients = {
        (name, process.port): FeedClient(
            f"ws://127.0.0.1:{process.port}/ws/noc/dashboard/", headers=people.headers[name]
        )
        for process in processes
        for name in (*CHANGED, *SAME)
    }
    for client in clients.values():
        next_of(client, "hello")
    change_all(people)
    # Nothing but the regular look tells them. How soon it comes is the two periods' to say; how
    # long a machine takes that has other things to do, nobody's.
    assert rights.CHECK_SECONDS + dispatcher.POLL_SECONDS < PROMISED_SECONDS - 1
    for (name, _), client in clients.items():
        if name in CHANGED:
            assert client.closing_code(WAIT_SECONDS) == 1008, name
    house.emit(3, site_id=house.site_ids[0])
    for (name, _), client in clients.items():
        if name in CHANGED:
            assert all("event_id" not in frame for frame in client.frames), name
        else:
            assert numbers(client, 3) == [0, 1, 2], name


def test_announced_changes_close_the_sockets_of_every_process(
    people: People, web: Callable[..., WebProcess]
) -> None:
    house = people.house
    processes = [web(WEBSOCKET_HEARTBEAT_SECONDS="3600") for _ in range(2)]
    names = ("revoked", "disabled", "same-token", "same-user")
    clients = [
        (
            name,
            FeedClient(
                f"ws://127.0.0.1:{process.port}/ws/noc/dashboard/", headers=people.headers[name]
            ),
        )
        for process in processes
        for name in names
    ]
    for _, client in clients:
        next_of(client, "hello")
    with house.working():
        key = (house.tenant_id, people.ids["revoked"])
        tokens.revoke(current_session().get_one(ApiToken, key))
        user = current_session().get_one(User, (house.tenant_id, people.ids["disabled"]))
        users.deactivate(user, now=dt.datetime.now(dt.UTC))
        current_session().commit()
    for name, client in clients:
        if name not in SAME:
            assert client.closing_code(WAIT_SECONDS) == 1008, name
    house.emit(1, site_id=house.site_ids[0])
    for name, client in clients:
        if name in SAME:
            assert numbers(client, 1) == [0], name


def test_a_badge_holds_as_long_as_who_came_with_it_would_be_let_in(people: People) -> None:
    house = people.house
    badges: dict[str, Badge] = {}
    for name, headers in people.headers.items():
        with house.working():
            if "Authorization" in headers:
                badges[name] = Badge(tokens.find(headers["Authorization"].split()[1]))  # type: ignore[arg-type]
            else:
                cookie = headers["Cookie"].partition("=")[2]
                serializer = house.app.session_interface.get_signing_serializer(house.app)  # type: ignore[attr-defined]
                content = serializer.loads(cookie)
                principal = sessions.find(content)
                assert principal is not None
                badges[name] = Badge(principal, sessions.hash_secret(content["secret"]))

    def names() -> set[str]:
        with house.working():
            gone = fallen(house.tenant_id, set(badges.values()))
        return {name for name, badge in badges.items() if badge in gone}

    assert names() == set()
    change_all(people)
    assert names() == set(CHANGED)
    with house.working():
        assert fallen(house.tenant_id, set()) == set()


def test_a_tenant_that_is_let_go_is_told_no_more(
    house: House, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "CHECK_SECONDS", 0.1)
    with serving(config.model_copy(update={"websocket_heartbeat_seconds": 3600})) as server:
        client = server.connect(house.token)
        with house.working():
            current_session().execute(
                update(Tenant).where(Tenant.id == house.tenant_id).values(active=False)
            )
            current_session().commit()
        assert client.closing_code(WAIT_SECONDS) == 1008


@pytest.mark.parametrize("fault", ["away", "ours"])
def test_rights_that_cannot_be_looked_at_are_looked_at_later(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def ours(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    client = server.connect(house.token)
    failures = metrics.FAILURES.labels("feed")._value
    before = failures.get()
    with monkeypatch.context() as outage:
        outage.setattr(dispatcher.rights, "fallen", away if fault == "away" else ours)
        outage.setattr(dispatcher.rights, "CHECK_SECONDS", 0.1)
        wait_until(lambda: failures.get() >= before + 2, "it is tried again")
        house.emit(1)
        assert numbers(client, 1) == [0], "events come all the same"

"""Who is looking at what is told to those who may know, and costs the others nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from simple_websocket import ConnectionClosed
from sqlalchemy.exc import OperationalError

from noc.alerts.process import AlertInput, process_alert
from noc.database.base import utcnow
from noc.events import presence, targets
from noc.events.frames import Frame
from noc.events.subscribers import Subscriber, Subscription
from noc.extensions import session as current_session
from noc.identity.models import UserSession
from noc.settings import Settings
from tests.events.conftest import House, Server, next_of, numbers, serving
from tests.events.test_admission import as_cookie
from tests.events.waiting import WAIT_SECONDS
from tests.factories import Make
from tests.feed_client import FeedClient
from tests.signed_in import limit_to


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers are told twenty times a second."""
    monkeypatch.setattr(presence, "_TELL_SECONDS", 0.05)


@pytest.fixture
def alerts(house: House) -> tuple[int, int]:
    """An alert at each of the two sites."""
    with house.working():
        made = [
            process_alert(
                AlertInput("DOOR_OPEN", "HIGH", "Door", utcnow(), site_id=site), now=utcnow()
            ).id
            for site in house.site_ids
        ]
        current_session().commit()
    return made[0], made[1]


Enter = Callable[..., FeedClient]


@pytest.fixture
def enter(house: House, server: Server) -> Enter:
    """Signs a viewer in and opens the feed, at this server or another; ``sites`` limit them."""

    def enter(name: str, *sites: int, at: Server | None = None, query: str = "") -> FeedClient:
        secret = secrets.token_urlsafe(16)
        with house.working():
            make = Make(current_session(), house.tenant_id)
            user = limit_to(make, make.user("viewer", name=name), *sites)
            values = {
                "secret_hash": hashlib.sha256(secret.encode()).digest(),
                "user_id": user.id,
                "expires_at": utcnow() + dt.timedelta(hours=1),
            }
            make.row(UserSession, values)
            current_session().commit()
        cookie = as_cookie(server.app, {"tenant": house.tenant_id, "secret": secret})
        client = (at or server).connect_with(cookie, query)
        looks(client, None)
        return client

    return enter


def looks(client: FeedClient, target: Any) -> None:
    client.say(json.dumps({"type": "presence", "target": target}))


def seen(client: FeedClient) -> list[tuple[str, str]]:
    return [(one["target"], one["name"]) for one in next_of(client, "presence")["looking"]]


def wait_seen(client: FeedClient, *wanted: tuple[str, str]) -> None:
    """Until the client is told of these and no others."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (now := seen(client)) != list(wanted):
        assert time.monotonic() < deadline, now


def test_others_are_told_who_looks_and_when_that_is_over(
    enter: Enter, alerts: tuple[int, int]
) -> None:
    maya, olga = enter("Maya"), enter("Olga")
    looks(maya, f"alert:{alerts[0]}")
    wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))
    looks(maya, f"alert:{alerts[1]}")
    wait_seen(olga, (f"alert:{alerts[1]}", "Maya"))
    looks(maya, None)
    wait_seen(olga)


def test_hanging_up_is_looking_away(enter: Enter, alerts: tuple[int, int]) -> None:
    maya, olga = enter("Maya"), enter("Olga")
    looks(maya, f"alert:{alerts[0]}")
    wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))
    maya.close()
    wait_seen(olga)


def test_it_reaches_other_web_processes(
    config: Settings, enter: Enter, alerts: tuple[int, int]
) -> None:
    with serving(config) as elsewhere:
        olga = enter("Olga", at=elsewhere)
        looks(enter("Maya"), f"alert:{alerts[0]}")
        wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))


def test_who_comes_later_is_told_what_is_so(enter: Enter, alerts: tuple[int, int]) -> None:
    maya, olga = enter("Maya"), enter("Olga")
    looks(maya, f"alert:{alerts[0]}")
    wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))
    wait_seen(enter("Ravi"), (f"alert:{alerts[0]}", "Maya"))


def test_only_those_are_told_who_may_see_the_site(
    house: House, enter: Enter, alerts: tuple[int, int]
) -> None:
    here, there = house.site_ids
    of_here, of_there = enter("Hana", here), enter("Theo", there)
    narrowed = enter("Nora", query=f"?site_id={there}")
    maya, olga = enter("Maya"), enter("Olga")
    looks(maya, f"alert:{alerts[0]}")
    looks(olga, f"alert:{alerts[1]}")
    wait_seen(of_here, (f"alert:{alerts[0]}", "Maya"))
    wait_seen(of_there, (f"alert:{alerts[1]}", "Olga"))
    wait_seen(narrowed, (f"alert:{alerts[1]}", "Olga"))
    for client in (of_here, of_there, narrowed):
        told = {one["name"] for f in client.frames for one in f.get("looking", ())}
        assert len(told) == 1


def test_what_one_may_not_see_oneself_is_not_told(
    house: House, new_house: Callable[[], House], enter: Enter, alerts: tuple[int, int]
) -> None:
    here, _ = house.site_ids
    stranger = new_house()
    with stranger.working():
        report = AlertInput("DOOR_OPEN", "HIGH", "Door", utcnow())
        foreign = process_alert(report, now=utcnow()).id
        current_session().commit()
    hana, olga, maya = enter("Hana", here), enter("Olga"), enter("Maya")
    for target in (f"alert:{alerts[1]}", f"alert:{foreign}", "alert:0"):
        looks(hana, target)
    looks(maya, f"alert:{alerts[0]}")
    wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))
    assert not any(o["name"] == "Hana" for f in olga.frames for o in f.get("looking", ()))


def test_the_name_is_the_servers_to_know(enter: Enter, alerts: tuple[int, int]) -> None:
    maya, olga = enter("Maya"), enter("Olga")
    target = f"alert:{alerts[0]}"
    forged = {"type": "presence", "target": target, "name": "The boss", "user_id": 1, "site": 9}
    maya.say(json.dumps(forged))
    wait_seen(olga, (target, "Maya"))


@pytest.mark.parametrize(
    "target", [0, [], {}, "", "alert", "alert:", "alert:x", "alert:-1", "alert:" + "9" * 30, "x:1",
               "alert:1' OR 1=1", "alert:\u0661", True]
)  # fmt: skip
def test_nonsense_is_ignored_and_the_feed_goes_on(
    house: House, enter: Enter, target: object
) -> None:
    client = enter("Maya")
    looks(client, target)
    house.emit(1)
    assert numbers(client, 1) == [0]


def test_whoever_does_not_take_part_and_tokens_are_told_nothing(
    house: House, server: Server, enter: Enter, alerts: tuple[int, int]
) -> None:
    token = server.connect(house.token)
    looks(token, f"alert:{alerts[0]}")
    maya, olga = enter("Maya"), enter("Olga")
    looks(maya, f"alert:{alerts[0]}")
    wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))
    house.emit(1)
    assert numbers(token, 1) == [0]
    assert not [frame for frame in token.frames if frame["type"] == "presence"]


def test_what_is_not_said_again_is_over(
    monkeypatch: pytest.MonkeyPatch, enter: Enter, alerts: tuple[int, int]
) -> None:
    monkeypatch.setattr(presence, "EXPIRES_SECONDS", 2.0)
    maya, olga = enter("Maya"), enter("Olga")
    looks(maya, f"alert:{alerts[0]}")
    wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))
    wait_seen(olga)


def test_a_flood_is_cut_and_costs_the_others_a_frame_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch, house: House, enter: Enter, alerts: tuple[int, int]
) -> None:
    monkeypatch.setattr(presence, "_TELL_SECONDS", 0.5)
    olga, flooder = enter("Olga"), enter("Flo")
    began = time.monotonic()
    for n in range(400):
        try:
            looks(flooder, f"alert:{alerts[n % 2]}")
        except (ConnectionClosed, OSError):
            break
    assert flooder.closing_code(WAIT_SECONDS) == 1008
    house.emit(20)
    assert numbers(olga, 20) == list(range(20))
    told = [frame for frame in olga.frames if frame["type"] == "presence"]
    assert len(told) <= 2 + (time.monotonic() - began) / 0.5


def test_what_is_kept_is_bounded() -> None:
    room = presence._Room()
    for n in range(1000):
        look = presence.Look("alert:1", None, n % 500, "x", time.monotonic() + 9)
        presence._put(room, f"key {n}", look)
    assert len(room.looks) == presence.LISTED
    mine = presence._Room()
    for n in range(100):
        presence._put(mine, f"key {n}", presence.Look("alert:1", None, 7, "x", 1.0))
    assert len(mine.looks) == presence._PER_USER
    presence._expire(mine, 2.0)
    assert mine.looks == {}


def test_without_redis_it_stops_and_the_feed_goes_on(
    config: Settings, house: House, enter: Enter, alerts: tuple[int, int]
) -> None:
    nowhere = config.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with serving(nowhere) as server:
        maya, olga = enter("Maya", at=server), enter("Olga", at=server)
        looks(maya, f"alert:{alerts[0]}")
        house.emit(2)
        assert numbers(olga, 2) == [0, 1]
        assert numbers(maya, 2) == [0, 1]
        assert not [f for f in olga.frames if f["type"] == "presence" and f["looking"]]


def test_without_the_database_nobody_is_told_and_the_feed_stays(
    monkeypatch: pytest.MonkeyPatch, house: House, enter: Enter
) -> None:
    def away(_: int) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setitem(targets._places, "alert", away)
    client = enter("Maya")
    looks(client, "alert:1")
    house.emit(1)
    assert numbers(client, 1) == [0]


def test_a_client_that_has_others_to_read_is_spared() -> None:
    """What is only mentioned never fills a backlog."""

    class Gate:
        waiting = True
        offered = 0

        def offer(self, _: bytes) -> bool:
            self.offered += 1
            return True

    class Socket:
        gate = Gate()

    reader = Subscriber(cast(Any, Socket()), Subscription(1), 0)
    reader.mention(Frame({"type": "presence"}))
    assert Socket.gate.offered == 0
    Socket.gate.waiting = False
    reader.mention(Frame({"type": "presence"}))
    assert Socket.gate.offered == 1


def test_nothing_of_it_stands_in_the_log(
    house: House, enter: Enter, alerts: tuple[int, int]
) -> None:
    before = len(house.events())
    maya, olga = enter("Maya"), enter("Olga")
    looks(maya, f"alert:{alerts[0]}")
    wait_seen(olga, (f"alert:{alerts[0]}", "Maya"))
    assert len(house.events()) == before

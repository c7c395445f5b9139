"""What becomes of what does not arrive: later, never, and sent anew."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
import time
from email.utils import format_datetime
from typing import Any

import pytest

from noc.database.base import utcnow
from noc.notifications import deliveries, http, retention
from noc.notifications.deliveries import FIRST_PAUSE, LONGEST_PAUSE, MOST_ATTEMPTS, pause
from noc.notifications.sending import judge
from noc.notifications.targets import Unreachable
from tests.notifications.conftest import Desk, Receiver

pytestmark = pytest.mark.usefixtures("reachable")


def test_pauses_double_up_to_two_hours_and_are_spread(desk: Desk) -> None:
    assert [pause(n, 0.5) for n in (1, 2, 3)] == [FIRST_PAUSE, 60, 120]
    assert pause(MOST_ATTEMPTS, 0.5) == LONGEST_PAUSE
    assert [pause(1, 0.0), pause(1, 1.0)] == pytest.approx([24.0, 36.0])
    total = sum(pause(n, 0.5) for n in range(1, MOST_ATTEMPTS))
    assert 11.5 * 3600 < total < 12.5 * 3600


def test_what_fails_is_tried_again_later_and_later_until_it_is_dead(
    desk: Desk, receiver: Receiver
) -> None:
    route = desk.route(receiver.url)
    desk.alert()
    receiver.answers = [(503, {})] * MOST_ATTEMPTS
    after, outcomes = 1.0, []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        outcomes += desk.send(route, after=after)
        assert desk.send(route, after=after) == [], "not before its time"
        assert len(receiver.received) == attempt
        after += pause(attempt, 0.5) + 5
    assert outcomes == ["again"] * (MOST_ATTEMPTS - 1) + ["dead"]

    (delivery,) = desk.deliveries(route)
    assert (delivery.state, delivery.attempts) == ("dead", MOST_ATTEMPTS)
    assert delivery.last_error == "answered 503"
    assert len({one.headers["x-noc-delivery"] for one in receiver.received}) == 1
    assert len({one.headers["x-noc-signature"] for one in receiver.received}) == MOST_ATTEMPTS


def test_a_server_that_fails_is_left_alone_and_then_has_everything_in_order(
    desk: Desk, receiver: Receiver
) -> None:
    route = desk.route(receiver.url)
    for n in range(5):
        desk.alert(message=f"n{n}")
    receiver.answers = [(500, {})]
    assert desk.send(route) == ["again"]
    assert desk.send(route, after=20) == [], "the others wait with it"
    assert desk.send(route, after=40) == ["sent"] * 5
    told = [json.loads(one.body)["event"]["message"] for one in receiver.received]
    assert sorted(told[1:]) == ["n0", "n1", "n2", "n3", "n4"]
    assert desk.make.session.get(type(route), (route.tenant_id, route.id)).held_until is None  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413, 301, 302, 307])
def test_never_is_never(desk: Desk, receiver: Receiver, status: int) -> None:
    route = desk.route(receiver.url)
    desk.alert()
    receiver.answers = [(status, {"Location": f"{receiver.url}/elsewhere"})]
    assert desk.send(route) == ["dead"]
    assert [one.path for one in receiver.received] == ["/"], "no redirect is followed"
    assert f"answered {status}" in str(desk.deliveries(route)[0].last_error)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_success(status: int) -> None:
    assert judge(status, None).outcome == "sent"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_not_now_is_later(status: int) -> None:
    assert judge(status, None).outcome == "again"


@pytest.mark.parametrize("dated", [False, True])
def test_retry_after_is_honoured(desk: Desk, receiver: Receiver, dated: bool) -> None:
    route = desk.route(receiver.url)
    desk.alert()
    moment = format_datetime(utcnow() + dt.timedelta(seconds=601), usegmt=True)
    receiver.answers = [(429, {"Retry-After": moment if dated else "600"})]
    assert desk.send(route) == ["again"]
    desk.alert()
    assert desk.send(route, after=595) == []
    assert desk.send(route, after=610) == ["sent", "sent"]


MEANINGLESS = [
    "", "soon", "-5", "9" * 50, "1e9", "Mon, 99 Nov 2026 00:00:00",
    # Numbers that are none for a calendar, and for no C library either.
    f"Mon, 01 Jan {'9' * 16} 00:00:00 GMT", f"Mon, {'9' * 20} Jan 2026 00:00:00 GMT",
    f"Mon, 01 Jan 2026 00:00:00 +{'9' * 16}",
]  # fmt: skip


def test_a_retry_after_that_is_no_moment_counts_as_a_failure(
    desk: Desk, receiver: Receiver
) -> None:
    route = desk.route(receiver.url)
    desk.alert()
    receiver.answers = [(503, {"Retry-After": MEANINGLESS[-1]})]
    assert desk.send(route) == ["again"]
    assert desk.deliveries(route)[0].attempts == 1


@pytest.mark.parametrize("value", MEANINGLESS)
def test_a_retry_after_that_means_nothing_is_ignored_or_bounded(value: str) -> None:
    seconds = http._retry_after(value, utcnow())
    assert seconds is None or 0 <= seconds <= http.MOST_RETRY_AFTER


def test_nobody_there_is_tried_again_and_the_address_is_not_repeated(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    route = desk.route("http://127.0.0.1:1/hook/very-secret")
    desk.alert()
    with caplog.at_level(logging.DEBUG):
        assert desk.send(route) == ["again"]
    (delivery,) = desk.deliveries(route)
    assert delivery.last_error == "the connection failed (NewConnectionError)"
    assert "very-secret" not in caplog.text
    assert "127.0.0.1" not in caplog.text
    assert str(route.signing_secret) not in caplog.text


@pytest.mark.parametrize("way", ["silent", "dribbles"])
def test_a_server_that_does_not_come_to_an_end_is_given_up_in_time(
    receiver: Receiver, way: str
) -> None:
    receiver.seconds, receiver.dribbles = 60.0, way == "dribbles"
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer within") as failed:
        http.post(receiver.url, b"{}", {}, private=True, now=utcnow(), timeout=0.3)
    assert time.monotonic() - began < 20, "left alone it takes a minute"
    assert not failed.value.permanent
    deadline = time.monotonic() + 20
    while any(thread.name == "notify" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread that waited ends with the wait"
        time.sleep(0.01)


def test_a_delivery_that_cannot_be_put_into_words_does_not_hold_up_the_others(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = desk.route(receiver.url)
    desk.alert()
    with monkeypatch.context() as broken:
        broken.setattr(deliveries, "_message", lambda *_: 1 / int("x"))
        assert desk.send(route) == ["dead"]
    desk.alert()
    assert desk.send(route) == ["sent"]


# -- dead letters ---------------------------------------------------------------------------


def test_what_is_dead_is_sent_anew_under_its_own_id(desk: Desk, receiver: Receiver) -> None:
    route, other = desk.route(receiver.url), desk.route(receiver.url, active=False)
    for _ in range(3):
        desk.alert()
    receiver.answers = [(410, {})] * 3
    assert desk.send(route) == ["dead"] * 3
    first = desk.deliveries(route)[0]

    assert deliveries.replay(first.id, now=utcnow())
    assert not deliveries.replay(first.id, now=utcnow())
    assert desk.send(route) == ["sent"]
    assert not deliveries.replay(first.id, now=utcnow())
    assert deliveries.replay_route(other.id, now=utcnow()) == 0
    assert deliveries.replay_route(route.id, now=utcnow()) == 2
    assert desk.send(route) == ["sent", "sent"]
    assert [one.attempts for one in desk.deliveries(route)] == [1, 1, 1]
    again = [one.headers["x-noc-delivery"] for one in receiver.received]
    assert sorted(again[:3]) == sorted(again[3:])


def test_what_ended_long_ago_is_forgotten(desk: Desk, receiver: Receiver) -> None:
    route = desk.route(receiver.url)
    desk.alert()
    desk.alert()
    desk.alert()
    receiver.answers = [(200, {}), (410, {}), (503, {})]
    desk.send(route)
    day = dt.timedelta(days=1)
    assert retention.forget_old(now=utcnow() + 29 * day) == 0
    assert retention.forget_old(now=utcnow() + 31 * day) == 1
    assert retention.forget_old(now=utcnow() + 91 * day) == 1
    assert [one.state for one in desk.deliveries(route)] == ["pending"]


def test_what_ended_is_forgotten_a_batch_at_a_time_the_oldest_first(
    desk: Desk, receiver: Receiver
) -> None:
    route = desk.route(receiver.url)
    for _ in range(5):
        desk.alert()
    desk.send(route)

    def ids() -> list[Any]:
        return [
            one.id for one in sorted(desk.deliveries(route), key=lambda d: (d.created_at, d.id))
        ]

    made = ids()
    later = utcnow() + dt.timedelta(days=31)
    left = []
    for _ in range(4):
        count = retention.forget_old(now=later, batch=2)
        left.append((count, ids()))
    assert left == [(2, made[2:]), (2, made[4:]), (1, []), (0, [])]

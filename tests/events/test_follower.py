"""The client behind ``noc feed``: what it hands over, what it says, and how it reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from noc.events import limits
from noc.extensions import db
from noc.extensions import session as current_session
from noc.feed_client.addresses import FeedRefused
from noc.feed_client.following import Follower, Notice
from noc.feed_client.lines import line
from noc.identity.models import ApiToken
from noc.settings import Settings
from tests.events.conftest import WAIT_SECONDS, House, Server, serving, wait_until

Follow = Callable[..., "Watcher"]


class Watcher:
    """A follower in a thread, and what it was told."""

    def __init__(self, server: Server, token: str, **asked: Any) -> None:
        self.seqs: list[int] = []
        self.notices: list[Notice] = []
        self.refused: FeedRefused | None = None
        self.follower = Follower(
            [f"http://127.0.0.1:{server.port}"], token, tell=self.notices.append, **asked
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            for frame in self.follower.events():
                self.seqs.append(frame["seq"])
        except FeedRefused as refused:
            self.refused = refused

    def kinds(self) -> list[str]:
        """The kinds of notices so far."""
        return [notice.kind for notice in list(self.notices)]

    def stop(self) -> None:
        """End it."""
        self.follower.stop()
        self.thread.join(WAIT_SECONDS)
        assert not self.thread.is_alive()


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Starts followers; stopped after the test."""
    started: list[Watcher] = []

    def start(server: Server, token: str, **asked: Any) -> Watcher:
        started.append(Watcher(server, token, **asked))
        return started[-1]

    yield start
    for watcher in started:
        watcher.stop()


def test_it_begins_now_and_resumes_where_it_was_cut(
    house: House, server: Server, follow: Follow
) -> None:
    house.emit(2)
    watcher = follow(server, house.token)
    wait_until(lambda: watcher.kinds() == ["connected"], "it is connected")
    house.emit(2)
    wait_until(lambda: watcher.seqs == [3, 4], "what is new")
    watcher.follower.hang_up()
    house.emit(2)
    wait_until(lambda: watcher.seqs == [3, 4, 5, 6], "what was missed")
    assert watcher.kinds() == ["connected", "cut", "resumed"]
    assert watcher.notices[2].seconds < WAIT_SECONDS


def test_what_the_limit_withholds_is_replayed_and_what_is_critical_comes_at_once(
    house: House, config: Settings, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 3.0)
    with serving(config.model_copy(update={"websocket_rate_limit": 5})) as server:
        watcher = follow(server, house.token, after=0)
        wait_until(lambda: watcher.kinds() == ["connected"], "it is connected")
        # At once: however slow the machine, they come within one window.
        house.emit_together([{"n": n} for n in range(10)])
        house.emit(1, severity="CRITICAL")
        wait_until(lambda: "limited" in watcher.kinds(), "it is told of the limit")
        wait_until(lambda: 11 in watcher.seqs, "what is critical")
        wait_until(lambda: len(watcher.seqs) >= 11, "what was withheld")
        watcher.stop()
    assert sorted(watcher.seqs) == list(range(1, 12)), "each exactly once"
    rest = [seq for seq in watcher.seqs if seq != 11]
    assert rest == sorted(rest), "in order but for what is critical"
    assert "cut" not in watcher.kinds(), "to replay is no cut"


def test_it_ends_when_its_token_is_revoked(house: House, server: Server, follow: Follow) -> None:
    watcher = follow(server, house.token)
    wait_until(lambda: watcher.kinds() == ["connected"], "it is connected")
    with house.working():
        db.session.delete(db.session.scalars(db.select(ApiToken)).one())
        current_session().commit()
    wait_until(lambda: watcher.refused is not None, "it is refused")
    assert watcher.refused is not None
    assert watcher.refused.status == 401


def test_an_event_counts_once_the_next_is_asked_for(house: House, server: Server) -> None:
    house.emit(3)
    follower = Follower([f"http://127.0.0.1:{server.port}"], house.token, after=0)
    events = follower.events()
    assert [next(events)["seq"], next(events)["seq"]] == [1, 2]
    with suppress(AttributeError):
        events.close()  # type: ignore[attr-defined]
    assert follower.cursor == 1, "the second may not have been dealt with"


def test_it_tries_the_next_address_where_one_does_not_answer(house: House, server: Server) -> None:
    notices: list[Notice] = []
    urls = ["http://127.0.0.1:1", f"http://127.0.0.1:{server.port}"]
    follower = Follower(urls, house.token, after=0, tell=notices.append)
    house.emit(1)
    events = follower.events()
    assert next(events)["seq"] == 1
    events.close()  # type: ignore[attr-defined]
    assert [notice.kind for notice in notices] == ["cut", "connected"]
    assert notices[0].text == "cut: cannot reach http://127.0.0.1:1"


@pytest.mark.parametrize("urls", [[], ["127.0.0.1:8000"], ["ftp://host"], ["ws://host/"]])
def test_an_address_that_is_none_is_refused_at_once(urls: list[str]) -> None:
    with pytest.raises(ValueError, match="address"):
        Follower(urls, "noc_x")


FRAMES = [
    (
        {
            "type": "alert_created",
            "severity": "HIGH",
            "message": "No sign of life",
            "status": "open",
        },
        "[HIGH    ]  alert_created           Dock                    No sign of life (open)",
    ),
    (
        {"type": "finding_created", "severity": "LOW", "title": "Left the post", "status": "open"},
        "[LOW     ]  finding_created         Dock                    Left the post (open)",
    ),
    (
        {
            "type": "ticket_updated",
            "priority": "MEDIUM",
            "ticket_number": "T-7",
            "title": "Check",
            "old_status": None,
            "new_status": "open",
        },
        "[MEDIUM  ]  ticket_updated          Dock                    T-7 Check: opened -> open",
    ),
    (
        {
            "type": "anomaly_detected",
            "severity": "CRITICAL",
            "anomaly_type": "GPS_SPOOFING",
            "person_name": "Asha",
            "fraud_score": 0.914,
        },
        "[CRITICAL]  anomaly_detected        Dock                    GPS_SPOOFING Asha, score 0.91",
    ),
    (
        {
            "type": "incident_updated",
            "combined_severity": "HIGH",
            "person_name": None,
            "alert_ids": [1, 2],
            "status": "open",
        },
        "[HIGH    ]  incident_updated        Dock                    "
        "incident about nobody in particular: 2 alerts, open",
    ),
    (
        {"type": "job_updated", "name": "training", "state": "running", "progress": 0.5},
        "-         job_updated             Dock                    training running 50%",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), FRAMES)
def test_each_type_has_its_line(fields: dict[str, Any], expected: str) -> None:
    frame = {"timestamp": "2026-11-16T09:00:01.5+00:00", "site_name": "Dock", **fields}
    told = line(frame, lambda text, _: f"[{text}]")
    assert told == f"2026-11-16 09:00:01  {expected}"


def test_a_line_is_one_line_and_steers_no_terminal() -> None:
    frame = {
        "type": "alert_created",
        "timestamp": "2026-11-16T09:00:01+00:00",
        "site_name": None,
        "severity": "INFO",
        "message": "a\nb\x1b]0;title\x07c\u202ed क\u200dष",
    }
    told = line(frame, lambda text, _: text)
    assert told.endswith("-                       a b ]0;title c d क\u200dष")

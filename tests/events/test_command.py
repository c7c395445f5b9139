"""``noc feed`` as it is typed, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from noc.events.commands import feed
from noc.extensions import db
from noc.identity.models import ApiToken
from noc.settings import Settings
from tests.events.conftest import WAIT_SECONDS, House, Server, wait_until
from tests.events.web_processes import WebProcess


class Command:
    """A running ``noc feed``, and what it has said so far."""

    def __init__(self, environment: dict[str, str], *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "noc", "feed", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.lines: list[str] = []
        self.notices: list[str] = []
        pairs = ((self.process.stdout, self.lines), (self.process.stderr, self.notices))
        self._readers = [threading.Thread(target=_collect, args=pair) for pair in pairs]
        for reader in self._readers:
            reader.start()

    @property
    def seqs(self) -> list[int]:
        """The seqs printed so far, of ``--json``."""
        return [json.loads(one)["seq"] for one in list(self.lines)]

    def told(self, words: str) -> bool:
        """Whether it said this on standard error."""
        return any(words in notice for notice in list(self.notices))

    def end(self, sent: signal.Signals | None = None) -> int:
        """Its exit code, after this signal if any."""
        if sent is not None:
            self.process.send_signal(sent)
        code = self.process.wait(WAIT_SECONDS)
        for reader in self._readers:
            reader.join(WAIT_SECONDS)
        return code

    def close(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


def _collect(pipe: Any, into: list[str]) -> None:
    for said in iter(pipe.readline, ""):
        into.append(said.rstrip("\n"))


@pytest.fixture
def noc_feed(config: Settings, house: House) -> Iterator[Callable[..., Command]]:
    """Starts ``noc feed`` with the house's token, or with none; killed after the test."""
    started: list[Command] = []
    hidden = ("NOC_TOKEN", "NOC_DATA_DIR", "NO_COLOR")
    plain = {name: value for name, value in os.environ.items() if name not in hidden}
    services = {
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": config.secret_key,
        "NOC_DATA_DIR": str(config.noc_data_dir),
    }

    def start(*words: str, token: bool = True) -> Command:
        environment = plain | ({"NOC_TOKEN": house.token} if token else services)
        started.append(Command(environment, *words))
        return started[-1]

    yield start
    for command in started:
        command.close()


def base(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_without_follow_it_prints_the_newest_and_ends(
    house: House, server: Server, noc_feed: Callable[..., Command]
) -> None:
    here, _ = house.site_ids
    house.emit(60, message="It rings\x1b[2J\nand rings", severity="HIGH", status="open")
    house.emit_together([{"n": 1}], site_id=here, event_type="ticket_updated")
    command = noc_feed("--url", base(server))
    assert command.end() == 0
    assert len(command.lines) == 50
    assert "It rings [2J and rings (open)" in command.lines[0], "nothing steers the terminal"
    assert command.lines[0].split()[2:4] == ["HIGH", "alert_created"]
    assert "\x1b" not in "".join(command.lines), "no colours where no terminal is"
    few = noc_feed("--url", base(server), "--last", "2", "--json")
    assert few.end() == 0
    assert few.seqs == [60, 61]
    rest = noc_feed("--url", base(server), "--after", "58", "--json", "--types", "alert_created")
    assert rest.end() == 0
    assert rest.seqs == [59, 60]
    site = noc_feed("--url", base(server), "--json", "--site", str(here))
    assert site.end() == 0
    assert site.seqs == [61]


def test_a_kill_9_of_the_web_process_costs_no_event_and_doubles_none(
    house: House, web: Callable[..., WebProcess], noc_feed: Callable[..., Command]
) -> None:
    process = web()
    house.emit(5)
    command = noc_feed("--follow", "--json", "--after", "0", "--url", process.url)
    wait_until(lambda: len(command.lines) == 5, "what was there before")
    house.emit(5)
    wait_until(lambda: len(command.lines) == 10, "what is live")
    process.kill()
    house.emit(5)
    wait_until(lambda: command.told("cut: "), "the cut is told")
    process.start()
    house.emit(5)
    wait_until(lambda: len(command.lines) >= 20, "what came meanwhile, and what came after")
    assert command.told("resumed after ")
    house.emit(1)
    wait_until(lambda: len(command.lines) >= 21, "it is live again")
    assert command.end(signal.SIGINT) == 0
    assert command.seqs == list(range(1, 22)), "every seq exactly once, in order"
    assert "Traceback" not in "\n".join(command.notices)


def test_a_restart_of_the_web_process_says_1001_and_costs_no_event(
    house: House, web: Callable[..., WebProcess], noc_feed: Callable[..., Command]
) -> None:
    process = web()
    command = noc_feed("--follow", "--json", "--after", "0", "--url", process.url)
    wait_until(lambda: command.told("connected"), "it is connected")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            house.emit(1)
            time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: len(command.lines) > 20, "events come")
        assert process.stop() == 0
        wait_until(lambda: command.told("the server is stopping (1001)"), "the server says why")
        process.start()
        wait_until(lambda: command.told("resumed after "), "it is back")
    finally:
        stop.set()
        writer.join(WAIT_SECONDS)
    last = len(house.events())
    wait_until(lambda: len(command.lines) >= last, "all of it came")
    assert command.end(signal.SIGTERM) == 0
    assert command.seqs == list(range(1, last + 1))


def test_a_tenant_is_enough_on_the_machine_of_the_instance(
    house: House, server: Server, noc_feed: Callable[..., Command]
) -> None:
    house.emit(3)
    words = ("--follow", "--json", "--last", "2", "--tenant", str(house.tenant_id))
    command = noc_feed(*words, "--url", base(server), token=False)
    wait_until(lambda: command.told("connected"), "it follows")
    house.emit(2)
    wait_until(lambda: len(command.lines) == 4, "the newest, and what comes")
    assert command.end(signal.SIGINT) == 0
    assert command.seqs == [2, 3, 4, 5]
    with house.working():
        made = db.session.scalars(select(ApiToken).where(ApiToken.name == "noc feed")).one()
        assert made.revoked_at is not None, "its token does not outlive it"
        assert made.capabilities == ["noc:view"]


def test_whoever_has_read_enough_ends_it_in_peace(
    house: House, server: Server, noc_feed: Callable[..., Command]
) -> None:
    house.emit_together([{"message": "x" * 1000}] * 500)
    words = [sys.executable, "-m", "noc", "feed", "--url", base(server), "--last", "500", "--json"]
    reading, writing = os.pipe()
    with subprocess.Popen(
        words,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NOC_TOKEN": house.token},
    ) as process:
        os.close(writing)
        assert os.read(reading, 100)
        os.close(reading)
        _, said = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--site", "987654321"), 1, "HTTP 404"),
        (("--after", "5", "--last", "5"), 2, "either --last or --after"),
        (("--types", "nonsense"), 2, "'nonsense' is none of alert_created"),
        (("--token", "noc_wrong"), 1, "HTTP 401"),
        (("--token", "noc_wrong", "--follow"), 1, "HTTP 401"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    house: House, server: Server, words: tuple[str, ...], code: int, reason: str
) -> None:
    result = CliRunner().invoke(
        feed, [*words, "--url", base(server)], env={"NOC_TOKEN": house.token}
    )
    assert (result.exit_code, result.stdout) == (code, "")
    assert reason in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_events_that_are_no_longer_kept_are_not_passed_over(
    house: House, server: Server, noc_feed: Callable[..., Command]
) -> None:
    house.emit(4)
    with house.working():
        db.session.execute(text("DELETE FROM noc_event_log WHERE seq <= 2"))
        db.session.commit()
    command = noc_feed("--url", base(server), "--after", "0")
    assert command.end() == 1
    assert command.told("kept from seq 3 on"), command.notices
    following = noc_feed("--url", base(server), "--after", "0", "--follow", "--json")
    wait_until(lambda: len(following.lines) == 2, "what is left")
    assert following.told("events 1 to 2 are older than what is kept")
    assert following.end(signal.SIGINT) == 0
    assert following.seqs == [3, 4]

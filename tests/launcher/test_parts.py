"""The parts of the launcher that need no services."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from noc.launcher import pids
from noc.launcher.errors import LauncherError
from noc.launcher.output import ChildLog, Reporter, SteadyConsole, noteworthy
from noc.launcher.plan import Options, child_environment, product_plan, worker_queues
from noc.launcher.ports import check_port_is_free
from noc.launcher.process import JSON_OR_PLAIN, Child, ProcessSpec, stop_now
from noc.launcher.redis import Redis
from noc.launcher.slots import Backoff
from noc.launcher.supervisor import Supervisor
from noc.launcher.up import readiness, up
from tests.launcher.conftest import wait_for


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"level": "info", "event": "stored"}', ""),
        ('{"level": "warning", "event": "slow", "seconds": 3}', "warning: slow seconds=3"),
        ('{"level": "error", "event": "failed", "exception": "..."}', "error: failed"),
        ("2026-01-01 WARNING disk is full", "2026-01-01 WARNING disk is full"),
        ("an ordinary line about errors", ""),
        ('{"level": ', ""),
    ],
)
def test_the_terminal_shows_warnings_and_worse(line: str, shown: str) -> None:
    assert noteworthy(line, JSON_OR_PLAIN) == shown


def test_redis_start_up_advice_is_not_a_warning(tmp_path: Path) -> None:
    pattern = Redis(tmp_path / "redis").spec().noteworthy
    assert not pattern.search("7:M 20 Nov 2026 10:00:00 # WARNING Memory overcommit must be")
    assert not pattern.search("7:M 20 Nov 2026 10:00:00 * Ready to accept connections")
    assert pattern.search("7:M 20 Nov 2026 10:00:00 # Error writing to the AOF file")


def test_a_flood_of_warnings_is_cut_and_kept_in_the_log(tmp_path: Path) -> None:
    terminal = io.StringIO()
    reporter = Reporter(Console(file=terminal), tmp_path)
    log = ChildLog(ProcessSpec("web", ("web",), {}), tmp_path, reporter, verbose=False)
    log.feed(b"ERROR cut ")
    for number in range(100):
        log.feed(b"here\nERROR %d" % number)
    log.close()
    reporter.close()
    assert terminal.getvalue().count("ERROR") == 5
    assert f"more of these: {tmp_path / 'web.log'}" in terminal.getvalue().replace("\n", "")
    lines = (tmp_path / "web.log").read_text().splitlines()
    assert len(lines) == 101
    assert lines[0] == "ERROR cut here"


def test_a_closed_terminal_ends_nothing(tmp_path: Path) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    reporter = Reporter(SteadyConsole(file=Closed()), tmp_path)
    reporter.say("nobody listens")
    reporter.close()
    assert "nobody listens" in (tmp_path / "up.log").read_text()


def test_restarts_wait_longer_until_a_child_has_settled() -> None:
    backoff, delays = Backoff(), [0.0]
    for _ in range(7):
        delays.append(backoff.after(delays[-1], uptime=2))
    assert delays[1:] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.after(30, uptime=61) == 1


def test_a_failing_step_shows_what_it_said(tmp_path: Path) -> None:
    reporter = Reporter(Console(file=io.StringIO()), tmp_path)
    spec = ProcessSpec("migrate", (sys.executable, "-c", "import sys; sys.exit('no table')"), {})
    with (
        Supervisor(tmp_path, reporter) as supervisor,
        pytest.raises(LauncherError, match=r"(?s)migrate ended with status 1.*no table.*See "),
    ):
        supervisor.run(spec)
    reporter.close()


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match=r"Cannot start web .*absent"):
        Child(ProcessSpec("web", (str(tmp_path / "absent"),), {}), None)


def test_a_child_takes_what_it_started_with_it(tmp_path: Path) -> None:
    source = "import subprocess as s, sys; s.Popen(['sleep', '60']); sys.exit(0)"
    child = Child(ProcessSpec("parent", (sys.executable, "-c", source), {}), None)
    assert child.wait(10)
    wait_for(lambda: not pids.session_members(child.pid), 5)
    stop_now(child)


def test_a_process_that_does_not_listen_is_killed() -> None:
    source = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(60)"
    spec = ProcessSpec(
        "deaf", (sys.executable, "-c", source), {}, stop=((signal.SIGTERM, 0.2),)
    )  # fmt: skip
    child = Child(spec, None)
    stop_now(child)
    assert child.poll() in (-signal.SIGKILL, -signal.SIGTERM)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_queue_has_a_worker(count: int) -> None:
    queues = worker_queues(count)
    assert len(queues) == count
    served = {name for names in queues for name in names.split(",")}
    assert served == {"scoring", "escalation", "reports", "ml_queue", "maintenance"}


def test_only_the_migration_is_given_the_owners_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_ADMIN_URL", "owner")
    environment = child_environment({"DATABASE_URL": "app"})
    plan = product_plan(Options(Path("var"), demo=True, port=8123), environment, "owner")
    assert plan.migrate[0].environment["DATABASE_ADMIN_URL"] == "owner"
    others = (*plan.keep, *plan.prepare, plan.greeting)
    assert all(spec and "DATABASE_ADMIN_URL" not in spec.environment for spec in others)
    assert all(spec.environment["TZ"] == "UTC" for spec in plan.keep)
    assert [spec.name for spec in plan.keep] == ["web", "worker-1", "worker-2", "scheduler", "demo"]
    assert plan.keep[0].argv[-4:] == ("--host", "127.0.0.1", "--port", "8123")
    assert plan.prepare[0].console
    plain = product_plan(Options(Path("var")), environment, "")
    assert (plain.migrate, plain.prepare, plain.greeting) == ((), (), None)


def test_the_url_is_one_that_a_browser_here_can_open() -> None:
    assert Options(Path("var"), host="0.0.0.0").url == "http://127.0.0.1:8000"
    assert Options(Path("var"), host="::", port=80).url == "http://[::1]:80"


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(LauncherError, match=r"Cannot listen on 192\.0\.2\.1 port 8000"):
        check_port_is_free("192.0.2.1", 8000)


def test_readiness_says_what_is_wrong(port: int) -> None:
    assert "refused" in readiness(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("name", ["nothing", "made"])
def test_a_folder_that_is_no_instance_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "made").mkdir()
    noc = str(Path(sys.executable).parent / "noc")
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    done = subprocess.run(
        [noc, "tenants", "list", "--data-dir", str(tmp_path / name)],
        capture_output=True, text=True, timeout=60, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{name} is not the folder of an instance" in " ".join(done.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_the_command_explains_itself_and_its_errors(tmp_path: Path) -> None:
    assert "Run everything" in CliRunner().invoke(up, ["--help"]).output
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        result = CliRunner().invoke(up, ["--port", str(taken), "--data-dir", str(tmp_path / "d")])
    assert result.exit_code == 1
    assert f"Port {taken}" in result.output
    assert issubclass(LauncherError, click.ClickException)

"""``noc up`` on real services: what a person sees, and what survives."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from tests.launcher.conftest import Up, wait_for


def test_it_says_where_to_go_and_publishes_its_addresses(up: Callable[..., Up]) -> None:
    one = up().ready()
    assert f"http://127.0.0.1:{one.port}" in one.said
    assert "sign in as somebody" in one.said
    assert one.instance["port"] == one.port
    assert one.instance["pid"] == one.process.pid
    assert "database_admin_url" not in one.instance
    for name in ("instance.json", "owner.json", "secret_key"):
        assert stat.S_IMODE((one.data_dir / name).stat().st_mode) == 0o600
    assert "owner address: None" in (one.data_dir / "logs" / "web.log").read_text()
    assert "migrated" in (one.data_dir / "logs" / "migrate.log").read_text()


def test_the_server_is_private_and_set_up_as_documented(up: Callable[..., Up]) -> None:
    one = up().ready()
    with one.connect() as connection:
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('fsync'),"
            " current_setting('max_connections'), current_setting('shared_buffers'),"
            " current_setting('timezone'), current_setting('data_checksums'),"
            " pg_encoding_to_char(encoding), datlocale FROM pg_database WHERE datname = 'noc'"
        ).fetchone()
    assert row == ("", "on", "200", "256MB", "UTC", "on", "UTF8", "C.UTF-8")
    client = redis.Redis.from_url(one.instance["redis_url"])
    assert client.config_get("appendonly") == {"appendonly": "yes"}
    client.close()


def test_committed_rows_and_queued_jobs_survive_kill_9(up: Callable[..., Up]) -> None:
    one = up().ready()
    with one.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    client = redis.Redis.from_url(one.instance["redis_url"])
    client.rpush("queue", "job")
    client.close()
    secret = one.instance["secret_key"]
    one.process.kill()
    one.process.wait()

    again = up().ready()
    with again.connect() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    client = redis.Redis.from_url(again.instance["redis_url"])
    assert client.lrange("queue", 0, -1) == [b"job"]
    client.close()
    assert again.instance["secret_key"] == secret


def test_kill_9_takes_the_children_down(up: Callable[..., Up]) -> None:
    one = up("stubborn").ready()
    one.process.kill()
    one.process.wait()
    # All but the child of a child, which the next start ends.
    wait_for(lambda: len(one.survivors()) <= 1, 10)
    again = up().ready()
    assert "ended 1 processes" in again.said
    assert not one.survivors() - again.survivors()


def test_sigterm_stops_everything_within_ten_seconds(up: Callable[..., Up]) -> None:
    one = up("stubborn").ready()
    assert len(one.processes()) >= 6
    assert one.stop(signal.SIGTERM) < 10
    assert one.process.returncode == 0
    assert not one.survivors()
    assert not (one.data_dir / "postgres" / "cluster" / "postmaster.pid").exists()


def test_a_second_ctrl_c_hastens(up: Callable[..., Up]) -> None:
    one = up("stubborn").ready()
    one.process.send_signal(signal.SIGINT)
    one.until("stopping")
    with pytest.raises(Exception, match="timed out"):
        one.process.wait(1.0)
    assert one.stop(signal.SIGINT) < 3
    assert not one.survivors()


def test_a_second_up_says_who_runs_there(up: Callable[..., Up]) -> None:
    one = up().ready()
    second = up()
    assert second.process.wait(20) == 1
    said = " ".join(second.said.split())
    assert f"process {one.process.pid} since 20" in said
    assert f"http://127.0.0.1:{one.port}" in said
    assert one.process.poll() is None


def test_a_stale_lock_and_a_recycled_pid_do_not_matter(up: Callable[..., Up]) -> None:
    one = up().ready()
    one.stop()
    (one.data_dir / "noc.lock").write_text('{"pid": 1, "url": "", "started": "long ago"}')
    pid_file = one.data_dir / "postgres" / "cluster" / "postmaster.pid"
    # The pid of a killed server, after the restart of a container: somebody else's.
    pid_file.write_text(f"{os.getppid()}\n{pid_file.parent}\n0\n5432\n\n\n0 0\nready\n")
    up().ready()


def test_a_taken_port_is_named_before_anything_starts(
    up: Callable[..., Up], folder: Path, port: int
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        one = up()
        assert one.process.wait(20) == 1
    assert f"Port {port} on 127.0.0.1 is taken" in one.said
    assert "noc up --port" in " ".join(one.said.split())
    assert not (folder / "data").exists()


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_a_killed_service_comes_back(up: Callable[..., Up], service: str) -> None:
    one = up().ready()
    before = one.pid_of(service)
    os.kill(before, signal.SIGKILL)
    one.until(f"{service} restarted")

    def answers() -> bool:
        try:
            redis.Redis.from_url(one.instance["redis_url"]).ping()
            with one.connect() as connection:
                connection.execute("SELECT 1")
        except (psycopg.OperationalError, redis.ConnectionError):
            return False
        return one.pid_of(service) != before

    wait_for(answers, 20)
    assert f"{service} was ended by SIGKILL" in one.said


def test_a_crashing_program_is_restarted_with_growing_delays(up: Callable[..., Up]) -> None:
    one = up("crasher").ready()
    one.until("restarting in 1 s")
    one.until("restarting in 2 s")
    assert "crasher ended with status 1" in one.said
    assert "ERROR the crasher crashed" in one.said


def test_own_services_are_used_where_the_environment_names_them(
    up: Callable[..., Up], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = up().ready()
    monkeypatch.setenv("REDIS_URL", one.instance["redis_url"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    two = up(data_dir=folder / "other", port=port).ready()
    assert two.instance["redis_url"] == one.instance["redis_url"]
    assert not (folder / "other" / "redis").exists()


def test_a_deep_data_folder_gets_short_socket_paths(up: Callable[..., Up], folder: Path) -> None:
    deep = folder / ('a folder, with a "name" and 100% ' + "x" * 40) / ("y" * 60)
    deep.mkdir(parents=True)
    one = up(data_dir=deep / "data").ready()
    with one.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert one.stop() < 10


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may not run PostgreSQL")
def test_as_root_below_a_private_folder_nothing_is_opened_up(
    up: Callable[..., Up], folder: Path
) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    one = up(data_dir=private / "data").ready()
    with one.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert Path(f"/proc/{one.pid_of('postgres')}").stat().st_uid != 0
    one.stop()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    again = up(data_dir=private / "data").ready()
    with again.connect() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)

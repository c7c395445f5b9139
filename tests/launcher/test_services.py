"""The embedded services by themselves, and where they are put."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import psycopg
import pytest
import redis

from noc.launcher import binaries, places
from noc.launcher.errors import LauncherError
from noc.launcher.instance import Instance, owner_url
from noc.launcher.places import (
    ClusterHome,
    cluster_home,
    make_data_dir,
    socket_folder,
    unprivileged_account,
)
from noc.launcher.postgres import Postgres
from noc.launcher.process import Child
from noc.launcher.redis import Redis
from noc.launcher.services import embedded
from tests.launcher.conftest import wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may not run PostgreSQL")


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)


def test_embedded_services_start_with_both_roles(folder: Path) -> None:
    with embedded(folder / "data") as services:
        with connect(services.admin_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("noc_owner",)
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
        with connect(services.app_url) as connection:
            assert connection.execute(
                "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles"
                " WHERE rolname = current_user"
            ).fetchone() == ("noc_app", False, False)
        client = redis.Redis.from_url(services.redis_url)
        assert client.ping()
        client.close()


def test_embedded_services_stop_even_after_an_exception(folder: Path) -> None:
    def fail() -> None:
        with embedded(folder / "data") as services:
            urls.append(services)
            raise RuntimeError("the test failed")

    urls: list[object] = []
    with pytest.raises(RuntimeError, match="the test failed"):
        fail()
    running = [
        path for path in Path("/proc").glob("[0-9]*/cmdline")
        if os.fsencode(folder) in path.read_bytes()
    ]  # fmt: skip
    assert urls
    assert not running


@as_root
def test_a_throwaway_below_a_private_folder_leaves_nothing_behind(folder: Path) -> None:
    folder.chmod(0o700)
    before = set(Path(tempfile.gettempdir()).glob("noc-throwaway-*"))
    with embedded(folder / "data") as services:
        assert len(set(Path(tempfile.gettempdir()).glob("noc-throwaway-*")) - before) == 1
        with connect(services.app_url) as connection:
            connection.execute("SELECT 1")
    assert set(Path(tempfile.gettempdir()).glob("noc-throwaway-*")) <= before


@as_root
def test_programs_below_a_private_folder_are_copied_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = binaries.find_postgres()
    private = folder / "private"
    private.mkdir(mode=0o700)
    package = original.parents[1]
    install = private / package.name / original.parent.name
    ignore = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(original.parent, install, ignore=ignore)
    shutil.copytree(f"{package}.libs", private / f"{package.name}.libs")
    monkeypatch.setattr(places, "SHARED_BASES", (folder / "shared",))
    account = unprivileged_account()

    programs = binaries.reachable_by(account, install / "bin")

    assert programs.is_relative_to(folder / "shared")
    assert binaries.reachable_by(account, install / "bin") == programs
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert [path.name[:9] for path in (folder / "shared").iterdir()] == ["programs-"]
    monkeypatch.setattr(binaries, "find_postgres", lambda: install / "bin")
    with embedded(folder / "data") as services, connect(services.app_url) as connection:
        connection.execute("SELECT 1")


@as_root
def test_a_lost_cluster_is_not_replaced_by_an_empty_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "SHARED_BASES", (folder / "shared",))
    data_dir = folder / "private" / "data"
    data_dir.mkdir(parents=True)
    data_dir.parent.chmod(0o700)
    home = cluster_home(data_dir, throwaway=False)
    assert home.folder.is_relative_to(folder / "shared")
    assert cluster_home(data_dir, throwaway=False) == home

    copy = shutil.copytree(data_dir, folder / "private" / "copy")
    with pytest.raises(LauncherError, match="looks like a copy"):
        cluster_home(copy, throwaway=False)
    shutil.rmtree(data_dir)  # Now it is a move.
    assert cluster_home(copy, throwaway=False) == home
    shutil.rmtree(home.folder)
    with pytest.raises(LauncherError, match=r"Bring it back, or delete .*cluster.json"):
        cluster_home(copy, throwaway=False)


def test_orphaned_services_are_ended_before_new_ones_start(folder: Path) -> None:
    data_dir = make_data_dir(folder / "my data")
    home = cluster_home(data_dir, throwaway=True)
    servers = (Postgres(home, fast=True), Redis(data_dir / "redis"))
    try:
        for server in servers:
            spec = server.spec()
            assert spec.before_start
            spec.before_start()
            orphan = Child(spec, subprocess.DEVNULL)
            wait_for(partial(server.is_ready, orphan.pid), 10)
            spec.before_start()
            # It has ended; that its parent hears of it may take a moment more.
            assert orphan.wait(5)
            assert orphan.poll() == 0
    finally:
        home.discard()


def test_a_cluster_of_another_version_is_left_alone(folder: Path) -> None:
    home = ClusterHome(folder, None)
    home.data.mkdir()
    (home.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(LauncherError, match="made by PostgreSQL 9, and this is 1"):
        Postgres(home).prepare()


def test_a_foreign_folder_in_tmp_is_not_used_for_sockets(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_runtime_bases", lambda: [folder])
    deep = Path("/", *["d" * 50] * 3)
    first = socket_folder(deep)
    assert first.parent == folder
    assert socket_folder(deep) == first
    first.chmod(0o755)  # As if somebody had made it before us.
    second = socket_folder(deep)
    assert second.parent != folder
    second.rmdir()


def test_what_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_package_folder", lambda _: None)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(LauncherError, match=r"`initdb` and\s+`postgres` on PATH"):
        binaries.find_postgres()
    with pytest.raises(LauncherError, match="`redis-server` or `valkey-server` on PATH"):
        binaries.find_redis()
    valkey = folder / "valkey-server"
    valkey.write_text("#!/bin/sh\n")
    valkey.chmod(0o755)
    assert binaries.find_redis() == valkey


@pytest.mark.parametrize(("version", "taken"), [("17.6", False), ("18.0", True)])
def test_a_postgres_that_is_too_old_is_not_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    monkeypatch.setattr(binaries, "_package_folder", lambda _: None)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    if taken:
        assert binaries.find_postgres() == folder
    else:
        with pytest.raises(LauncherError, match="PostgreSQL 18 or newer"):
            binaries.find_postgres()


def test_an_instance_keeps_its_secret_and_the_owner_apart(folder: Path) -> None:
    with Instance(folder / "data") as instance:
        assert instance.secret_key() == instance.secret_key()
        assert len(instance.secret_key()) > 40
        instance.publish({"database_url": "app"}, "owner")
        published = json.loads((instance.data_dir / "instance.json").read_text())
        assert published == {"database_url": "app"}
        assert owner_url(instance.data_dir) == "owner"
        with pytest.raises(LauncherError, match=f"as process {os.getpid()} since"):
            Instance(folder / "data").__enter__()
    with Instance(folder / "data"):
        pass

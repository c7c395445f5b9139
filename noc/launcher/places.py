"""Where an instance keeps things, and how PostgreSQL reaches them when we are root.

PostgreSQL refuses to run as root. Started by root it runs as an unprivileged account, which
often cannot enter the data folder (a clone below ``/root``). Nobody's folders are opened up for
it: what it must reach is put in a folder it can reach, and the data folder remembers which.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from noc.launcher.errors import LauncherError
from noc.launcher.process import Account

CLUSTER_RECORD = "cluster.json"
SHARED_BASES = (Path("/var/lib/noc-intelligence"), Path("/var/tmp/noc-intelligence"))
SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path, by the size of ``sun_path`` on Linux (macOS: 103)."""
_ROOM_FOR_SOCKET_NAME = len("/.s.PGSQL.5432") + 5


@dataclass(frozen=True)
class ClusterHome:
    """Folder of the cluster; ``account`` runs PostgreSQL, None: the caller's own user."""

    folder: Path
    account: Account | None
    throwaway: bool = False

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.folder / "cluster"

    def discard(self) -> None:
        """Delete what a throwaway instance keeps outside of its data folder."""
        if self.throwaway:
            shutil.rmtree(self.folder, ignore_errors=True)


def make_data_dir(data_dir: Path) -> Path:
    """The data folder, made if missing, absolute and free of symbolic links.

    A folder that root makes can be passed through (not listed) by PostgreSQL's account; what is
    secret in it has modes of its own. A folder that exists keeps its mode.
    """
    if not data_dir.is_dir():
        try:
            data_dir.mkdir(parents=True)
        except OSError as error:
            raise LauncherError(f"Cannot make the data folder {data_dir}: {error}") from error
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return data_dir.resolve()


def private_folder(path: Path, account: Account | None = None) -> Path:
    """A folder for its owner alone, made if missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return path


def cluster_home(data_dir: Path, *, throwaway: bool) -> ClusterHome:
    """Where the cluster of ``data_dir`` is, deciding it the first time.

    Raises :class:`LauncherError` when it was recorded elsewhere and is gone: a new, empty
    database in its place would hide a loss.
    """
    inside = data_dir / "postgres"
    record = data_dir / CLUSTER_RECORD
    if record.exists():
        folder = _recorded_folder(data_dir, record)
        return ClusterHome(folder, _account_for(folder))
    account = _account_for(inside)
    if account is None:
        return ClusterHome(private_folder(inside), None)
    inside.mkdir(exist_ok=True)
    inside.chmod(0o711)
    if can_enter(account, inside):
        return ClusterHome(inside, account)
    if (inside / "cluster").exists():
        raise LauncherError(
            f"PostgreSQL runs as `{account.name}` here and can no longer enter {inside}. Let it "
            "pass through the folders above, or move the data folder where it can."
        )
    inside.rmdir()
    return _home_outside(data_dir, account, throwaway=throwaway)


def _home_outside(data_dir: Path, account: Account, *, throwaway: bool) -> ClusterHome:
    if throwaway:
        folder = Path(tempfile.mkdtemp(prefix="noc-throwaway-"))
    else:
        folder = shared_base(account) / f"{data_dir.name}-{short_hash(data_dir)}"
        folder.mkdir(exist_ok=True)
        (folder / "origin").write_text(str(data_dir))
        (data_dir / CLUSTER_RECORD).write_text(json.dumps({"cluster": str(folder)}) + "\n")
    folder.chmod(0o711)
    return ClusterHome(folder, account, throwaway)


def _account_for(folder: Path) -> Account | None:
    """Who runs the cluster in ``folder``: its owner if there is one, None when that is us."""
    try:
        owner = (folder / "cluster").stat().st_uid
    except FileNotFoundError:
        return unprivileged_account() if os.geteuid() == 0 else None
    except PermissionError:
        owner = -1
    if owner == os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwuid(owner)
    except (KeyError, OverflowError):
        entry = None
    if os.geteuid() != 0 or entry is None or owner == 0:
        raise LauncherError(
            f"The database in {folder} belongs to another user"
            f"{f' (`{entry.pw_name}`)' if entry else ''}. Run `noc up` as the user who made the "
            "instance, or choose another --data-dir."
        )
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _recorded_folder(data_dir: Path, record: Path) -> Path:
    folder = Path(json.loads(record.read_text())["cluster"])
    try:
        origin = Path((folder / "origin").read_text())
    except OSError as error:
        raise LauncherError(
            f"The database of this instance was kept in {folder}, which cannot be read "
            f"({error.strerror}). Bring it back, or delete {record} to begin with an empty one."
        ) from error
    if origin != data_dir:
        # A moved data folder takes its cluster along; a copied one must not share it.
        if origin.exists():
            raise LauncherError(
                f"{data_dir} looks like a copy of {origin}: its {CLUSTER_RECORD} names the "
                f"database of the other. Delete {record} to begin with an empty database."
            )
        (folder / "origin").write_text(str(data_dir))
    return folder


def unprivileged_account() -> Account:
    """An existing account without rights, to run PostgreSQL as: ``noc`` where there is one."""
    for name in ("noc", "nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise LauncherError(
        "PostgreSQL does not run as root, and this machine has no account `nobody` to run it as. "
        "Run `noc up` as an ordinary user, or add an account named `noc`."
    )


def can_enter(account: Account, folder: Path) -> bool:
    """Whether ``account`` can pass through ``folder`` and all above it; tried, not computed."""
    return run_as(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]) == 0


def run_as(account: Account, argv: list[str]) -> int:
    """Exit status of a short command run as ``account``; 126 when it cannot be started."""
    try:
        return subprocess.run(
            argv, user=account.uid, group=account.gid, extra_groups=[], cwd="/", check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=20,
        ).returncode  # fmt: skip
    except PermissionError:
        return 126


def shared_base(account: Account) -> Path:
    """A persistent folder of root's that ``account`` can pass through."""
    for base in SHARED_BASES:
        try:
            base.mkdir(exist_ok=True)
            status = base.lstat()
            # Below a world-writable folder somebody else may have made it before us.
            if status.st_uid != 0 or not base.is_dir() or base.is_symlink():
                continue
            base.chmod(0o755)
        except OSError:
            continue
        if can_enter(account, base):
            return base
    raise LauncherError(
        f"PostgreSQL runs as `{account.name}` here and can reach neither the data folder nor any "
        f"of {', '.join(map(str, SHARED_BASES))}. Choose another --data-dir, or run `noc up` as "
        "an ordinary user."
    )


def socket_folder(preferred: Path, account: Account | None = None) -> Path:
    """A folder for sockets, for their owner alone, with a path short enough for one.

    ``preferred`` when it is short enough, else a folder named from it in a runtime directory,
    the same one at every start.
    """
    if len(os.fsencode(preferred)) + _ROOM_FOR_SOCKET_NAME <= SOCKET_PATH_LIMIT - 4:
        return private_folder(preferred, account)
    for base in _runtime_bases():
        folder = base / f"noc-{short_hash(preferred)}"
        if _claim_folder(folder, account):
            return folder
    return private_folder(Path(tempfile.mkdtemp(prefix="noc-", dir="/tmp")), account)


def _claim_folder(folder: Path, account: Account | None) -> bool:
    """Make a private folder where others may make things too; False if it is somebody's."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        status = folder.lstat()
        owner = account.uid if account else os.geteuid()
        return (
            status.st_uid == owner and stat.S_ISDIR(status.st_mode) and not (status.st_mode & 0o077)
        )
    except OSError:
        return False
    private_folder(folder, account)
    return True


def _runtime_bases() -> list[Path]:
    user = os.environ.get("XDG_RUNTIME_DIR", "")
    bases = [Path("/run")] if os.geteuid() == 0 else [Path(user)] if user else []
    return [*(base for base in bases if len(os.fsencode(base)) < 60), Path("/tmp")]


def short_hash(path: Path) -> str:
    """A name for a path where the path itself is too long."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]

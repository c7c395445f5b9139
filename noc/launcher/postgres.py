"""The embedded PostgreSQL: its cluster, its process, and what a killed launcher left of it.

It listens on a Unix socket in a folder of its owner alone and nowhere else. Clients prove who they
are by their operating-system user (``peer``): whoever runs ``noc up`` may be any role.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from noc.launcher import binaries, pids
from noc.launcher.errors import LauncherError
from noc.launcher.places import ClusterHome, private_folder, socket_folder
from noc.launcher.process import ProcessSpec, Stage

OWNER_ROLE = "noc_owner"
APP_ROLE = "noc_app"
DATABASE = "noc"

# Written into postgresql.conf once, so that ALTER SYSTEM can change them.
_INITIAL = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
}
# Given at every start: what keeps the server private is not for ALTER SYSTEM to change.
_ALWAYS = {"listen_addresses": "", "unix_socket_permissions": "0700", "logging_collector": "off"}
_FAST = {
    "fsync": "off",
    # It would visit tables while a test holds all of their rows in a transaction that is open:
    # the planner would take them for empty then, and joins for free.
    "autovacuum": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
_READY_LINE = 7
_SMALL_SHARED_MEMORY = 256 * 1024 * 1024


@dataclass
class Postgres:
    """The server of one cluster. Its folder is the caller's by a lock held elsewhere."""

    home: ClusterHome
    fast: bool = False
    """Without protection against a crash of the machine: for tests."""
    programs: Path = field(init=False)
    sockets: Path = field(init=False)

    def __post_init__(self) -> None:
        self.programs = binaries.find_postgres()
        if self.home.account is not None:
            self.programs = binaries.reachable_by(self.home.account, self.programs)
        self.sockets = socket_folder(self.home.folder / "sockets", self.home.account)

    def url(self, role: str, database: str = DATABASE) -> str:
        """Address for SQLAlchemy."""
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self.sockets))}"

    def spec(self) -> ProcessSpec:
        """The server as a process; the cluster is made before its first start."""
        options = _ALWAYS | (_FAST if self.fast else {}) | self._machine_options()
        options["unix_socket_directories"] = '"' + str(self.sockets).replace('"', '""') + '"'
        for kind in ("hba", "ident"):
            options[f"{kind}_file"] = str(self.home.folder / f"pg_{kind}.conf")
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return ProcessSpec(
            name="postgres",
            argv=(str(self.programs / "postgres"), "-D", str(self.home.data), *arguments),
            environment=_environment(),
            stage=Stage.DATABASE,
            # Fast shutdown; then without a checkpoint, which the next start makes up for.
            stop=((signal.SIGINT, 3.0), (signal.SIGQUIT, 0.5)),
            death_signal=signal.SIGINT,
            account=self.home.account,
            directory=Path("/"),
            noteworthy=re.compile(r"\b(?:FATAL|PANIC):(?!.*administrator command)"),
            before_start=self.prepare,
            is_ready=self.is_ready,
            ready_within=60.0,
        )

    def prepare(self) -> None:
        """Make a start possible: no other server on the cluster, the cluster made, access set.

        Raises :class:`LauncherError` when the cluster cannot be used.
        """
        self._end_orphan()
        if not self.home.data.exists():
            self._initialise()
        made_by = int((self.home.data / "PG_VERSION").read_text())
        version = binaries.postgres_version(self.programs)
        if version != made_by:
            raise LauncherError(
                f"The database in {self.home.data} was made by PostgreSQL {made_by}, and this is "
                f"{version}. Dump it with the old version and restore it with the new one "
                "(docs/operations.md), or choose another --data-dir."
            )
        self._write_access()

    def is_ready(self, pid: int) -> bool:
        """Whether the server of ``pid`` takes connections, without making one that it logs."""
        lines = self._pid_file()
        return (
            len(lines) > _READY_LINE
            and lines[0].strip() == str(pid)
            and lines[_READY_LINE].strip() == "ready"
        )

    def _machine_options(self) -> dict[str, str]:
        """Shared memory in files where /dev/shm is small (64 MB in a container by default)."""
        try:
            room = os.statvfs("/dev/shm")
        except OSError:
            return {}
        small = room.f_frsize * room.f_blocks < _SMALL_SHARED_MEMORY
        return {"dynamic_shared_memory_type": "mmap"} if small else {}

    def _pid_file(self) -> list[str]:
        try:
            return (self.home.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _end_orphan(self) -> None:
        """End a server that a killed launcher left, and forget one that is gone.

        PostgreSQL refuses to start when the pid it noted exists, whoever has it now; after the
        restart of a container, somebody often has.
        """
        lines = self._pid_file()
        if not lines:
            return
        pid = int(lines[0]) if lines[0].strip().isdigit() else 0
        if pids.is_running(pid):
            command = pids.command_line(pid)
            if "postgres" in command and f" -D {self.home.data} " in command:
                pids.end([pid], first=signal.SIGINT, grace=15.0)
        (self.home.data / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self) -> None:
        """``initdb`` into a folder beside the cluster, renamed when complete."""
        unfinished = self.home.data.with_name("cluster.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        private_folder(unfinished, self.home.account)
        account = self.home.account
        settings = [part for item in _INITIAL.items() for part in ("--set", "=".join(item))]
        done = subprocess.run(
            [
                str(self.programs / "initdb"), "-D", str(unfinished), "--username", OWNER_ROLE,
                "--encoding", "UTF8", "--no-locale", "--locale-provider", "builtin",
                "--builtin-locale", "C.UTF-8", "--auth", "peer", "--data-checksums",
                "--no-instructions", *(["--no-sync"] if self.fast else []), *settings,
            ],
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            env=_environment(), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            reason = done.stderr.strip() or done.stdout.strip()
            raise LauncherError(f"PostgreSQL could not make its cluster (initdb):\n{reason}")
        unfinished.rename(self.home.data)

    def _write_access(self) -> None:
        """Who may connect: the caller's user as any role, over the socket.

        These files are beside the cluster, so that as root we never write where its account can.
        """
        try:
            user = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError as error:
            raise LauncherError(
                f"User id {os.geteuid()} has no name on this machine, and PostgreSQL needs one."
            ) from error
        rules = "local all all peer map=noc\nlocal replication all peer map=noc\n"
        for kind, content in (("hba", rules), ("ident", f'noc "{user}" all\n')):
            path = self.home.folder / f"pg_{kind}.conf"
            path.write_text(content)
            path.chmod(0o644)


def _environment() -> dict[str, str]:
    """A small environment of its own: PGDATA, PGPORT and the like must not leak in."""
    kept = {"PATH": os.environ.get("PATH", os.defpath)}
    return kept | {"LC_ALL": "C", "LANG": "C", "TZ": "UTC"}

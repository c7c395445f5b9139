"""Whether the web process will get its port, asked before anything is started."""

from __future__ import annotations

import errno
import socket

from noc.launcher.errors import LauncherError

_LOOK_AHEAD = 100


def check_port_is_free(host: str, port: int) -> None:
    """Raise :class:`LauncherError` saying what is wrong with ``host`` and ``port``."""
    error = _bind_error(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        raise LauncherError(
            f"Port {port} on {host} is taken by another program. Choose another one, "
            f"for example: noc up --port {_free_port_after(host, port)}"
        )
    if error.errno == errno.EACCES:
        raise LauncherError(
            f"Port {port} is for privileged users only. Choose one from 1024 on, "
            "for example: noc up --port 8000"
        )
    raise LauncherError(f"Cannot listen on {host} port {port}: {error.strerror or error}")


def _bind_error(host: str, port: int) -> OSError | None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as listener:
            # A port in TIME_WAIT is free, and the web process takes it in the same way.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError as error:
        return error
    return None


def _free_port_after(host: str, port: int) -> int:
    following = range(port + 1, min(port + _LOOK_AHEAD, 65536))
    return next((candidate for candidate in following if not _bind_error(host, candidate)), 8000)

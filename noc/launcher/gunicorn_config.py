"""gunicorn's configuration, as it reads one: module-level names.

One process serves pages, REST and the feed: an open feed socket holds a thread, so sockets are
capped at three quarters of the threads and the rest answers HTTP.
"""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import multiprocess

from noc.events.connections import stop_all
from noc.monitoring import logs
from noc.settings import load_settings

_settings = load_settings()
logs.configure(_settings)
log = structlog.get_logger(__name__)

wsgi_app = "wsgi:app"
# ``wsgi.py`` lies beside the packages, wherever the command is given.
pythonpath = str(Path(__file__).parents[2])
worker_class = "noc.launcher.web_worker.FeedWorker"
workers = _settings.web_processes
threads = _settings.web_threads
# Beyond the threads: connections kept alive, and some that wait for a thread.
worker_connections = max(1000, 2 * threads)
keepalive = 15
# The heartbeat of a thread worker is its main loop's, which no request can hold up.
timeout = 60
graceful_timeout = 5
# Its default is a socket in a shared folder through which the server can be controlled.
control_socket_disable = True
# Each request is logged by the application, with its id.
accesslog = None
errorlog = None
logger_class = "noc.launcher.web_worker.SharedLogger"
loglevel = "warning"
forwarded_allow_ips = "*" if _settings.trusted_proxies else "127.0.0.1"
proc_name = "noc-web"


def on_starting(_: Any) -> None:
    """Make room for a descriptor and a selector for each connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * worker_connections + 1024
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def post_worker_init(_: Any) -> None:
    """Load what scores with a model while nobody waits for it, and not in the first request."""
    threading.Thread(target=_load_model_library, name="model-library", daemon=True).start()


def _load_model_library() -> None:
    # Not in the process that starts the others: it needs none of this.
    from noc.fraud.training import trees

    try:
        trees.library()
    except (ImportError, OSError):
        # Whoever needs it first meets the same, and is told.
        log.exception("model_library_not_loaded")


def worker_exit(server: Any, worker: Any) -> None:
    """End at once: nothing is in flight any more, or has had its time.

    Taking the interpreter down would wait for every thread and free every object first.
    """
    if worker.booted and worker.pid == os.getpid():
        stop_all()
        os._exit(0)


def child_exit(server: Any, worker: Any) -> None:
    """Take a dead process's live gauges out of the shared metrics."""
    if _settings.prometheus_multiproc_dir:
        multiprocess.mark_process_dead(  # type: ignore[no-untyped-call]
            worker.pid, path=_settings.prometheus_multiproc_dir
        )

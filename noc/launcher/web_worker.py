"""gunicorn's thread worker, which says goodbye to the feed's clients before it stops."""

from __future__ import annotations

import threading
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from noc.events.connections import stop_all


class FeedWorker(ThreadWorker):
    """Closes every feed socket with 1001 at once; without that each would hold up the stop."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: finish what is in flight, and the feed."""
        super().handle_exit(sig, frame)
        # A signal handler may have interrupted anything, a holder of a lock too.
        threading.Thread(target=stop_all, name="feed-stop", daemon=True).start()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGQUIT and Ctrl-C: end now. The interpreter still waits for threads with a socket."""
        threading.Thread(target=stop_all, name="feed-stop", daemon=True).start()
        super().handle_quit(sig, frame)


class SharedLogger(Logger):
    """Hands gunicorn's own lines to the root logger: one format for the whole process."""

    def setup(self, cfg: Any) -> None:
        """Set the level; the handlers are the root's."""
        super().setup(cfg)
        self.error_log.propagate = True

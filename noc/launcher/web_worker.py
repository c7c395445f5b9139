"""gunicorn's thread worker that says goodbye to the feed's clients, and waits for none for ever."""

from __future__ import annotations

import threading
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.util import close_graceful
from gunicorn.workers.gthread import ThreadWorker

from noc.events.connections import stop_all
from noc.launcher.patience import HEAD_SECONDS, Patience, body_seconds


class FeedWorker(ThreadWorker):
    """Closes every feed socket with 1001 at once; without that each would hold up the stop."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As gunicorn makes it."""
        super().__init__(*arguments, **options)
        self._patience = Patience()

    def init_process(self) -> None:
        """In the worker's process: serve, until it ends."""
        self._patience.start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Read a request and answer it, in a thread of the pool."""
        self._patience.wait(conn.sock, HEAD_SECONDS)
        try:
            stays = super().handle(conn)
        finally:
            self._patience.forget(conn.sock)
        if not stays:
            # Up to two seconds with a client that has not sent all it announced. gunicorn would
            # wait in its main loop, and everybody else with it.
            close_graceful(conn.sock)
            # Closed again it would fail, and gunicorn would count it off a second time.
            conn.close = _closed
        return stays

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head is read; its body comes while the application reads it."""
        reader = req.body.reader
        if isinstance(reader, LengthReader) and reader.length:
            self._patience.wait(conn.sock, body_seconds(reader.length), lambda: bool(reader.length))
        elif isinstance(reader, ChunkedReader):
            self._patience.wait(conn.sock, body_seconds(None), lambda: reader.parser is not None)
        else:
            self._patience.forget(conn.sock)
        return super().handle_request(req, conn)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: finish what is in flight, and the feed."""
        super().handle_exit(sig, frame)
        # A signal handler may have interrupted anything, a holder of a lock too.
        threading.Thread(target=stop_all, name="feed-stop", daemon=True).start()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGQUIT and Ctrl-C: end now. The interpreter still waits for threads with a socket."""
        threading.Thread(target=stop_all, name="feed-stop", daemon=True).start()
        super().handle_quit(sig, frame)


def _closed(graceful: bool = False) -> None:
    """Take the place of closing a connection that is closed."""


class SharedLogger(Logger):
    """Hands gunicorn's own lines to the root logger: one format for the whole process."""

    def setup(self, cfg: Any) -> None:
        """Set the level; the handlers are the root's."""
        super().setup(cfg)
        self.error_log.propagate = True

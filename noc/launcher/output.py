"""What goes to the terminal and to the log files."""

from __future__ import annotations

import json
import logging.handlers
import re
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from noc.launcher.process import ProcessSpec

LOG_BYTES = 20 * 1024 * 1024
LOGS_KEPT = 3
TAIL_LINES = 40
_BURST, _WINDOW = 5, 10.0
_LONGEST_LINE = 64 * 1024
_LEVELS = ("warning", "error", "critical")


class SteadyConsole(Console):
    """A console whose reader may go away (a closed terminal, ``| head``) without ending us."""

    def on_broken_pipe(self) -> None:
        """Write nothing from now on."""
        self.quiet = True


class Reporter:
    """Says what the launcher does: on the terminal, and with the time in ``up.log``."""

    def __init__(self, console: Console, logs: Path) -> None:
        """Nothing is written before the first message."""
        self.console = console
        self._file = LogFile(logs / "up.log")

    def say(self, message: str, style: str = "") -> None:
        """One line."""
        self.show(Text(message, style=style))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._file.write(f"{stamp} {message}")

    def warn(self, message: str) -> None:
        """One line that a person should see."""
        self.say(message, "yellow")

    def show(self, text: Text | str) -> None:
        """To the terminal alone."""
        try:
            self.console.print(text, highlight=False, soft_wrap=True)
        except OSError:  # The terminal was closed.
            self.console.quiet = True

    def close(self) -> None:
        """Close ``up.log``."""
        self._file.close()


class ChildLog:
    """Output of one child: all of it to its file, what matters to the terminal.

    Of what matters at most five lines in ten seconds: a child that fails again and again must not
    bury the rest.
    """

    def __init__(self, spec: ProcessSpec, logs: Path, reporter: Reporter, *, verbose: bool) -> None:
        """Append to ``<logs>/<name>.log``; ``verbose`` shows every line."""
        self.path = logs / f"{spec.name}.log"
        self._spec = spec
        self._reporter = reporter
        self._verbose = verbose
        self._file = LogFile(self.path)
        self._pending = b""
        self._window_began = 0.0
        self._shown = 0
        self.muted = False
        self.tail: list[str] = []

    def feed(self, data: bytes) -> None:
        """Take a piece of output as it was read; lines may be cut anywhere."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > _LONGEST_LINE:
            lines, self._pending = [*lines, self._pending], b""
        for line in lines:
            self._line(line.decode("utf-8", "replace").rstrip("\r"))

    def finish(self) -> None:
        """Take what is left of a line, when its writer is gone."""
        if self._pending:
            self.feed(b"\n")

    def close(self) -> None:
        """Close the file."""
        self.finish()
        self._file.close()

    def _line(self, line: str) -> None:
        self._file.write(line)
        self.tail = [*self.tail[1 - TAIL_LINES :], line]
        if self._verbose:
            self._show(line, "")
        elif not self.muted and (summary := noteworthy(line, self._spec.noteworthy)):
            self._show_sparingly(summary)

    def _show_sparingly(self, summary: str) -> None:
        now = time.monotonic()
        if now - self._window_began > _WINDOW:
            self._window_began, self._shown = now, 0
        self._shown += 1
        if self._shown <= _BURST:
            self._show(summary, "yellow")
        elif self._shown == _BURST + 1:
            self._show(f"more of these: {self.path}", "yellow")

    def _show(self, line: str, style: str) -> None:
        label = Text(f"{self._spec.name:<10} ", style="cyan")
        self._reporter.show(label.append(Text.from_ansi(line, style=style)))


def noteworthy(line: str, plain: re.Pattern[str]) -> str:
    """What to show of a log line, JSON or plain, if it is a warning or worse; else ''."""
    if not line.startswith("{"):
        return line.strip()[:300] if plain.search(line) else ""
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(entry, dict) or str(entry.get("level", "")).lower() not in _LEVELS:
        return ""
    skipped = ("level", "event", "message", "timestamp", "logger", "exception", "stack")
    details = " ".join(f"{name}={value}" for name, value in entry.items() if name not in skipped)
    event = entry.get("event") or entry.get("message") or ""
    return f"{entry['level']}: {event} {details}".strip()[:300]


class LogFile(logging.handlers.RotatingFileHandler):
    """A file of lines, rotated; a full disk does not stop what is being supervised."""

    def __init__(self, path: Path) -> None:
        """The file is made with the first line."""
        super().__init__(
            path, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8", delay=True
        )

    def write(self, line: str) -> None:
        """Append a line."""
        self.emit(logging.LogRecord("noc.up", logging.INFO, "", 0, line, None, None))

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the line: there is nowhere left to say so."""

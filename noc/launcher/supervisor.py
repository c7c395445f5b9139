"""Keeps child processes running, and stops them all.

One thread and one loop: it starts children, reads their output, notices their deaths and the
signals sent to us. (Children are forked with a hook that asks for a death signal; that is safe
only without other threads.)
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from noc.launcher.errors import LauncherError, StopRequested
from noc.launcher.output import ChildLog, Reporter
from noc.launcher.process import Child, ProcessSpec, Stage
from noc.launcher.slots import Backoff, Slot, ending

_READ = 64 * 1024
_ALERT, _IDLE = 0.05, 2.0
"""Seconds between looks while something is waited for, and when only events matter."""
_ONE_WISH = 0.5
"""Signals this close together, in seconds, are one wish to stop (a terminal and its `make`)."""


class Supervisor:
    """Use as a context manager: leaving it stops every child, in reverse order of stages."""

    def __init__(
        self,
        logs: Path,
        reporter: Reporter,
        *,
        verbose: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        """Children log to files in ``logs``; ``verbose`` shows all their output."""
        self._logs = logs
        self._reporter = reporter
        self._verbose = verbose
        self._backoff = backoff or Backoff()
        self._slots: list[Slot] = []
        self._selector = selectors.DefaultSelector()
        self._asked_to_stop = 0.0
        self._hurried = False
        self._stopping = False
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Supervisor:
        """Take over SIGINT, SIGTERM and SIGHUP."""
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup noc up &`
                self._handlers[number] = signal.signal(number, self._on_signal)
        # SIGCHLD only wakes the loop, through the wake-up socket.
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything; returns when no child is left."""
        try:
            self.stop()
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._selector.close()
            self._wake.close()
            self._woken.close()

    def start(self, spec: ProcessSpec) -> Slot:
        """Start a process and keep it running from now on; returns when it is ready.

        Raises :class:`LauncherError` when it does not become ready.
        """
        slot = self._add(spec, once=False)
        self._launch(slot)
        if spec.is_ready:
            self._await_ready(slot)
        return slot

    def run(self, spec: ProcessSpec) -> list[str]:
        """Run a process to its end while the others are looked after; its last lines.

        Raises :class:`LauncherError` with them when it fails.
        """
        slot = self._add(spec, once=True)
        self._launch(slot)
        self.wait_until(lambda: slot.child is None)
        if slot.status != 0:
            raise LauncherError(f"{spec.name} {ending(slot.status)}.{self._tail_of(slot)}")
        self._slots.remove(slot)
        slot.log.close()
        return slot.log.tail

    def wait_until(self, done: Callable[[], bool], seconds: float | None = None) -> bool:
        """Look after the children until ``done()``; False when ``seconds`` pass before.

        Raises :class:`StopRequested` when a signal asks to stop.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while not done():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            self._turn(_IDLE if deadline is None else _ALERT)
            if self._asked_to_stop and not self._stopping:
                raise StopRequested
        return True

    def run_forever(self) -> None:
        """Look after the children until a signal asks to stop."""
        self.wait_until(lambda: False)

    def stop(self) -> None:
        """Stop stage by stage; a further signal takes away the grace that is left."""
        self._stopping = True
        for stage in sorted(Stage, reverse=True):
            running = [s for s in reversed(self._slots) if s.spec.stage == stage and s.child]
            self._stop_together(running)
        for slot in self._slots:
            slot.log.close()
        self._slots.clear()

    def _add(self, spec: ProcessSpec, *, once: bool) -> Slot:
        log = ChildLog(spec, self._logs, self._reporter, verbose=self._verbose)
        slot = Slot(spec, log, once=once)
        self._slots.append(slot)
        return slot

    def _launch(self, slot: Slot) -> None:
        if slot.spec.before_start:
            slot.spec.before_start()
        slot.due = None
        slot.child = Child(slot.spec, None if slot.spec.console else subprocess.PIPE)
        slot.started, slot.status, slot.output = time.monotonic(), None, slot.child.output
        if slot.output is not None:
            os.set_blocking(slot.output, False)
            self._selector.register(slot.output, selectors.EVENT_READ, slot)

    def _await_ready(self, slot: Slot) -> None:
        is_ready = slot.spec.is_ready
        assert is_ready is not None

        def settled() -> bool:
            return slot.child is None or is_ready(slot.child.pid)

        if not self.wait_until(settled, slot.spec.ready_within) or slot.child is None:
            what = "is not ready" if slot.child else ending(slot.status)
            raise LauncherError(f"{slot.spec.name} {what}.{self._tail_of(slot)}")

    def _tail_of(self, slot: Slot) -> str:
        if slot.spec.console:
            return ""
        return "".join(
            ["\n", *(f"  {line}\n" for line in slot.log.tail[-12:]), f"See {slot.log.path}"]
        )

    def _turn(self, seconds: float) -> None:
        """One turn of the loop: output, deaths, restarts that are due."""
        now = time.monotonic()
        dues = [slot.due - now for slot in self._slots if slot.due and not self._stopping]
        for key, _ in self._selector.select(max(0.0, min([seconds, *dues]))):
            if key.data is None:
                self._drain_wakeups()
            else:
                self._read(key.data)
        for slot in list(self._slots):
            if slot.child and (status := slot.child.poll()) is not None:
                self._bury(slot, status)
            elif not self._stopping and slot.due is not None and time.monotonic() >= slot.due:
                self._relaunch(slot)

    def _drain_wakeups(self) -> None:
        try:
            while self._woken.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _read(self, slot: Slot) -> bool:
        """Take a piece of output; False when there is none now, or none any more."""
        if slot.output is None:
            return False
        try:
            data = os.read(slot.output, _READ)
        except BlockingIOError:
            return False
        if not data:
            self._close_output(slot)
            return False
        slot.log.feed(data)
        return True

    def _close_output(self, slot: Slot) -> None:
        if slot.output is not None:
            self._selector.unregister(slot.output)
            slot.output = None
        if slot.child:
            slot.child.close()

    def _bury(self, slot: Slot, status: int) -> None:
        """A child has ended: take its last words, and see when it is to come back."""
        while self._read(slot):
            pass
        self._close_output(slot)  # Something that left its session may hold the other end.
        slot.log.finish()
        slot.child, slot.status = None, status
        if slot.once or self._stopping:
            return
        self._schedule(slot, ending(status), time.monotonic() - slot.started)

    def _schedule(self, slot: Slot, what: str, uptime: float) -> None:
        slot.delay = self._backoff.after(slot.delay, uptime)
        slot.due = time.monotonic() + slot.delay
        self._reporter.warn(
            f"{slot.spec.name} {what} after {uptime:.0f} s (see {slot.log.path}); "
            f"restarting in {slot.delay:g} s"
        )

    def _relaunch(self, slot: Slot) -> None:
        try:
            self._launch(slot)
        except LauncherError as error:
            self._schedule(slot, f"did not start: {error.message}", 0.0)
        else:
            self._reporter.say(f"{slot.spec.name} restarted", "green")

    def _stop_together(self, slots: list[Slot]) -> None:
        """Give each its signals and graces at the same time, then SIGKILL; wait until all ended."""
        for slot in slots:
            slot.log.muted = True
        rounds = max((len(slot.spec.stop) for slot in slots), default=0)
        for index in range(rounds):
            steps = [(s, s.spec.stop[index]) for s in slots if s.child and index < len(s.spec.stop)]
            for slot, (number, _) in steps:
                if slot.child:
                    slot.child.signal(number)
            self.wait_until(
                lambda: self._hurried or not any(slot.child for slot in slots),
                max((grace for _, (_, grace) in steps), default=0.0),
            )
        for slot in slots:
            if slot.child:
                slot.child.kill()
        self.wait_until(lambda: not any(slot.child for slot in slots), 3.0)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        self._asked_to_stop = self._asked_to_stop or now
        self._hurried = now - self._asked_to_stop > _ONE_WISH

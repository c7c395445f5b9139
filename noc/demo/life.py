"""The life of a simulated company from now on, minute by minute, as requests to be sent.

The very days that the seed would have stored, told as they happen: punches, fixes, phone events,
tasks and scans follow the roster and the clocks of the sites. Two things are added: everybody on
duty confirms their presence every hour, and phones that are on send heartbeats, every few minutes
and more up to the rate that was asked for.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from noc.attendance.models import KINDS
from noc.demo import behaviour, tracks
from noc.demo.behaviour import Punches
from noc.demo.days import Day, keys, simulate
from noc.demo.history import DENSE_EVERY
from noc.demo.scale import Floats
from noc.demo.storing import Ids
from noc.demo.tracks import EVENTS, TASKS
from noc.demo.truth import Typology
from noc.demo.world import Company

PRESENCE_EVERY = 3600.0
"""Seconds between the presence confirmations of the stream."""

BEAT_EVERY = 240.0
"""Seconds between the heartbeats of a phone that is on."""

SHORTEST_BEAT = 60.0
"""What fills up to the rate asked for never makes a phone beat more often than this, seconds."""

Route = Literal["punch", "signal", "alert"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something to send at ``at`` (epoch seconds). ``fraud``: the truth about a punch."""

    at: float
    route: Route
    body: dict[str, Any]
    fraud: bool = False


@dataclass(frozen=True)
class _LiveDay:
    day: Day
    extra: Punches
    extra_keys: list[Any]
    fixes: tracks.Fixes
    events: tracks.Happenings
    tasks: tracks.Happenings
    rounds: tracks.Rounds


class Life:
    """What one company's guards and phones will do."""

    def __init__(self, company: Company, ids: Ids) -> None:
        """Nothing is worked out before it is asked for."""
        self.company = company
        self.ids = ids
        self.silent: dict[int, float] = {}
        """Guards whose phones are off, and until when (epoch seconds)."""
        self._days: OrderedDict[int, _LiveDay] = OrderedDict()

    def between(self, start: float, stop: float, rate: float) -> list[Item]:
        """What is to be sent from ``start`` to before ``stop``, in order of time.

        ``rate``: heartbeats fill up to so many items a second, as far as there are phones.
        """
        items = [item for day in self._around(start) for item in self._of_day(day, start, stop)]
        items += self.beats(start, stop)
        wanted = math.floor(rate * (stop - start)) - len(items)
        items += self._more_beats(start, stop, wanted)
        return sorted(items, key=lambda item: item.at)

    def beats(self, start: float, stop: float) -> list[Item]:
        """The regular heartbeats of every phone at its post, each at its own moment."""
        rng = self.company.rng("beats", int(start))
        found = []
        for guard in self._awake(start):
            offset = (guard * 37.0) % BEAT_EVERY
            first = start + (offset - start) % BEAT_EVERY
            found += [
                self._signal(guard, at, "heartbeat", battery_level=int(rng.integers(20, 100)))
                for at in np.arange(first, stop, BEAT_EVERY)
            ]
        return found

    def on_duty(self, at: float) -> list[tuple[int, int]]:
        """Guard and site of everybody who is at their post, by index."""
        found = []
        for live in self._around(at):
            duties = live.day.duties
            here = (duties.arrive + 60 < at) & (at < duties.leave - 60) & ~duties.at_home
            here &= duties.fraud == Typology.HONEST
            found += list(zip(duties.guard[here].tolist(), duties.site[here].tolist(), strict=True))
        return found

    def _around(self, at: float) -> list[_LiveDay]:
        """The days whose punches may be sent about now: late ones, and those of other clocks."""
        today = dt.datetime.fromtimestamp(at, dt.UTC).date().toordinal()
        return [self._live_day(day) for day in range(today - 2, today + 2)]

    def _live_day(self, number: int) -> _LiveDay:
        if number not in self._days:
            company = self.company
            day = simulate(company, number)
            extra = _hourly_presence(company, day)
            self._days[number] = _LiveDay(
                day=day,
                extra=extra,
                extra_keys=keys(company, "presence", number, len(extra)),
                fixes=tracks.fixes(company, number, day.duties),
                events=tracks.phone_events(company, number, day.duties, every=DENSE_EVERY),
                tasks=tracks.tasks(company, number, day.duties),
                rounds=tracks.rounds(company, number, day.shifts, day.duties),
            )
            while len(self._days) > 6:
                self._days.popitem(last=False)
        return self._days[number]

    def _of_day(self, live: _LiveDay, start: float, stop: float) -> Iterator[Item]:
        yield from self._punches(live.day.punches, live.day.keys, start, stop)
        yield from self._punches(live.extra, live.extra_keys, start, stop)
        fixes = live.fixes
        for row in self._heard(fixes.guard, fixes.at, start, stop):
            yield self._signal(
                fixes.guard[row], fixes.at[row], "location",
                lat=float(fixes.lat[row]), lon=float(fixes.lon[row]),
                accuracy=float(fixes.accuracy[row]),
            )  # fmt: skip
        for row in self._heard(live.events.guard, live.events.at, start, stop):
            what = EVENTS[live.events.what[row]]
            yield self._signal(
                live.events.guard[row], live.events.at[row], "phone_event", event_type=what
            )
        for row in self._heard(live.tasks.guard, live.tasks.at, start, stop):
            what = TASKS[live.tasks.what[row]]
            yield self._signal(
                live.tasks.guard[row], live.tasks.at[row], "task_completed", task=what
            )
        yield from self._scans(live.rounds, start, stop)

    def _scans(self, rounds: tracks.Rounds, start: float, stop: float) -> Iterator[Item]:
        due = (rounds.scanned >= start) & (rounds.scanned < stop)
        for row, position in zip(*np.nonzero(due), strict=True):
            yield self._signal(
                rounds.guard[row],
                rounds.scanned[row, position],
                "checkpoint_scan",
                checkpoint_id=int(self.ids.checkpoints[rounds.site[row], position]),
            )

    def _punches(
        self, punches: Punches, external: list[Any], start: float, stop: float
    ) -> Iterator[Item]:
        sent = punches.at + punches.delay
        for row in np.flatnonzero((sent >= start) & (sent < stop)):
            body = punch_body(self.ids, punches, int(row)) | {"external_id": str(external[row])}
            fraud = bool(punches.truth[row] != Typology.HONEST)
            yield Item(float(sent[row]), "punch", body, fraud)

    def _heard(self, guard: Any, at: Floats, start: float, stop: float) -> Iterator[int]:
        for row in np.flatnonzero((at >= start) & (at < stop)):
            if at[row] >= self.silent.get(int(guard[row]), 0.0):
                yield int(row)

    def _signal(self, guard: Any, at: Any, kind: str, **values: Any) -> Item:
        person = int(self.ids.guards[guard])
        moment = round(float(at), 3)
        body = {
            "external_id": f"{kind}-{person}-{int(moment * 1000)}",
            "kind": kind,
            "person_id": person,
            "occurred_at": stamp(moment),
            **values,
        }
        return Item(moment, "signal", body)

    def missing(self, at: float) -> list[tuple[int, int]]:
        """Guard and site of everybody whom the roster names and who has not come, by index."""
        found = []
        for live in self._around(at):
            shifts, duties = live.day.shifts, live.day.duties
            here = (duties.arrive <= at) & (at < duties.leave)
            present = set(duties.guard[here].tolist())
            due = np.flatnonzero((shifts.starts + 1800 < at) & (at < shifts.ends - 1800))
            swapped = shifts.swapped_with[due]
            who = np.where(swapped >= 0, swapped, shifts.guard[due])
            found += [
                (guard, site)
                for guard, site in zip(who.tolist(), shifts.site[due].tolist(), strict=True)
                if guard not in present
            ]
        return found

    def _awake(self, at: float) -> list[int]:
        """Guards at their posts whose phones are on."""
        return [guard for guard, _ in self.on_duty(at) if at >= self.silent.get(guard, 0.0)]

    def _more_beats(self, start: float, stop: float, wanted: int) -> list[Item]:
        awake = self._awake(start)
        rng = self.company.rng("heartbeats", int(start))
        # A remainder is a chance: few phones must not mean none.
        most = int(len(awake) * (stop - start) / SHORTEST_BEAT + rng.random())
        count = min(wanted, most)
        if count <= 0 or not awake:
            return []
        who = rng.permutation(np.resize(awake, count))
        at = np.sort(rng.uniform(start, stop, count))
        battery = rng.integers(20, 100, count)
        return [
            self._signal(guard, moment, "heartbeat", battery_level=int(level))
            for guard, moment, level in zip(who, at, battery, strict=True)
        ]


def punch_body(ids: Ids, punches: Punches, row: int) -> dict[str, Any]:
    """A punch as the phone sends it."""
    mock = int(punches.mock[row])
    return {
        "person_id": int(ids.guards[punches.guard[row]]),
        "site_id": int(ids.sites[punches.site[row]]),
        "kind": KINDS[punches.kind[row]],
        "occurred_at": stamp(float(punches.at[row])),
        "lat": _known(punches.lat[row]),
        "lon": _known(punches.lon[row]),
        "gps_accuracy": _known(punches.accuracy[row]),
        "biometric_quality_score": _known(punches.biometric[row]),
        "mock_location": None if mock < 0 else bool(mock),
        "device_id": int(ids.devices[punches.device[row]]),
        "phone_signal_strength": _known(punches.signal[row]),
        "battery_level": _known(punches.battery[row]),
    }


def stamp(seconds: float) -> str:
    """Epoch seconds as the interface takes them."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _hourly_presence(company: Company, day: Day) -> Punches:
    """A confirmation in each hour of every honest turn, beside those the day has anyway."""
    rng = company.rng("presence", day.day)
    honest = np.flatnonzero((day.duties.fraud == Typology.HONEST) & ~day.duties.at_home)
    duties = day.duties.select(honest)
    hours = np.maximum(((duties.leave - duties.arrive) // PRESENCE_EVERY).astype(np.int64), 0)
    rows = np.repeat(np.arange(len(duties)), hours)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(hours) - hours, hours)
    at = duties.arrive[rows] + PRESENCE_EVERY * (nth + rng.uniform(0.2, 0.9, len(rows)))
    kinds = np.full(len(rows), behaviour.PRESENCE)
    punches = behaviour.punch_at(company, rng, day.day, duties, rows, kinds, at)
    behaviour.report(rng, punches)
    return punches

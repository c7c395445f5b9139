"""Each punch's own window on the events of its person: what came before it, and how far back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noc.fraud.columns import FloatArray, IntArray

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""In microseconds, as times are kept."""


@dataclass(frozen=True, slots=True)
class Windows:
    """For each of n punches the events ``order[start:stop]``, oldest first, all before it."""

    order: IntArray
    start: IntArray
    stop: IntArray

    @property
    def counts(self) -> IntArray:
        """Number of events in each punch's window."""
        counts: IntArray = self.stop - self.start
        return counts

    def pairs(self) -> tuple[IntArray, IntArray]:
        """(punch, event) indices of every event in every window, oldest first in each."""
        counts = self.counts
        punch = np.repeat(np.arange(len(counts)), counts)
        first = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else counts
        position = np.arange(len(punch)) - np.repeat(first, counts) + np.repeat(self.start, counts)
        return punch, self.order[position]

    def last(self) -> IntArray:
        """The latest event before each punch, -1 where there is none."""
        found = np.full(len(self.start), -1, dtype=np.int64)
        some = self.counts > 0
        found[some] = self.order[self.stop[some] - 1]
        return found

    def events(self, punch: int) -> IntArray:
        """The events of one punch's window, oldest first."""
        return self.order[self.start[punch] : self.stop[punch]]


def windows_before(
    person: IntArray,
    time: IntArray,
    event_person: IntArray,
    event_time: IntArray,
    *,
    back: int,
    most: int | None = None,
) -> Windows:
    """For each punch the events of its person in [time - back, time): never the punch itself.

    At most the ``most`` latest of them, where given.
    """
    order = np.lexsort((event_time, event_person))
    people = np.unique(event_person)
    moments = np.unique(event_time)
    stride = len(moments) + 1

    def key(who: IntArray, rank: IntArray) -> IntArray:
        return np.searchsorted(people, who) * stride + rank

    keys = key(event_person[order], np.searchsorted(moments, event_time[order]))
    low = key(person, np.searchsorted(moments, time - back))
    high = key(person, np.searchsorted(moments, time))
    start = np.searchsorted(keys, low)
    stop = np.searchsorted(keys, high)
    if most is not None:
        start = np.maximum(start, stop - most)
    # Somebody without any event would get the neighbour's: nothing is theirs.
    known = np.isin(person, people)
    return Windows(order, np.where(known, start, 0), np.where(known, stop, 0))


def mean_by(punch: IntArray, values: FloatArray, size: int) -> tuple[FloatArray, IntArray]:
    """Mean and count of the values that are there, by punch; NaN where none is."""
    there = ~np.isnan(values)
    counts = np.bincount(punch[there], minlength=size)
    sums = np.bincount(punch[there], weights=values[there], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), counts

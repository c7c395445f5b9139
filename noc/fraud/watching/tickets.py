"""How many tickets suspicious punches would open, at any threshold.

Counted as the product opens them (:mod:`noc.fraud.ticketing`): one for a person and fraud type,
held for FRAUD_DEDUPLICATION_HOURS from the punch that opened it; what comes meanwhile joins, and
the first punch after that opens the next. Two things are simpler than life: punches count when
they happened, as if each was scored at once, and a ticket is held for its whole time, while one
that is resolved earlier makes room for another. So the count is what arises with prompt scoring
and, where people resolve within the day, a lower bound.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noc.fraud.columns import FloatArray, IntArray, Kind, read_columns
from noc.fraud.thresholds import Thresholds
from noc.fraud.watching.served import TYPE_CODE

_MS_PER_HOUR = 3_600_000

# Only constants are put into the text.
_SUSPECTS = f"""
    SELECT a.person_id, a.site_id, {TYPE_CODE}, a.occurred_at, a.fraud_score
    FROM attendance_anomaly_log a
    JOIN attendance_event e
        ON e.tenant_id = a.tenant_id AND e.id = a.attendance_event_id AND e.voided_at IS NULL
    WHERE a.tenant_id = :tenant AND a.occurred_at > :since AND a.occurred_at <= :until
      AND (CAST(:sites AS bigint[]) IS NULL OR a.site_id = ANY(CAST(:sites AS bigint[])))
"""  # noqa: S608
_COLUMNS: dict[str, Kind] = {
    "person": "int",
    "site": "int",
    "type": "int",
    "time": "time",
    "score": "float",
}


@dataclass(frozen=True, slots=True)
class Suspects:
    """Punches that may open a ticket, by person and fraud type and in the order of time.

    ``keys`` are milliseconds, each group's behind the one before; ``held`` how long a ticket
    that the punch opens is held.
    """

    groups: IntArray
    keys: IntArray
    held: IntArray
    scores: FloatArray

    def opened(self, threshold: float) -> int:
        """How many tickets those with a score of at least ``threshold`` open."""
        over = self.scores >= threshold
        groups, keys = self.groups[over], self.keys[over]
        if not len(keys):
            return 0
        after = np.searchsorted(keys, keys + self.held[over], side="left")
        # Every group's tickets at once: its first, then the first that is not held any more.
        openers = np.flatnonzero(np.diff(groups, prepend=-1))
        count = 0
        while len(openers):
            count += len(openers)
            following = after[openers]
            there = following < len(keys)
            openers, following = openers[there], following[there]
            openers = following[groups[following] == groups[openers]]
        return count

    def threshold_for(self, most: float) -> float | None:
        """The lowest of the scores from which at most ``most`` tickets open; None if none keeps it.

        A lower threshold opens no fewer tickets, so halving finds it.
        """
        candidates = np.unique(self.scores)
        low, high = 0, len(candidates)
        while low < high:
            middle = (low + high) // 2
            if self.opened(float(candidates[middle])) <= most:
                high = middle
            else:
                low = middle + 1
        return float(candidates[low]) if low < len(candidates) else None


def suspects(
    person: IntArray,
    fraud_type: IntArray,
    time: IntArray,
    scores: FloatArray,
    hours: FloatArray,
) -> Suspects:
    """The punches, sorted once; times in microseconds, ``hours`` that each one's ticket is held."""
    held = (hours * _MS_PER_HOUR).astype(np.int64)
    if not len(person):
        return Suspects(person, time, held, scores)
    pairs = np.column_stack([person, fraud_type])
    groups = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    at = (time - time.min()) // 1000
    keys = groups * (int(at.max()) + int(held.max()) + 1) + at
    order = np.argsort(keys, kind="stable")
    return Suspects(groups[order], keys[order], held[order], scores[order])


def hours_at(sites: NDArray[np.int64], config: Thresholds) -> FloatArray:
    """How long the fraud tickets of each row's site are held."""
    hours = np.full(len(sites), config.tenant.fraud_deduplication_hours, dtype=np.float64)
    for site_id, of_site in config.sites.items():
        hours[sites == site_id] = of_site.fraud_deduplication_hours
    return hours


def read_suspects(
    since: dt.datetime,
    until: dt.datetime,
    config: Thresholds,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None = None,
) -> Suspects:
    """What was logged as an anomaly after ``since`` and up to ``until``. One query."""
    params = {
        "tenant": tenant_id,
        "since": since,
        "until": until,
        "sites": None if site_ids is None else sorted(site_ids),
    }
    found = read_columns(_SUSPECTS, params, _COLUMNS)
    return suspects(
        found["person"],
        found["type"],
        found["time"],
        found["score"],
        hours_at(found["site"], config),
    )

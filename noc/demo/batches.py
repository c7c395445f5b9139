"""Punches of simulated days in the order in which the server gets them, and storing them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from noc.demo import bulk
from noc.demo.behaviour import Punches
from noc.demo.days import Day
from noc.demo.storing import Ids
from noc.extensions import session

_PUNCHES = text(
    """
    INSERT INTO attendance_event (tenant_id, external_id, person_id, site_id, kind, occurred_at,
        received_at, lat, lon, gps_accuracy, biometric_quality_score, mock_location, device_id,
        phone_signal_strength, battery_level)
    SELECT :tenant, t.key::text, t.person, t.site, (ARRAY['in', 'out', 'presence'])[t.kind + 1],
        t.at, t.received, nullif(t.lat, 'NaN'), nullif(t.lon, 'NaN'), nullif(t.accuracy, 'NaN'),
        nullif(t.biometric, 'NaN'), nullif(t.mock, -1) = 1, t.device,
        nullif(t.signal, 'NaN'), nullif(t.battery, 'NaN')
    FROM seed_punch t ORDER BY t.nth
    RETURNING external_id, id
    """
)


@dataclass
class Batch:
    """Punches with their external ids, in the order in which the server gets them."""

    punches: Punches
    keys: list[uuid.UUID]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, stop: int) -> Batch:
        """The punches from ``start`` up to ``stop``."""
        rows = np.arange(start, min(stop, len(self)))
        return Batch(self.punches.select(rows), self.keys[start:stop])

    def seconds(self, row: int) -> float:
        """When the server got that punch, epoch seconds."""
        return float(self.punches.at[row] + self.punches.delay[row])

    def moment(self, row: int) -> dt.datetime:
        """When the server got that punch."""
        return dt.datetime.fromtimestamp(self.seconds(row), dt.UTC)

    def index(self, seconds: float) -> int:
        """The first punch that the server got at this moment or later."""
        received = self.punches.at + self.punches.delay
        return int(np.searchsorted(received, seconds))


def store_punches(ids: Ids, batch: Batch) -> dict[str, int]:
    """The punches of the batch; their ids by external id. The caller commits."""
    punches = batch.punches
    columns = {
        "nth": np.arange(len(punches)),
        "key": bulk.uuids(batch.keys),
        "person": ids.guards[punches.guard],
        "site": ids.sites[punches.site],
        "kind": punches.kind,
        "at": bulk.times(punches.at),
        "received": bulk.times(punches.at + punches.delay),
        "lat": punches.lat,
        "lon": punches.lon,
        "accuracy": punches.accuracy,
        "biometric": punches.biometric,
        "mock": punches.mock,
        "device": ids.devices[punches.device],
        "signal": punches.signal,
        "battery": punches.battery,
    }
    with bulk.loaded("seed_punch", columns):
        return {
            row.external_id: row.id
            for row in session().execute(_PUNCHES, {"tenant": ids.tenant_id})
        }


def punches_received(days: Sequence[Day], until: float) -> Batch:
    """All punches of the days that have reached the server by ``until``, in that order."""
    punches = bulk.joined([day.punches for day in days])
    received = punches.at + punches.delay
    order = np.argsort(received, kind="stable")
    order = order[received[order] <= until]
    keys = [key for day in days for key in day.keys]
    return Batch(punches.select(order), [keys[row] for row in order])

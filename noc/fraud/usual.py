"""What is usual for a person as of a punch, for sentences: from their own 90 days before it."""

from __future__ import annotations

import numpy as np

from noc.fraud.columns import FloatArray
from noc.fraud.evidence import Evidence
from noc.fraud.geofence import great_circle, metres_outside


def usual_minute(e: Evidence, row: int) -> int | None:
    """The minute of the day around which most earlier punches of this kind lie, if any."""
    events = e.habits.windows.events(row)
    events = events[e.history["kind"][events] == e.punches["kind"][row]]
    if not len(events):
        return None
    minutes = np.unique(e.habits.history_minute[events])
    apart = np.abs(minutes[:, None] - e.habits.history_minute[events][None, :])
    near = (np.minimum(apart, 1440 - apart) <= 60).sum(axis=1)
    return int(minutes[int(near.argmax())])


def usual_outside(e: Evidence, row: int) -> float | None:
    """Median metres outside the geofence of the person's punches of 90 days at this site."""
    p, h = e.punches, e.history
    events = e.habits.windows.events(row)
    here = events[h["site"][events] == p["site"][row]]
    if not len(here):
        return None
    lat, lon = h["lat"][here], h["lon"][here]
    centre = great_circle(lat, lon, p["site_lat"][row], p["site_lon"][row])
    radius = np.full(len(here), p["radius"][row])
    return _median(metres_outside(lat, lon, h["site"][here], centre, radius, e.sites))


def usual_number(e: Evidence, row: int, column: str) -> float | None:
    """Median of a number that the person's earlier clock-ins and -outs came with, if any did."""
    return _median(e.history[column][e.habits.windows.events(row)])


def _median(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None

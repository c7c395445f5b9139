"""How far somebody moved, from fixes that jitter, jump and repeat.

Length of a step: the straight chord between the two fixes on the WGS84 ellipsoid, bent back to
an arc of the mean radius. The chord is exact, and bending adds (chord / radius)^2 / 24 of it,
so that the choice of the radius hardly matters: against Karney's geodesic (GeographicLib) the
error is below 1e-8 of the length up to 10 km, 1e-5 up to 500 km, 2e-3 up to 10,000 km. The
haversine formula on a sphere is off by up to 5e-3 at any length.
"""

from __future__ import annotations

from math import asin, dist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

MAX_SPEED = 250 / 3.6
"""Metres per second: no guard is faster, and a fix that says so is a bad one."""

_A = 6_378_137.0
_F = 1 / 298.257223563
_E2 = _F * (2 - _F)
_DIAMETER = 2 * (2 * _A + _A * (1 - _F)) / 3
"""Twice the mean radius R1 = (2a + b) / 3 of WGS84, metres."""


def distances(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> Floats:
    """Metres along the ground between places in degrees, element by element."""
    return _arcs(_on_ellipsoid(lat2, lon2) - _on_ellipsoid(lat1, lon1))


def distance_travelled(
    lat: ArrayLike, lon: ArrayLike, accuracy: ArrayLike, seconds: ArrayLike
) -> float:
    """Metres travelled over fixes in time order; ``accuracy`` in metres, 0 where not reported.

    Each fix is measured from the last one that counted; the first counts. Nearer than the sum
    of the two accuracies is standing still, faster than 250 km/h is a bad fix: neither counts.
    """
    points = _on_ellipsoid(lat, lon)
    if len(points) < 2:
        return 0.0
    radii, times = np.asarray(accuracy, dtype=float), np.asarray(seconds, dtype=float)
    steps = _arcs(np.diff(points, axis=0))
    counted = (steps >= radii[1:] + radii[:-1]) & (steps <= MAX_SPEED * np.diff(times))
    if counted.all():
        return float(steps.sum())
    return _follow(points, radii, times, steps, counted)


def _follow(
    points: Floats, radii: Floats, times: Floats, steps: Floats, counted: NDArray[np.bool_]
) -> float:
    """The sum where some fixes do not count.

    Whether a fix counts depends on the last one that did, so the chain is followed one by one,
    but only from a fix that does not count to the next one that does: elsewhere each step is
    from the fix before, and the sums are there already.
    """
    so_far: list[float] = np.concatenate(([0.0], np.cumsum(steps))).tolist()
    places: list[list[float]] = points.tolist()
    around: list[float] = radii.tolist()
    moments: list[float] = times.tolist()
    travelled, anchor, end = 0.0, 0, len(places)
    for broken in (np.flatnonzero(~counted) + 1).tolist():
        if broken <= anchor:
            continue
        travelled += so_far[broken - 1] - so_far[anchor]
        anchor = broken - 1
        for fix in range(broken, end):
            step = _arc(dist(places[anchor], places[fix]))
            moved = step >= around[anchor] + around[fix]
            if moved and step <= MAX_SPEED * (moments[fix] - moments[anchor]):
                travelled, anchor = travelled + step, fix
                break
        else:
            return travelled
    return travelled + so_far[-1] - so_far[anchor]


def _on_ellipsoid(lat: ArrayLike, lon: ArrayLike) -> Floats:
    """Earth-centred coordinates in metres of places on the WGS84 ellipsoid."""
    phi, theta = np.radians(np.asarray(lat, dtype=float)), np.radians(np.asarray(lon, dtype=float))
    sine, cosine = np.sin(phi), np.cos(phi)
    curvature = _A / np.sqrt(1 - _E2 * sine**2)
    return np.stack(
        (
            curvature * cosine * np.cos(theta),
            curvature * cosine * np.sin(theta),
            curvature * (1 - _E2) * sine,
        ),
        axis=-1,
    )


def _arcs(steps: Floats) -> Floats:
    chords = np.sqrt((steps**2).sum(axis=-1))
    arcs: Floats = _DIAMETER * np.arcsin(np.minimum(chords / _DIAMETER, 1.0))
    return arcs


def _arc(chord: float) -> float:
    return _DIAMETER * asin(min(chord / _DIAMETER, 1.0))

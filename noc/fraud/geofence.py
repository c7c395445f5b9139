"""Distances on the ground: great circles, and how far outside a geofence a position lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from noc.fraud.columns import BoolArray, FloatArray, IntArray
from noc.fraud.facts import SiteFacts

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the earth (IUGG), metres."""


def great_circle(
    lat1: FloatArray, lon1: FloatArray, lat2: FloatArray, lon2: FloatArray
) -> FloatArray:
    """Metres between positions in degrees, by the haversine formula; NaN where one is NaN.

    On a sphere: within 0.56 % of the ellipsoid.
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half = (
        np.sin((phi2 - phi1) / 2) ** 2
        + np.cos(phi1) * np.cos(phi2) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    )
    metres: FloatArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return metres


def metres_outside(
    lat: FloatArray,
    lon: FloatArray,
    site: IntArray,
    centre_distance: FloatArray,
    radius: FloatArray,
    sites: dict[int, SiteFacts],
) -> FloatArray:
    """Metres from each position to its site's geofence, 0 inside, NaN without a position.

    The geofence is the site's polygon (a ring of [lon, lat]) where there is one, else the circle
    of ``radius`` metres around its centre.
    """
    outside: FloatArray = np.maximum(centre_distance - radius, 0.0)
    for site_id in np.unique(site):
        ring = sites[int(site_id)].polygon
        if ring and len(ring) >= 3:
            rows = (site == site_id) & ~np.isnan(lat)
            outside[rows] = _outside_ring(lat[rows], lon[rows], ring)
    return outside


def _outside_ring(lat: FloatArray, lon: FloatArray, ring: Sequence[Sequence[float]]) -> FloatArray:
    """Metres to the ring on a plane that touches the earth at it: exact enough for a site."""
    corners = np.asarray(ring, dtype=np.float64)
    origin = corners.mean(axis=0)
    scale = np.radians(1.0) * EARTH_RADIUS_M * np.array([np.cos(np.radians(origin[1])), 1.0])
    start = (corners - origin) * scale
    end = np.roll(start, -1, axis=0)
    points = (np.column_stack([lon, lat]) - origin) * scale
    distance = _distance_to_edges(points, start, end)
    return np.where(_inside(points, start, end), 0.0, distance)


def _distance_to_edges(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    edge = end - start
    length = np.maximum((edge**2).sum(axis=1), 1e-12)
    offset = points[:, None, :] - start[None, :, :]
    along = np.clip((offset * edge).sum(axis=2) / length, 0.0, 1.0)
    gap = offset - along[:, :, None] * edge
    nearest: FloatArray = np.sqrt((gap**2).sum(axis=2)).min(axis=1)
    return nearest


def _inside(points: FloatArray, start: FloatArray, end: FloatArray) -> BoolArray:
    """Even-odd rule: a ray to the east crosses the ring an odd number of times."""
    x, y = points[:, 0:1], points[:, 1:2]
    x1, y1, x2, y2 = start[:, 0], start[:, 1], end[:, 0], end[:, 1]
    spans = (y1 > y) != (y2 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    odd: BoolArray = (spans & (x < crossing)).sum(axis=1) % 2 == 1
    return odd

"""Distances, against an independent library."""

from __future__ import annotations

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from noc.fraud.facts import SiteFacts
from noc.fraud.geofence import great_circle, metres_outside

SQUARE = [[72.0, 19.0], [72.0, 19.01], [72.01, 19.01], [72.01, 19.0]]


def test_great_circles_agree_with_the_ellipsoid_within_half_a_per_cent() -> None:
    random = np.random.default_rng(5)
    lat1, lat2 = random.uniform(-80, 80, (2, 200))
    lon1, lon2 = random.uniform(-180, 180, (2, 200))
    exact = [
        Geodesic.WGS84.Inverse(*pair)["s12"] for pair in zip(lat1, lon1, lat2, lon2, strict=True)
    ]

    np.testing.assert_allclose(great_circle(lat1, lon1, lat2, lon2), exact, rtol=0.0056)


def outside(lat: float, lon: float, polygon: list[list[float]] | None) -> float:
    one = np.array([1])
    sites = {1: SiteFacts("UTC", 19.005, 72.005, polygon)}
    centre = great_circle(*(np.array([value]) for value in (lat, lon, 19.005, 72.005)))
    at = np.array([lat]), np.array([lon])
    return float(metres_outside(*at, one, centre, np.array([100.0]), sites)[0])


@pytest.mark.parametrize(
    ("lat", "lon", "nearest"),
    [
        (19.02, 72.005, (19.01, 72.005)),
        (18.99, 72.003, (19.0, 72.003)),
        (19.005, 71.99, (19.005, 72.0)),
        (19.02, 72.02, (19.01, 72.01)),
    ],
)
def test_the_distance_to_a_polygon_is_that_to_its_nearest_edge(
    lat: float, lon: float, nearest: tuple[float, float]
) -> None:
    exact = Geodesic.WGS84.Inverse(lat, lon, *nearest)["s12"]

    assert outside(lat, lon, SQUARE) == pytest.approx(exact, rel=0.006)


@pytest.mark.parametrize("closed", [False, True])
def test_inside_a_polygon_is_no_distance_whether_the_ring_is_closed_or_not(closed: bool) -> None:
    ring = [*SQUARE, SQUARE[0]] if closed else SQUARE

    assert outside(19.0001, 72.0001, ring) == 0


def test_a_notch_of_the_polygon_is_outside() -> None:
    notched = [[72.0, 19.0], [72.0, 19.01], [72.005, 19.005], [72.01, 19.01], [72.01, 19.0]]

    assert outside(19.009, 72.005, notched) > 200
    assert outside(19.004, 72.005, notched) == 0


def test_without_a_polygon_the_circle_counts() -> None:
    exact = Geodesic.WGS84.Inverse(19.02, 72.005, 19.005, 72.005)["s12"] - 100

    assert outside(19.02, 72.005, None) == pytest.approx(exact, rel=0.006)


def test_without_a_position_there_is_no_distance() -> None:
    assert np.isnan(outside(np.nan, np.nan, SQUARE))
    assert np.isnan(outside(np.nan, np.nan, None))

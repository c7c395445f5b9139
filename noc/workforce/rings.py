"""Whether the corners of an area make one: a ring that does not cross or touch itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Corner = tuple[float, float]

_METRES_PER_DEGREE = 111_195.0
"""Of a great circle on a sphere of 6,371 km."""

_LEAST_AREA = 1.0
"""Square metres; less is a slip of the pen, or corners that rounding alone keeps off a line."""


def fault(points: Sequence[Corner]) -> str | None:
    """Why these corners, in order, enclose no area; None where they do.

    The last corner may repeat the first. Sides are straight on the plane of degrees, which for
    an area the size of a site is the same as on the ground.
    """
    corners = np.array(_distinct(points), dtype=np.float64)
    if len(corners) < 3:
        return "must have at least three different corners"
    if _reach(corners) < _LEAST_AREA:
        return "must enclose an area: its corners lie on one line"
    # [i, j]: the side from corner i, and the side from corner j.
    start, end = corners, np.roll(corners, -1, axis=0)
    of_start, of_end = _side_of(start, end, start), _side_of(start, end, end)
    crosses = (of_start * of_end < 0) & (of_start * of_end < 0).T
    touches = (of_start == 0) & _within(start, end)
    count = len(corners)
    index = np.arange(count)
    own = (index[:, None] == index) | (index[:, None] == (index - 1) % count)
    met = np.argwhere(crosses | touches & ~own)
    if len(met):
        first, second = sorted(met[0].tolist())
        return f"must not meet itself: the sides from corners {first + 1} and {second + 1} do"
    if abs(_triangles(corners).sum()) < _LEAST_AREA:
        return "must enclose an area of at least a square metre"
    return None


def _distinct(points: Sequence[Corner]) -> list[Corner]:
    """The corners without those that repeat the one before, the closing one among them."""
    before = (points[-1], *points)
    return [point for last, point in zip(before, points, strict=False) if point != last]


def _triangles(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square metres, with a sign, of the triangle of the first corner and each side."""
    metres = (corners - corners[0]) * _METRES_PER_DEGREE
    metres[:, 0] *= np.cos(np.radians(corners[:, 1].mean()))
    after = np.roll(metres, -1, axis=0)
    area: NDArray[np.float64] = (metres[:, 0] * after[:, 1] - metres[:, 1] * after[:, 0]) / 2
    return area


def _reach(corners: NDArray[np.float64]) -> float:
    """The square metres that the corners could enclose at most: none where all lie on a line."""
    return float(np.abs(_triangles(corners)).sum())


def _side_of(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    point: NDArray[np.float64],
) -> NDArray[np.float64]:
    """[i, j]: on which side of side i point j lies, 0 on its line."""
    along = end - start
    to = point[None, :, :] - start[:, None, :]
    side: NDArray[np.float64] = along[:, None, 0] * to[:, :, 1] - along[:, None, 1] * to[:, :, 0]
    return side


def _within(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """[i, j]: whether corner j lies in the box that side i spans."""
    low, high = np.minimum(start, end)[:, None, :], np.maximum(start, end)[:, None, :]
    within: NDArray[np.bool_] = np.all((start[None] >= low) & (start[None] <= high), axis=2)
    return within

"""The simulated companies: sites, guards and their habits, phones.

Everything is drawn from the scale's random seed, so that the same seed and ``now`` always give
the same world: nothing about it needs to be kept beside the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from noc.demo.guards import Guards, draw_guards
from noc.demo.places import COMPANIES, CompanyPlan
from noc.demo.scale import Floats, Ints, Scale, stream_of
from noc.demo.sites import Place, draw_places

METRES_PER_DEGREE = 111_320.0
"""Of latitude; of longitude times the cosine of the latitude. Good to 0.5 % at these distances."""

PHONES = ("Galaxy A15", "Redmi 13C", "Moto G54", "Pixel 8a", "Nokia G42", "iPhone SE")


@dataclass(frozen=True)
class Company:
    """A simulated tenant. ``device_owner``: guard of each device; ``phones``: its model."""

    index: int
    plan: CompanyPlan
    scale: Scale
    places: tuple[Place, ...]
    guards: Guards
    device_owner: Ints
    phones: list[str]

    def rng(self, purpose: str, *numbers: int) -> np.random.Generator:
        """A stream of random numbers of its own for ``purpose`` and ``numbers``."""
        return stream_of(self.scale, self.index, purpose, *numbers)

    @cached_property
    def lat(self) -> Floats:
        """Latitude of each site."""
        return np.array([place.lat for place in self.places])

    @cached_property
    def lon(self) -> Floats:
        """Longitude of each site."""
        return np.array([place.lon for place in self.places])

    @cached_property
    def radius(self) -> Floats:
        """Geofence radius of each site, metres."""
        return np.array([place.kind.radius for place in self.places])

    def device_code(self, device: int) -> str:
        """The code of a device by its index."""
        return f"{self.plan.prefix}-D{device + 1:04d}"

    def point(self, sites: Ints, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Degrees of the points ``x`` metres east and ``y`` metres north of the sites."""
        lat = self.lat[sites] + y / METRES_PER_DEGREE
        lon = self.lon[sites] + x / (METRES_PER_DEGREE * np.cos(np.radians(self.lat[sites])))
        return lat, lon


def build_companies(scale: Scale) -> tuple[Company, ...]:
    """The simulated companies at this scale: at least two sites and six guards each."""
    sites = _split(scale.sites, minimum=2)
    guards = _split(scale.guards, minimum=6)
    return tuple(
        _company(index, plan, scale, sites[index], guards[index])
        for index, plan in enumerate(COMPANIES)
    )


def _company(index: int, plan: CompanyPlan, scale: Scale, sites: int, guards: int) -> Company:
    places = draw_places(stream_of(scale, index, "places"), index, plan, sites)
    drawn = draw_guards(stream_of(scale, index, "guards"), plan, scale, places, guards)
    owners = np.concatenate([np.arange(guards), np.flatnonzero(drawn.new_device >= 0)])
    models = stream_of(scale, index, "phones").integers(len(PHONES), size=len(owners))
    return Company(index, plan, scale, places, drawn, owners, [PHONES[m] for m in models])


def _split(total: int, minimum: int) -> list[int]:
    """``total`` shared out by the companies' shares."""
    parts = [max(minimum, round(total * plan.share)) for plan in COMPANIES]
    parts[0] = max(minimum, parts[0] + total - sum(parts))
    return parts

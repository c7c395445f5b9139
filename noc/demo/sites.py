"""The sites of a simulated company."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from noc.demo.places import CLIENTS, COMPANIES, KINDS, City, CompanyPlan, SiteKind


@dataclass(frozen=True)
class Place:
    """One site."""

    code: str
    name: str
    city: City
    kind: SiteKind
    lat: float
    lon: float
    first_hour: int
    sister: int
    """Index of the nearest other site of the same city, -1 where there is none."""

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.city.timezone)

    def starts(self, day: int, slot: int) -> float:
        """Epoch seconds at which a shift begins, by the wall clock of the site."""
        hour = self.first_hour + slot * self.kind.hours
        date = dt.date.fromordinal(day) + dt.timedelta(days=hour // 24)
        return dt.datetime.combine(date, dt.time(hour % 24), self.zone).timestamp()


def draw_places(
    rng: np.random.Generator, index: int, plan: CompanyPlan, count: int
) -> tuple[Place, ...]:
    """Two districts a city first, then the cities' further districts, then round again."""
    spots = [
        (city, spot)
        for first in (0, 2)
        for city in plan.cities
        for spot in city.districts[first : first + 2]
    ]
    kinds = rng.permutation(len(KINDS))
    offset = sum(len(other.cities) * 2 for other in COMPANIES[:index])
    places: list[Place] = []
    for number in range(count):
        city, (district, lat, lon) = spots[number % len(spots)]
        kind = KINDS[kinds[number % len(KINDS)]]
        client = CLIENTS[(offset + number) % len(CLIENTS)]
        places.append(
            Place(
                code=f"{plan.prefix}-S{number + 1:02d}",
                name=f"{client} {kind.label}, {district}",
                city=city,
                kind=kind,
                lat=round(lat + rng.uniform(-0.004, 0.004), 6),
                lon=round(lon + rng.uniform(-0.004, 0.004), 6),
                first_hour=8 if kind.slots == 2 and kind.hours == 8 else int(rng.choice([6, 7])),
                sister=-1,
            )
        )
    return tuple(_with_sister(places, number) for number in range(count))


def _with_sister(places: list[Place], number: int) -> Place:
    here = places[number]
    others = [
        (abs(place.lat - here.lat) + abs(place.lon - here.lon), other)
        for other, place in enumerate(places)
        if other != number and place.city is here.city
    ]
    return Place(**{**vars(here), "sister": min(others)[1]}) if others else here

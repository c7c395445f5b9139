"""The guards of a simulated company and their habits; a few of them cheat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noc.demo import names
from noc.demo.places import CompanyPlan
from noc.demo.scale import Flags, Floats, Ints, Scale
from noc.demo.sites import Place
from noc.demo.truth import CAREERS, Typology

DISHONEST_SHARE = 0.10
"""Share of guards who ever cheat: attendance fraud sits with 5 to 15 % of a work force."""


@dataclass(frozen=True)
class Guards:
    """Habits, one element a guard. Minutes, metres, dBm, per cent an hour, as named."""

    code: list[str]
    name: list[str]
    site: Ints
    cycle: Ints
    on_days: Ints
    offset: Ints
    slot: Ints
    rotates: Flags
    hired: Ints
    arrive_min: Floats
    arrive_sd: Floats
    stay_min: Floats
    stay_sd: Floats
    post_x: Floats
    post_y: Floats
    home_x: Floats
    home_y: Floats
    biometric: Floats
    biometric_sd: Floats
    gps_factor: Floats
    signal_shift: Floats
    drain: Floats
    reports_mock: Flags
    diligence: Floats
    device: Ints
    new_device: Ints
    replaced_on: Ints
    typology: Ints
    since: Ints
    rate: Floats

    def __len__(self) -> int:
        return len(self.code)


def draw_guards(
    rng: np.random.Generator,
    plan: CompanyPlan,
    scale: Scale,
    places: tuple[Place, ...],
    count: int,
) -> Guards:
    """Habits drawn so that people differ more from one another than a person from day to day."""
    site = np.sort(np.arange(count) % len(places))
    kinds = [places[s].kind for s in site]
    radius = np.array([kind.radius for kind in kinds])
    six_day = rng.random(count) < 0.4
    bearing, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count)) * 0.55 * radius
    homeward, far = rng.uniform(0, 2 * np.pi, count), 1500 + rng.lognormal(8.1, 0.7, count)
    worn = rng.random(count) < 0.06
    lax = rng.random(count) < 0.08
    new_phone = rng.random(count) < 0.12
    typology, since, rate = _careers(rng, scale, site)
    ghost = typology == Typology.GHOST
    new_phone &= ~ghost
    return Guards(
        code=[f"{plan.prefix}-G{n + 1:04d}" for n in range(count)],
        name=[names.pick(rng, places[s].city.names) for s in site],
        site=site,
        cycle=np.where(six_day, 8, 7),
        on_days=np.where(six_day, 6, 5),
        offset=rng.integers(0, 56, count),
        slot=np.array([rng.integers(kind.slots) for kind in kinds]),
        rotates=rng.random(count) < 0.25,
        hired=np.where(ghost, scale.today - 12, scale.first_day - 400),
        arrive_min=rng.normal(-7, 4, count),
        arrive_sd=rng.uniform(2, 7, count),
        stay_min=rng.normal(4, 3, count),
        stay_sd=rng.uniform(2, 6, count),
        post_x=reach * np.cos(bearing),
        post_y=reach * np.sin(bearing),
        home_x=far * np.cos(homeward),
        home_y=far * np.sin(homeward),
        biometric=np.where(worn, rng.uniform(0.60, 0.76, count), rng.normal(0.915, 0.025, count)),
        biometric_sd=np.where(worn, 0.085, rng.uniform(0.015, 0.045, count)),
        gps_factor=rng.lognormal(0, 0.25, count),
        signal_shift=rng.normal(0, 4, count),
        drain=rng.uniform(2.5, 7.5, count),
        reports_mock=rng.random(count) < 0.82,
        diligence=np.where(lax, rng.uniform(0.55, 0.8, count), rng.uniform(0.9, 0.995, count)),
        device=np.arange(count),
        new_device=np.where(new_phone, count + np.cumsum(new_phone) - 1, -1),
        replaced_on=rng.integers(scale.first_day + 3, scale.today + 10, count),
        typology=typology,
        since=since,
        rate=rate,
    )


def _careers(rng: np.random.Generator, scale: Scale, site: Ints) -> tuple[Ints, Ints, Floats]:
    """Who cheats how, since which day, and in which share of their shifts.

    At most one ghost a company, and one more per 300 guards: all of a ghost's punches are
    false, which would otherwise crowd out every other kind.
    """
    count = len(site)
    typology = np.zeros(count, dtype=np.int64)
    crooked = rng.permutation(count)[: max(1, round(DISHONEST_SHARE * count))]
    start, ghosts = int(rng.integers(len(CAREERS))), 0
    for number, guard in enumerate(crooked):
        career = CAREERS[(start + number) % len(CAREERS)]
        if career is Typology.GHOST:
            ghosts += 1
            career = career if ghosts <= 1 + count // 300 else Typology.BUDDY
        typology[guard] = career
    begun = scale.today - rng.integers(12, 91, count)
    rate = np.clip(rng.lognormal(np.log(0.19), 0.45, count), 0.05, 0.5)
    rate[np.isin(typology, (Typology.MOCK_GPS, Typology.OVERLAP))] *= 0.6
    rate[typology == Typology.GHOST] = 1.0
    return typology, begun, np.where(typology == Typology.HONEST, 0.0, rate)

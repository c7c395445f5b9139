"""The simulated world itself, before anything is stored."""

from __future__ import annotations

import dataclasses
import datetime as dt
import unicodedata
from collections import Counter
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from noc.demo import tracks
from noc.demo.batches import punches_received
from noc.demo.behaviour import Punches
from noc.demo.bulk import joined
from noc.demo.cases import Case
from noc.demo.days import simulate
from noc.demo.scale import Scale
from noc.demo.truth import Lookalike, Typology
from noc.demo.world import METRES_PER_DEGREE, Company, build_companies
from tests.demo.conftest import NOW, SMALL

LARGE = Scale(now=NOW, days=45, guards=600, sites=30)


@cache
def large() -> list[tuple[Company, Punches]]:
    """45 days of 600 guards, by company."""
    return [(company, history_of(company)) for company in build_companies(LARGE)]


def history_of(company: Company) -> Punches:
    scale = company.scale
    days = [simulate(company, day) for day in range(scale.first_day, scale.today + 2)]
    return punches_received(days, scale.now.timestamp()).punches


@cache
def everybodys_punches() -> Punches:
    return joined([punches for _, punches in large()])


def distance(company: Company, punches: Punches) -> np.ndarray:
    """Metres from the centre of the site."""
    north = (punches.lat - company.lat[punches.site]) * METRES_PER_DEGREE
    east = (punches.lon - company.lon[punches.site]) * METRES_PER_DEGREE
    return np.hypot(north, east * np.cos(np.radians(company.lat[punches.site])))


def test_about_one_punch_in_a_hundred_is_fraud_in_small_worlds_too() -> None:
    scales = [dataclasses.replace(SMALL, random_seed=seed) for seed in range(7, 13)]
    companies = [company for scale in scales for company in build_companies(scale)]
    truth = joined([history_of(company) for company in companies]).truth
    assert 0.003 <= (truth != Typology.HONEST).mean() <= 0.03


def test_fraud_is_one_per_cent_of_the_punches_and_sits_with_few_guards() -> None:
    fraud = everybodys_punches().truth != Typology.HONEST
    assert 60_000 <= len(fraud) <= 80_000
    assert 0.006 <= fraud.mean() <= 0.014
    cheats = sum(
        len(np.unique(punches.guard[punches.truth != Typology.HONEST])) for _, punches in large()
    )
    assert 0.05 <= cheats / LARGE.guards <= 0.15


def test_every_kind_of_fraud_and_of_innocent_look_alike_happens() -> None:
    punches = everybodys_punches()
    assert set(punches.truth) == set(Typology)
    assert set(punches.alike) == set(Lookalike)
    assert set(punches.alike[punches.truth != Typology.HONEST]).pop() == Lookalike.NONE


def test_biometric_scores_of_frauds_and_of_honest_guards_overlap() -> None:
    punches = everybodys_punches()
    known = ~np.isnan(punches.biometric)
    buddies = punches.biometric[known & (punches.truth == Typology.BUDDY)]
    honest = punches.biometric[known & (punches.truth == Typology.HONEST)]
    assert np.median(buddies) < np.percentile(honest, 5)
    assert (honest < np.median(buddies)).sum() > len(buddies)
    assert (buddies > np.median(honest) - 0.1).sum() > 0.05 * len(buddies)


def test_honest_fixes_are_outside_of_the_geofence_more_often_than_violations_happen() -> None:
    outside_honest = outside_fraud = 0
    for company, punches in large():
        outside = distance(company, punches) > company.radius[punches.site] * 1.15
        outside_honest += int((outside & (punches.truth == Typology.HONEST)).sum())
        outside_fraud += int((outside & (punches.truth == Typology.GEOFENCE)).sum())
    assert outside_fraud > 10
    assert outside_honest > outside_fraud


def test_no_threshold_on_one_measurement_tells_fraud_from_honesty() -> None:
    measures: dict[str, list[np.ndarray]] = {"biometric": [], "accuracy": [], "distance": []}
    fraud = everybodys_punches().truth != Typology.HONEST
    for company, punches in large():
        measures["biometric"].append(-punches.biometric)
        measures["accuracy"].append(-punches.accuracy)
        measures["distance"].append(distance(company, punches))
    for parts in measures.values():
        suspicion = np.nan_to_num(np.concatenate(parts), nan=-1e9)
        for threshold in np.percentile(suspicion, [50, 90, 95, 99, 99.5, 99.9]):
            flagged = suspicion >= threshold
            precision = (flagged & fraud).sum() / flagged.sum()
            recall = (flagged & fraud).sum() / fraud.sum()
            assert min(precision, recall) < 0.5


def test_phones_notice_60_to_80_per_cent_of_spoofed_positions() -> None:
    punches = everybodys_punches()
    reporting = punches.mock[(punches.truth == Typology.MOCK_GPS) & (punches.mock >= 0)]
    assert len(reporting) > 50
    assert 0.55 <= reporting.mean() <= 0.85
    honest = punches.mock[punches.truth == Typology.HONEST]
    assert 0 < (honest == 1).sum() < 100


def test_a_buddy_punch_often_comes_seconds_after_another_on_the_same_phone() -> None:
    shared = total = 0
    for _, punches in large():
        for row in np.flatnonzero(punches.truth == Typology.BUDDY):
            near = (
                (punches.device == punches.device[row])
                & (punches.guard != punches.guard[row])
                & (np.abs(punches.at - punches.at[row]) < 180)
            )
            shared += bool(near.any())
            total += 1
    assert 0.4 <= shared / total <= 0.8


def test_some_phones_send_late_and_most_at_once() -> None:
    delay = everybodys_punches().delay
    assert np.median(delay) < 10
    assert 0.005 < (delay > 900).mean() < 0.05
    assert delay.max() < 12 * 3600


@pytest.mark.parametrize("seed", [7, 2026])
def test_the_same_seed_and_now_give_the_same_world(seed: int) -> None:
    scale = dataclasses.replace(SMALL, random_seed=seed)
    one, two = (build_companies(scale)[1] for _ in range(2))
    assert one.guards.name == two.guards.name
    first, second = (simulate(company, scale.today) for company in (one, two))
    assert first.keys == second.keys
    for field in dataclasses.fields(Punches):
        left, right = (getattr(day.punches, field.name) for day in (first, second))
        np.testing.assert_array_equal(left, right)


def test_another_seed_gives_another_world() -> None:
    other = build_companies(dataclasses.replace(SMALL, random_seed=8))[0]
    assert build_companies(SMALL)[0].guards.name != other.guards.name


def test_a_day_does_not_depend_on_which_days_were_asked_for_before() -> None:
    company = build_companies(SMALL)[0]
    alone = simulate(company, SMALL.today)
    for day in range(SMALL.today - 3, SMALL.today):
        simulate(company, day)
    np.testing.assert_array_equal(simulate(company, SMALL.today).punches.at, alone.punches.at)


def test_thirty_sites_lie_in_many_time_zones_and_guards_write_many_scripts() -> None:
    companies = build_companies(LARGE)
    assert sum(len(company.places) for company in companies) == 30
    assert sum(len(company.guards) for company in companies) == 600
    zones = {place.city.timezone for company in companies for place in company.places}
    assert len(zones) >= 6
    names = "".join(name for company in companies for name in company.guards.name)
    scripts = {unicodedata.name(letter).split()[0] for letter in names if letter.isalpha()}
    assert {"LATIN", "DEVANAGARI", "CJK", "GREEK", "CYRILLIC", "ARABIC"} <= scripts


def test_sites_have_codes_and_names_of_their_own() -> None:
    places = [p for company in build_companies(LARGE) for p in company.places]
    assert max(Counter(place.code for place in places).values()) == 1
    assert max(Counter(place.name for place in places).values()) == 1


def test_shifts_begin_by_the_clock_of_the_site_on_both_sides_of_a_clock_change() -> None:
    london = next(
        (company, number)
        for company in build_companies(LARGE)
        for number, place in enumerate(company.places)
        if place.city.timezone == "Europe/London"
    )
    company, site = london
    hours = set()
    for date in (dt.date(2026, 10, 23), dt.date(2026, 10, 27)):
        shifts = simulate(company, date.toordinal()).shifts
        starts = shifts.starts[(shifts.site == site) & ~shifts.second]
        assert len(starts)
        hours |= {dt.datetime.fromtimestamp(s, ZoneInfo("Europe/London")).hour for s in starts}
    place = company.places[site]
    allowed = {(place.first_hour + n * place.kind.hours) % 24 for n in range(place.kind.slots)}
    assert hours <= allowed


def test_nobody_works_on_their_leave() -> None:
    from noc.demo import roster

    company = build_companies(LARGE)[0]
    for day in range(LARGE.today - 14, LARGE.today):
        guards, first, last = roster.leave(company, day // 7)
        away = set(guards[(first <= day) & (day <= last)])
        assert not away & set(simulate(company, day).shifts.guard)


def test_a_swapped_shift_is_worked_by_the_substitute() -> None:
    company = build_companies(LARGE)[0]
    swapped = 0
    for day in range(LARGE.today - 20, LARGE.today):
        planned = simulate(company, day)
        for row in np.flatnonzero(planned.shifts.swapped_with >= 0):
            swapped += 1
            assert planned.shifts.guard[row] not in planned.duties.guard
    assert swapped > 10


def test_who_stays_at_home_walks_no_round_and_sends_no_fix_unless_spoofed() -> None:
    company = build_companies(LARGE)[0]
    checked = 0
    for day in range(LARGE.today - 20, LARGE.today):
        planned = simulate(company, day)
        absent = planned.duties.at_home & (planned.duties.fraud == Typology.GHOST)
        heard = set(tracks.fixes(company, day, planned.duties).guard)
        checked += int(absent.sum())
        assert not set(planned.duties.guard[absent]) & heard
    assert checked


def test_every_case_marks_at_least_one_punch_as_fraud(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = []
    mark = Case.mark

    def counting(case: Case, rows: np.ndarray, typology: Typology) -> None:
        marked.append(len(rows))
        mark(case, rows, typology)

    monkeypatch.setattr(Case, "mark", counting)
    company = build_companies(LARGE)[0]
    for day in range(LARGE.today - 10, LARGE.today):
        simulate(company, day)
    assert len(marked) > 20
    assert min(marked) >= 1

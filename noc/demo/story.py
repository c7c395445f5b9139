"""Short scenes that can be watched: what the stream opens with, and repeats now and then.

Each is a handful of requests as phones and monitors would make them. What comes of them, an
alert, a ticket or nothing, is decided by the product.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

from noc.demo import behaviour
from noc.demo.behaviour import IN, PRESENCE
from noc.demo.life import Item, Life, punch_body, stamp
from noc.demo.roster import Duties

Scene = Callable[[Life, np.random.Generator, float], list[Item]]

SILENT_FOR = 1800.0
"""Seconds for which a phone that fell silent stays so."""


def buddy_punch(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """Somebody confirms their presence, and seconds later clocks a colleague in on their phone."""
    present, site = _on_duty(life, rng, at)
    busy = {guard for guard, _ in life.on_duty(at)} | {present}
    crew = [g for g in np.flatnonzero(life.company.guards.site == site) if g not in busy]
    absent = int(rng.choice(crew or np.arange(len(life.company.guards))))
    own = _punch(life, rng, present, site, PRESENCE, at)
    theirs = _punch(life, rng, absent, site, IN, at + 9)
    theirs |= {name: own[name] for name in ("device_id", "battery_level", "phone_signal_strength")}
    theirs["biometric_quality_score"] = round(float(rng.uniform(0.28, 0.44)), 3)
    return [_sent(own, at), _sent(theirs, at + 9, fraud=True)]


def impossible_travel(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """One account at two sites within seconds, as far apart as the company has them."""
    guard, here = _on_duty(life, rng, at)
    lat, lon = life.company.lat, life.company.lon
    there = int(np.argmax(np.hypot(lat - lat[here], lon - lon[here])))
    first = _punch(life, rng, guard, here, PRESENCE, at)
    second = _punch(life, rng, guard, there, IN, at + 10)
    second["device_id"] = int(life.ids.devices[rng.integers(len(life.company.guards))])
    return [_sent(first, at), _sent(second, at + 10, fraud=True)]


def mock_gps(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """A spoofing app, careless about its accuracy, and seen by the phone."""
    guard, site = _on_duty(life, rng, at)
    place = life.company.places[site]
    body = _punch(life, rng, guard, site, PRESENCE, at)
    body |= {"lat": place.lat, "lon": place.lon, "gps_accuracy": 1.0, "mock_location": True}
    return [_sent(body, at, fraud=True)]


def away_from_post(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """A confirmation from some streets away: an alert, but not enough for a ticket."""
    guard, site = _on_duty(life, rng, at)
    far = life.company.radius[site] + rng.uniform(500, 1100)
    bearing = rng.uniform(0, 2 * np.pi)
    lat, lon = life.company.point(
        np.full(1, site), np.full(1, far * np.cos(bearing)), np.full(1, far * np.sin(bearing))
    )
    body = _punch(life, rng, guard, site, PRESENCE, at)
    body |= {"lat": round(float(lat[0]), 7), "lon": round(float(lon[0]), 7), "gps_accuracy": 14.0}
    return [_sent(body, at, fraud=True)]


def replay(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """A recorded payload sent once more, the same to the last digit."""
    guard, site = _on_duty(life, rng, at)
    first = _punch(life, rng, guard, site, PRESENCE, at)
    again = first | {"occurred_at": stamp(at + 11), "external_id": _key(rng), "kind": "out"}
    return [_sent(first, at), _sent(again, at + 11, fraud=True)]


def gone_phone(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """The phone monitor misses the phone of somebody who has not come to work, if there is one."""
    missing = life.missing(at)
    if not missing:
        return []
    guard, site = missing[rng.integers(len(missing))]
    return [_offline(life, guard, site, at)]


def silent_guard(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """A phone falls silent in the middle of a shift; the company's phone monitor says so."""
    guard, site = _on_duty(life, rng, at)
    life.silent[guard] = at + SILENT_FOR
    return [_offline(life, guard, site, at)]


def _offline(life: Life, guard: int, site: int, at: float) -> Item:
    code = life.company.device_code(int(life.company.guards.device[guard]))
    body = {
        "alert_type": "DEVICE_OFFLINE",
        "severity": "MEDIUM",
        "message": f"The phone of {life.company.guards.name[guard]} has gone silent on duty.",
        "site_id": int(life.ids.sites[site]),
        "person_id": int(life.ids.guards[guard]),
        "entity_type": "device",
        "entity_id": code,
        "dedup_key": f"device-offline:{code}",
        "occurred_at": stamp(at),
    }
    return Item(at, "alert", body)


def call_for_help(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """A guard presses the button."""
    guard, site = _on_duty(life, rng, at)
    place = life.company.places[site]
    body = {
        "external_id": _key(rng),
        "kind": "sos",
        "person_id": int(life.ids.guards[guard]),
        "occurred_at": stamp(at),
        "lat": place.lat,
        "lon": place.lon,
        "accuracy": 15.0,
    }
    return [Item(at, "signal", body)]


_MONITORS = (
    ("CAMERA_OFFLINE", "MEDIUM", "Camera {n} at {site} sends no picture.", "camera"),
    ("DOOR_FORCED", "HIGH", "Door {n} at {site} was opened without a card.", "door"),
    ("PANEL_TAMPER", "MEDIUM", "The cover of panel {n} at {site} is open.", "panel"),
    ("BATTERY_LOW", "LOW", "The battery of reader {n} at {site} is below 15 %.", "reader"),
    ("NETWORK_SLOW", "INFO", "The line of {site} answers slowly.", "network"),
)


def monitor(life: Life, rng: np.random.Generator, at: float) -> list[Item]:
    """A building's own monitor reports something; often what it has reported before."""
    site = int(rng.integers(len(life.company.places)))
    alert_type, severity, message, entity = _MONITORS[
        rng.choice(len(_MONITORS), p=[0.3, 0.1, 0.1, 0.3, 0.2])
    ]
    number, place = int(rng.integers(1, 5)), life.company.places[site]
    body = {
        "alert_type": alert_type,
        "severity": severity,
        "message": message.format(n=number, site=place.name),
        "site_id": int(life.ids.sites[site]),
        "entity_type": entity,
        "entity_id": f"{place.code}-{entity}-{number}",
        "dedup_key": f"{alert_type.lower()}:{place.code}:{number}",
        "occurred_at": stamp(at),
    }
    return [Item(at, "alert", body)]


OPENING: tuple[tuple[float, int, Scene], ...] = (
    (1, 0, buddy_punch),
    (2, 1, monitor),
    (2, 0, gone_phone),
    (4, 1, gone_phone),
    (6, 2, gone_phone),
    (3, 2, mock_gps),
    (5, 1, impossible_travel),
    (8, 0, silent_guard),
    (10, 2, call_for_help),
    (12, 1, away_from_post),
    (14, 0, mock_gps),
    (16, 2, buddy_punch),
    (18, 1, silent_guard),
    (20, 0, monitor),
    (22, 1, replay),
    (25, 2, impossible_travel),
    (28, 0, away_from_post),
)
"""Seconds after the start, company, scene: each company gets alerts and a ticket at once."""

SCENES: tuple[tuple[Scene, float], ...] = (
    (buddy_punch, 0.22),
    (mock_gps, 0.18),
    (away_from_post, 0.22),
    (impossible_travel, 0.12),
    (replay, 0.08),
    (silent_guard, 0.14),
    (call_for_help, 0.04),
)
"""What happens now and then afterwards, and how often each."""


def _on_duty(life: Life, rng: np.random.Generator, at: float) -> tuple[int, int]:
    """Somebody at their post; where nobody is, anybody at their home site."""
    found = life.on_duty(at)
    if found:
        return found[rng.integers(len(found))]
    guard = int(rng.integers(len(life.company.guards)))
    return guard, int(life.company.guards.site[guard])


def _punch(
    life: Life, rng: np.random.Generator, guard: int, site: int, kind: int, at: float
) -> dict[str, Any]:
    """An ordinary punch of the guard, as the phone would send it."""
    one = np.zeros(1, np.int64)
    moment = np.full(1, at)
    duties = Duties(
        one + guard, one + site, moment, moment + 8 * 3600, moment, moment + 8 * 3600,
        one, one, one.astype(bool), one.astype(bool),
    )  # fmt: skip
    day = life.company.scale.today
    punches = behaviour.punch_at(life.company, rng, day, duties, one, one + kind, moment)
    punches.at = moment
    behaviour.report(rng, punches)
    return punch_body(life.ids, punches, 0) | {"external_id": _key(rng)}


def _sent(body: dict[str, Any], at: float, *, fraud: bool = False) -> Item:
    return Item(at + 0.2, "punch", body, fraud)


def _key(rng: np.random.Generator) -> str:
    return str(uuid.UUID(bytes=rng.bytes(16), version=4))

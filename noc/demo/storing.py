"""Puts a simulated company into the database, as its office would have entered it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from noc.demo import accounts, roster
from noc.demo.scale import Ints
from noc.demo.tracks import CHECKPOINTS
from noc.demo.world import Company
from noc.extensions import session
from noc.identity.models import User, UserSite
from noc.identity.passwords import hash_password
from noc.telemetry.models import Checkpoint, Tour
from noc.workforce.models import Absence, Device, Person, Site


@dataclass(frozen=True)
class Ids:
    """The database's ids, by index in the company; ``checkpoints`` is sites x positions."""

    tenant_id: int
    users: dict[str, int]
    sites: Ints
    guards: Ints
    devices: Ints
    tours: Ints
    checkpoints: Ints


def store_company(company: Company, tenant_id: int) -> Ids:
    """Users, sites, guards, phones and tours. The caller commits."""
    _store_users(company, tenant_id)
    users = _user_ids(tenant_id)
    _add(Site, tenant_id, _sites(company, users))
    sites = _ids_by_code(Site, tenant_id, [place.code for place in company.places])
    _limit_users(company, tenant_id, users, sites)
    guards = company.guards
    _add(
        Person,
        tenant_id,
        [
            {"code": code, "name": name, "home_site_id": int(sites[site])}
            for code, name, site in zip(guards.code, guards.name, guards.site, strict=True)
        ],
    )
    people = _ids_by_code(Person, tenant_id, guards.code)
    _add(
        Device,
        tenant_id,
        [
            {
                "code": company.device_code(number),
                "model": company.phones[number],
                "person_id": int(people[owner]),
            }
            for number, owner in enumerate(company.device_owner)
        ],
    )
    _store_tours(company, tenant_id, sites)
    return read_ids(company, tenant_id)


def read_ids(company: Company, tenant_id: int) -> Ids:
    """The ids of a company that is stored; LookupError where one of its rows is missing."""
    devices = [company.device_code(number) for number in range(len(company.device_owner))]
    tours = [_tour_code(company, site) for site in range(len(company.places))]
    tags = [_tag(company, s, n) for s in range(len(company.places)) for n in range(CHECKPOINTS)]
    return Ids(
        tenant_id=tenant_id,
        users=_user_ids(tenant_id),
        sites=_ids_by_code(Site, tenant_id, [place.code for place in company.places]),
        guards=_ids_by_code(Person, tenant_id, company.guards.code),
        devices=_ids_by_code(Device, tenant_id, devices),
        tours=_ids_by_code(Tour, tenant_id, tours),
        checkpoints=_ids_by_code(Checkpoint, tenant_id, tags).reshape(-1, CHECKPOINTS),
    )


def store_absences(company: Company, ids: Ids, first_day: int, last_day: int) -> None:
    """Leave that begins in the weeks of these days; some of it not approved yet. Caller commits."""
    rows = []
    for week in range(first_day // 7, last_day // 7 + 1):
        settled = week * 7 <= company.scale.today
        for guard, first, last in zip(*roster.leave(company, week), strict=True):
            zone = company.places[int(company.guards.site[guard])].zone
            rows.append(
                {
                    "code": f"L{week}-{company.guards.code[guard]}",
                    "person_id": int(ids.guards[guard]),
                    "kind": "leave",
                    "starts_at": _midnight(int(first), zone),
                    "ends_at": _midnight(int(last) + 1, zone),
                    "approved": settled or bool(guard % 3),
                }
            )
    if rows:
        values = [{"tenant_id": ids.tenant_id, **row} for row in rows]
        session().execute(upsert(Absence).on_conflict_do_nothing(), values)


def _midnight(day: int, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromordinal(day), dt.time(), zone)


def _store_users(company: Company, tenant_id: int) -> None:
    password_hash = hash_password(accounts.PASSWORD)
    _add(
        User,
        tenant_id,
        [
            {
                "email": account.email,
                "name": account.name,
                "role": account.role,
                "password_hash": password_hash,
            }
            for account in accounts.accounts_of(company.plan)
        ],
    )


def _limit_users(company: Company, tenant_id: int, users: dict[str, int], sites: Ints) -> None:
    rows = [
        {"user_id": users[account.email.partition("@")[0]], "site_id": int(site)}
        for account in accounts.accounts_of(company.plan)
        for site in sites[: account.sites]
    ]
    _add(UserSite, tenant_id, rows)


def _user_ids(tenant_id: int) -> dict[str, int]:
    """Ids by the part of the address before the @."""
    rows = session().execute(select(User.email, User.id).where(User.tenant_id == tenant_id))
    return {row.email.partition("@")[0]: row.id for row in rows}


def _sites(company: Company, users: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "code": place.code,
            "name": place.name,
            "timezone": place.city.timezone,
            "lat": place.lat,
            "lon": place.lon,
            "geofence_radius": place.kind.radius,
            "geofence_polygon": _polygon(company, number) if place.kind.polygon else None,
            "security_manager_id": users["manager" if number % 2 == 0 else "manager2"],
            "site_manager_id": users["sites"],
            "noc_supervisor_id": users["supervisor" if number % 2 == 0 else "supervisor2"],
        }
        for number, place in enumerate(company.places)
    ]


def _polygon(company: Company, site: int) -> list[list[float]]:
    """An eight-cornered fence a little wider than long, around the site's radius."""
    angles = np.radians(np.arange(22.5, 360, 45))
    reach = company.radius[site] / np.cos(np.radians(22.5))
    lat, lon = company.point(
        np.full(8, site), 1.12 * reach * np.cos(angles), 0.95 * reach * np.sin(angles)
    )
    ring = [[round(float(x), 7), round(float(y), 7)] for x, y in zip(lon, lat, strict=True)]
    return [*ring, ring[0]]


def _store_tours(company: Company, tenant_id: int, sites: Ints) -> None:
    numbers = range(len(company.places))
    _add(
        Tour,
        tenant_id,
        [
            {
                "code": _tour_code(company, number),
                "name": f"Perimeter of {company.places[number].name}",
                "site_id": int(sites[number]),
            }
            for number in numbers
        ],
    )
    tours = _ids_by_code(Tour, tenant_id, [_tour_code(company, number) for number in numbers])
    _add(
        Checkpoint,
        tenant_id,
        [
            _checkpoint(company, number, position)
            | {"site_id": int(sites[number]), "tour_id": int(tours[number])}
            for number in numbers
            for position in range(CHECKPOINTS)
        ],
    )


_TAGS = ("Main gate", "Loading bay", "Plant room", "Roof door", "Car park")


def _checkpoint(company: Company, site: int, position: int) -> dict[str, Any]:
    angle = 2 * np.pi * position / CHECKPOINTS
    reach = 0.6 * company.radius[site]
    lat, lon = company.point(
        np.full(1, site), np.full(1, reach * np.cos(angle)), np.full(1, reach * np.sin(angle))
    )
    return {
        "code": _tag(company, site, position),
        "name": _TAGS[position],
        "position": position,
        "lat": round(float(lat[0]), 7),
        "lon": round(float(lon[0]), 7),
    }


def _tour_code(company: Company, site: int) -> str:
    return f"{company.places[site].code}-T1"


def _tag(company: Company, site: int, position: int) -> str:
    return f"{company.places[site].code}-C{position + 1}"


def _add(model: Any, tenant_id: int, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session().execute(insert(model), [{"tenant_id": tenant_id, **row} for row in rows])


def _ids_by_code(model: Any, tenant_id: int, codes: Sequence[str]) -> Ints:
    rows = session().execute(
        select(model.code, model.id).where(model.tenant_id == tenant_id, model.code.in_(codes))
    )
    ids = {row.code: row.id for row in rows}
    missing = [code for code in codes if code not in ids]
    if missing:
        raise LookupError(f"{model.__tablename__} {missing[0]} is not stored")
    return np.array([ids[code] for code in codes], dtype=np.int64)

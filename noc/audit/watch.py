"""Who should be on duty at a moment, and what is heard of them: the facts that rules judge by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from noc.extensions import session
from noc.fraud.facts import SiteFacts
from noc.fraud.geofence import great_circle, metres_outside
from noc.telemetry.collection import Signals, collect_signals
from noc.workforce.roster import Duty, on_duty

WINDOW = dt.timedelta(minutes=120)
"""How far back signals are looked at."""

PLACES_WINDOW = dt.timedelta(minutes=45)
"""How far back fixes say where somebody is now: phones that save battery send two an hour."""

_SITES = text(
    """
    SELECT id, name, timezone, lat, lon, geofence_radius, geofence_polygon, noc_supervisor_id,
           active
    FROM site WHERE tenant_id = :tenant AND id = ANY(:sites)
    """
)
_PEOPLE = text(
    """
    SELECT p.id, p.name, (
        SELECT max(e.occurred_at) FROM attendance_event e
        WHERE e.tenant_id = :tenant AND e.person_id = p.id AND e.voided_at IS NULL
          AND e.occurred_at > :since AND e.occurred_at <= :at
    ) AS punched_at
    FROM person p WHERE p.tenant_id = :tenant AND p.id = ANY(:people) AND p.active
    """
)
_FIXES = text(
    """
    SELECT person_id, lat, lon, coalesce(accuracy, 0) AS accuracy, occurred_at
    FROM location_update
    WHERE tenant_id = :tenant AND person_id = ANY(:people)
      AND occurred_at > :since AND occurred_at <= :at
    ORDER BY person_id, occurred_at, external_id
    """
)


@dataclass(frozen=True, slots=True)
class WatchedSite:
    """A site as the rules need it."""

    id: int
    name: str
    timezone: str
    lat: float
    lon: float
    geofence_radius: float
    geofence_polygon: list[Any] | None
    noc_supervisor_id: int | None
    active: bool


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the fixes of the last minutes put somebody, beyond the site's geofence.

    ``nearest`` and ``latest`` are metres outside, the fix's own accuracy already taken off: 0 is
    inside, or may be.
    """

    fixes: int
    first_at: dt.datetime
    last_at: dt.datetime
    nearest: float
    latest: float


@dataclass(frozen=True, slots=True)
class Watched:
    """One person on duty: the piece of shift, and what was heard in the window up to ``at``."""

    at: dt.datetime
    duty: Duty
    person_name: str
    site: WatchedSite
    signals: Signals
    last_heard_at: dt.datetime | None
    whereabouts: Whereabouts | None

    @property
    def on_duty_for(self) -> dt.timedelta:
        """Since the piece of shift began."""
        return self.at - self.duty.starts_at


@dataclass(frozen=True, slots=True)
class Watch:
    """The facts of one cycle: those on duty, and of others what was asked about."""

    at: dt.datetime
    on_duty: list[Watched]
    sites: dict[int, WatchedSite]
    names: dict[int, str]
    last_heard: dict[int, dt.datetime] = field(default_factory=dict)


def look(
    at: dt.datetime,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None = None,
    others: Iterable[int] = (),
) -> Watch:
    """Gather the facts of the tenant, or of some of its sites, at a moment, which may be past.

    ``others``: people to hear of who need not be on duty. Five queries, however many people.
    """
    duties = on_duty(at, tenant_id=tenant_id, site_ids=site_ids)
    # Up to the moment itself: a shift that begins just now has not been missed yet.
    duties = [duty for duty in duties if duty.starts_at <= at < duty.ends_at]
    people = sorted({duty.person_id for duty in duties} | set(others))
    sites = read_sites({duty.site_id for duty in duties}, tenant_id=tenant_id)
    since = at - WINDOW
    signals = collect_signals(people, tenant_id=tenant_id, start=since, end=at)
    names, heard = _people(people, signals, since, at, tenant_id)
    # Who has left the company, or a site that is no longer watched, may still be on the roster.
    duties = [duty for duty in duties if duty.person_id in names and sites[duty.site_id].active]
    whereabouts = _whereabouts(duties, sites, at, tenant_id)
    return Watch(
        at,
        [
            Watched(
                at,
                duty,
                names[duty.person_id],
                sites[duty.site_id],
                signals[duty.person_id],
                heard.get(duty.person_id),
                whereabouts.get((duty.person_id, duty.site_id)),
            )
            for duty in duties
        ],
        sites,
        names,
        heard,
    )


def read_sites(site_ids: Collection[int], *, tenant_id: int) -> dict[int, WatchedSite]:
    """The sites by id. One query, or none."""
    if not site_ids:
        return {}
    rows = session().execute(_SITES, {"tenant": tenant_id, "sites": sorted(site_ids)})
    return {row["id"]: WatchedSite(**row) for row in rows.mappings()}


def _people(
    people: Sequence[int],
    signals: dict[int, Signals],
    since: dt.datetime,
    at: dt.datetime,
    tenant_id: int,
) -> tuple[dict[int, str], dict[int, dt.datetime]]:
    """Names, and when each was last heard of: by phone or by punch."""
    if not people:
        return {}, {}
    rows = session().execute(
        _PEOPLE, {"tenant": tenant_id, "people": people, "since": since, "at": at}
    )
    names, heard = {}, {}
    for person_id, name, punched_at in rows:
        names[person_id] = name
        latest = max(filter(None, (signals[person_id].last_signal_at, punched_at)), default=None)
        if latest is not None:
            heard[person_id] = latest
    return names, heard


def _whereabouts(
    duties: Sequence[Duty], sites: dict[int, WatchedSite], at: dt.datetime, tenant_id: int
) -> dict[tuple[int, int], Whereabouts]:
    """Of those on duty, by person and site."""
    if not duties:
        return {}
    rows = (
        session()
        .execute(
            _FIXES,
            {
                "tenant": tenant_id,
                "people": sorted({duty.person_id for duty in duties}),
                "since": at - PLACES_WINDOW,
                "at": at,
            },
        )
        .all()
    )
    posts: dict[int, list[int]] = {}
    for duty in duties:
        posts.setdefault(duty.person_id, []).append(duty.site_id)
    pairs = [(row, site_id) for row in rows for site_id in posts[row.person_id]]
    outside = _outside(pairs, sites)
    found: dict[tuple[int, int], Whereabouts] = {}
    for (row, site_id), metres in zip(pairs, outside.tolist(), strict=True):
        key = (row.person_id, site_id)
        before = found.get(key)
        found[key] = Whereabouts(
            fixes=before.fixes + 1 if before else 1,
            first_at=before.first_at if before else row.occurred_at,
            last_at=row.occurred_at,
            nearest=min(before.nearest, metres) if before else metres,
            latest=metres,
        )
    return found


def _outside(
    pairs: Sequence[tuple[Any, int]], sites: dict[int, WatchedSite]
) -> NDArray[np.float64]:
    """Metres outside the geofence for each fix and site, less the fix's accuracy."""
    if not pairs:
        return np.zeros(0)
    lat = np.array([row.lat for row, _ in pairs])
    lon = np.array([row.lon for row, _ in pairs])
    posts = [sites[site_id] for _, site_id in pairs]
    centre = great_circle(
        lat, lon, np.array([site.lat for site in posts]), np.array([site.lon for site in posts])
    )
    facts = {
        site.id: SiteFacts(site.timezone, site.lat, site.lon, site.geofence_polygon)
        for site in sites.values()
    }
    outside = metres_outside(
        lat,
        lon,
        np.array([site.id for site in posts]),
        centre,
        np.array([site.geofence_radius for site in posts]),
        facts,
    )
    accuracy = np.array([row.accuracy for row, _ in pairs])
    beyond: NDArray[np.float64] = np.maximum(outside - accuracy, 0.0)
    return beyond

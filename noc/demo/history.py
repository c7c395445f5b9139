"""Stores simulated days in bulk: the roster, the rounds, the phones' signals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import func, select, text

from noc.demo import bulk, tracks
from noc.demo.days import Day
from noc.demo.storing import Ids
from noc.demo.tracks import EVENTS, TASKS, Fixes, Happenings
from noc.demo.world import Company
from noc.extensions import session
from noc.workforce.models import Shift

DETAILED_DAYS = 3
"""Phone events are dense for the last days and thin before, to keep the seed short."""

DENSE_EVERY, THIN_EVERY = 600.0, 7200.0
"""Seconds between phone events of a guard on duty."""

_SHIFTS = text(
    """
    INSERT INTO shift (tenant_id, code, person_id, site_id, starts_at, ends_at, swapped_with_id)
    SELECT :tenant, (CAST(:codes AS text[]))[t.nth], t.person, t.site, t.starts, t.ends,
        nullif(t.swapped, -1)
    FROM seed_shift t ON CONFLICT (tenant_id, code) DO NOTHING
    """
)

_FIXES = text(
    """
    INSERT INTO location_update
        (tenant_id, occurred_at, external_id, person_id, received_at, lat, lon, accuracy)
    SELECT :tenant, t.at, t.key::text, t.person, t.received, t.lat, t.lon, t.accuracy
    FROM seed_fix t ON CONFLICT DO NOTHING
    """
)

_EVENTS = text(
    """
    INSERT INTO phone_event
        (tenant_id, occurred_at, external_id, person_id, received_at, event_type)
    SELECT :tenant, t.at, t.key::text, t.person, t.received, (CAST(:words AS text[]))[t.what + 1]
    FROM seed_event t ON CONFLICT DO NOTHING
    """
)

_TASKS = text(
    """
    INSERT INTO task_completion
        (tenant_id, occurred_at, external_id, person_id, received_at, task)
    SELECT :tenant, t.at, t.key::text, t.person, t.received, (CAST(:words AS text[]))[t.what + 1]
    FROM seed_event t ON CONFLICT DO NOTHING
    """
)

# The rounds first, then the checkpoints of each: they are found again by who and when.
_ROUNDS = text(
    """
    WITH planned AS (
        INSERT INTO jobneed (tenant_id, kind, tour_id, person_id, site_id, starts_at, expires_at)
        SELECT :tenant, 'tour', t.tour, t.person, t.site, t.starts, t.expires FROM seed_round t
        RETURNING id, person_id, site_id, starts_at
    )
    INSERT INTO jobneed (tenant_id, kind, parent_id, tour_id, checkpoint_id, person_id, site_id,
        starts_at, expires_at, endtime, received_at)
    SELECT :tenant, 'checkpoint', p.id, t.tour, s.checkpoint, t.person, t.site,
        t.starts, t.expires, nullif(s.at, :never), nullif(s.at, :never) + interval '2 seconds'
    FROM seed_round t
    JOIN planned p ON p.person_id = t.person AND p.site_id = t.site AND p.starts_at = t.starts
    JOIN seed_scan s ON s.nth = t.nth
    """
)


def is_stored(company: Company, ids: Ids, day: Day) -> bool:
    """Whether the roster of this day is there already."""
    codes = day.shifts.codes(company, day.day)[:1]
    query = select(func.count()).where(Shift.tenant_id == ids.tenant_id, Shift.code.in_(codes))
    return not codes or session().scalar(query) == 1


def store_shifts(company: Company, ids: Ids, days: Sequence[Day]) -> None:
    """The roster of these days; a day stored before stays as it is. The caller commits."""
    shifts = bulk.joined([day.shifts for day in days])
    codes = [code for day in days for code in day.shifts.codes(company, day.day)]
    swapped = np.where(shifts.swapped_with >= 0, ids.guards[shifts.swapped_with], -1)
    columns = {
        "nth": np.arange(1, len(shifts) + 1),
        "person": ids.guards[shifts.guard],
        "site": ids.sites[shifts.site],
        "starts": bulk.times(shifts.starts),
        "ends": bulk.times(shifts.ends),
        "swapped": swapped,
    }
    with bulk.loaded("seed_shift", columns):
        session().execute(_SHIFTS, {"tenant": ids.tenant_id, "codes": codes})


def store_rounds(company: Company, ids: Ids, days: Sequence[Day], until: float) -> None:
    """The rounds of these days, with the scans made by ``until``. The caller commits."""
    rounds = bulk.joined([tracks.rounds(company, day.day, day.shifts, day.duties) for day in days])
    scanned = np.where(rounds.scanned <= until, rounds.scanned, np.nan)
    nth = np.arange(len(rounds.guard))
    columns = {
        "nth": nth,
        "tour": ids.tours[rounds.site],
        "person": ids.guards[rounds.guard],
        "site": ids.sites[rounds.site],
        "starts": bulk.times(rounds.starts),
        "expires": bulk.times(rounds.expires),
    }
    scans = {
        "nth": np.repeat(nth, tracks.CHECKPOINTS),
        "checkpoint": ids.checkpoints[rounds.site].ravel(),
        "at": bulk.times(scanned.ravel()),
    }
    with bulk.loaded("seed_round", columns), bulk.loaded("seed_scan", scans):
        session().execute(_ROUNDS, {"tenant": ids.tenant_id, "never": bulk.NEVER_AT})


def store_signals(company: Company, ids: Ids, days: Sequence[Day], until: float) -> int:
    """What the phones sent in these days by ``until``; how many rows. The caller commits."""
    dense = company.scale.today - DETAILED_DAYS
    fixes = bulk.joined([tracks.fixes(company, day.day, day.duties) for day in days])
    events = bulk.joined(
        [
            tracks.phone_events(
                company,
                day.day,
                day.duties,
                every=DENSE_EVERY if day.day >= dense else THIN_EVERY,
            )
            for day in days
        ]
    )
    tasks = bulk.joined([tracks.tasks(company, day.day, day.duties) for day in days])
    purpose = f"{days[0].day}-{days[-1].day}"
    stored = _store_fixes(company, ids, fixes, until, purpose)
    stored += _store_happenings(company, ids, events, until, f"events-{purpose}", EVENTS)
    return stored + _store_happenings(company, ids, tasks, until, f"tasks-{purpose}", TASKS)


def _store_fixes(company: Company, ids: Ids, fixes: Fixes, until: float, purpose: str) -> int:
    order = np.argsort(fixes.at)
    order = order[fixes.at[order] <= until - 5]
    columns = {
        "key": bulk.drawn_uuids(company.rng(f"fixes-{purpose}"), len(order)),
        "at": bulk.times(fixes.at[order]),
        "received": bulk.times(fixes.at[order] + 2),
        "person": ids.guards[fixes.guard[order]],
        "lat": fixes.lat[order],
        "lon": fixes.lon[order],
        "accuracy": fixes.accuracy[order],
    }
    with bulk.loaded("seed_fix", columns):
        session().execute(_FIXES, {"tenant": ids.tenant_id})
    return len(order)


def _store_happenings(
    company: Company, ids: Ids, rows: Happenings, until: float, purpose: str, words: tuple[str, ...]
) -> int:
    order = np.argsort(rows.at)
    order = order[rows.at[order] <= until - 5]
    columns = {
        "key": bulk.drawn_uuids(company.rng(purpose), len(order)),
        "at": bulk.times(rows.at[order]),
        "received": bulk.times(rows.at[order] + 2),
        "person": ids.guards[rows.guard[order]],
        "what": rows.what[order],
    }
    statement = _EVENTS if words is EVENTS else _TASKS
    with bulk.loaded("seed_event", columns):
        session().execute(statement, {"tenant": ids.tenant_id, "words": list(words)})
    return len(order)

"""Seeds the simulated tenants: their world, their past, and what the product made of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import text

from noc.database.partitions import ensure_partitions
from noc.database.tenancy import tenant_context
from noc.demo import batches, history, marks, storing
from noc.demo.days import Day, simulate
from noc.demo.lessons import Lessons
from noc.demo.marks import Simulated
from noc.demo.on_call import be_on_call
from noc.demo.places import COMPANIES
from noc.demo.reviewers import Reviewers, catch_up, set_pace
from noc.demo.scale import Scale
from noc.demo.storing import Ids
from noc.demo.truth import Typology
from noc.demo.watching import learn_what_is_usual, store_last_beats
from noc.demo.world import Company, build_companies
from noc.extensions import db, session
from noc.fraud.profiles import refresh_profiles
from noc.fraud.scoring import score_punches
from noc.identity.tenants import all_tenants

AHEAD_DAYS = 8
"""The roster is known so many days ahead."""

BATCH, BATCH_SECONDS = 500, 86_400.0
"""Punches stored and scored together: at most so many, of at most a day; reviewers work between."""

_CHUNK_DAYS = 5
_SEED_KEY = 4714
_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_UNLOCK = text("SELECT pg_advisory_unlock(:key)")

Report = Callable[[str, float], None]
"""Told what is being done and which share of the whole, 0 to 1, is behind."""

_SIGNALS_SHARE = 0.25
"""Share of a tenant's time that goes into everything but scoring, for the progress bar."""


class SeedError(RuntimeError):
    """The demo cannot be seeded; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a tenant's seed put in: rows, not what the product made of them."""

    slug: str
    punches: int
    signals: int
    shifts: int


def is_complete() -> bool:
    """Whether every simulated tenant is there and seeded to the end."""
    done = {found.tenant.slug for found in marks.simulated_tenants() if found.complete}
    return done == {plan.slug for plan in COMPANIES}


def start_over(scale: Scale) -> list[Simulated]:
    """Take away simulated tenants of earlier seeds, and found empty ones. Commits.

    SeedError where a slug belongs to a tenant that is not simulated; nothing is touched then.
    """
    old = marks.simulated_tenants()
    simulated = {found.tenant.id for found in old}
    for tenant in all_tenants():
        if tenant.slug in {plan.slug for plan in COMPANIES} and tenant.id not in simulated:
            raise SeedError(
                f"the tenant {tenant.slug!r} is not simulated and stays as it is; "
                "the demo needs this name, so seed it on another instance"
            )
    for found in old:
        marks.drop(found.tenant)
    return [Simulated(marks.found(plan, scale), scale, False) for plan in COMPANIES]


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the right to seed or drop inside the block. SeedError where somebody else has it.

    The lock lives with its connection: a killed seed leaves none behind.
    """
    with db.engine.connect() as connection:
        taken = connection.execute(_LOCK, {"key": _SEED_KEY}).scalar()
        connection.commit()
        if not taken:
            raise SeedError("another seed is running on this database: wait for it, or stop it")
        try:
            yield
        finally:
            connection.execute(_UNLOCK, {"key": _SEED_KEY})
            connection.commit()


def seed_company(simulated: Simulated, report: Report) -> Seeded:
    """Seed one founded, empty tenant from its scale. Commits as it goes, complete at the end."""
    scale, tenant = simulated.scale, simulated.tenant
    company = next(c for c in build_companies(scale) if c.plan.slug == tenant.slug)
    with tenant_context(session(), tenant.id):
        report("sites and guards", 0.0)
        first, last = scale.first_day, scale.today + AHEAD_DAYS
        ensure_partitions(session(), [_noon(day) for day in range(first - 1, last + 2)])
        session().commit()
        ids = storing.store_company(company, tenant.id)
        storing.store_absences(company, ids, first, last)
        set_pace(company, scale.now)
        session().commit()
        days = [simulate(company, day) for day in range(first, last + 1)]
        signals = _store_signals(company, ids, days, report)
        punches = _live_through(company, ids, days, report)
        refresh_profiles(tenant_id=tenant.id, now=scale.now)
        report("what is usual", 0.98)
        signals += store_last_beats(company, ids, scale.now)
        learn_what_is_usual(tenant.id, scale.now)
        be_on_call(company, ids, scale.now)
        marks.complete(tenant.id, scale)
        session().commit()
    report("done", 1.0)
    return Seeded(tenant.slug, punches, signals, sum(len(day.shifts) for day in days))


def _store_signals(company: Company, ids: Ids, days: list[Day], report: Report) -> int:
    until, stored = company.scale.now.timestamp(), 0
    for start in range(0, len(days), _CHUNK_DAYS):
        chunk = days[start : start + _CHUNK_DAYS]
        report("rosters, rounds and signals", _SIGNALS_SHARE * start / len(days))
        history.store_shifts(company, ids, chunk)
        history.store_rounds(company, ids, chunk, until)
        stored += history.store_signals(company, ids, chunk, until)
        session().commit()
    return stored


def _live_through(company: Company, ids: Ids, days: list[Day], report: Report) -> int:
    """Send the punches in the order in which they came, score them, let people review.

    A batch is stored and scored in one transaction: nobody ever sees an unscored one.
    """
    now = company.scale.now
    received = batches.punches_received(days, now.timestamp())
    reviewers = Reviewers(company, ids)
    lessons = Lessons(company.plan.slug, ids, now)
    start = 0
    while start < len(received):
        stop = min(start + BATCH, received.index(received.seconds(start) + BATCH_SECONDS))
        batch = received.part(start, stop)
        report("punches and scores", _SIGNALS_SHARE + (1 - _SIGNALS_SHARE) * start / len(received))
        start = stop
        reviewers.work(until=batch.moment(0))
        lessons.work(until=batch.moment(0))
        stored = batches.store_punches(ids, batch)
        score_punches(list(stored.values()), tenant_id=ids.tenant_id, now=batch.moment(-1))
        truth = batch.punches.truth != Typology.HONEST
        reviewers.learn(
            {stored[str(key)]: bool(fraud) for key, fraud in zip(batch.keys, truth, strict=True)}
        )
        session().commit()
    reviewers.work(until=now)
    catch_up(now)
    report("training", 0.97)
    lessons.work(until=now)
    return len(received)


def _noon(day: int) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromordinal(day), dt.time(12), dt.UTC)

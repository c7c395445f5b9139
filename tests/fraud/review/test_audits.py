"""Random audits: a fair sample of each completed day, drawn once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.database.tenancy import tenant_context
from noc.fraud.review.audits import draw, draw_missing, wanted
from noc.fraud.review.models import AuditDay, AuditDraw
from noc.identity import tenants
from noc.identity.tenant_settings import override
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.fraud.review.population import DAY, YESTERDAY, punches, shadow


def drawn(session: Session) -> dict[int, float]:
    """Inclusion probabilities by punch."""
    rows = session.execute(select(AuditDraw.attendance_event_id, AuditDraw.inclusion_probability))
    return {row.attendance_event_id: row.inclusion_probability for row in rows}


def reviews_per_day(count: int) -> None:
    override("fraud_reviews_per_day", count, site_id=None, now=NOW)


def forget(session: Session) -> None:
    session.execute(delete(AuditDraw))
    session.execute(delete(AuditDay))


@pytest.mark.parametrize(("reviews", "audits"), [(1, 1), (10, 1), (40, 2), (100, 5), (10_000, 500)])
def test_a_twentieth_of_the_reviews_are_audits_and_never_none(reviews: int, audits: int) -> None:
    assert wanted(reviews) == audits


def test_so_many_are_drawn_and_each_says_what_its_chance_was(make: Make, session: Session) -> None:
    population = punches(make, [0.1] * 80)
    reviews_per_day(100)

    made = draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)

    assert made is not None
    assert (made.population, made.drawn) == (80, 5)
    sample = drawn(session)
    assert set(sample) < set(population)
    assert set(sample.values()) == {5 / 80}
    assert len(sample) == 5


def test_of_fewer_than_wanted_all_are_drawn(make: Make, session: Session) -> None:
    population = punches(make, [0.1] * 3)
    reviews_per_day(1000)

    draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)

    assert drawn(session) == dict.fromkeys(population, 1.0)


def test_only_what_counts_on_that_day_is_drawn_from(make: Make, session: Session) -> None:
    """Neither voided punches, nor a shadow's row, nor the days before and after."""
    before = punches(make, [0.1], day=YESTERDAY - DAY)
    here, voided = punches(make, [0.1, 0.2])
    after = punches(make, [0.1], day=NOW.date())
    shadow(make, here)
    session.execute(
        update(AttendanceEvent).where(AttendanceEvent.id == voided).values(voided_at=NOW)
    )
    reviews_per_day(1000)

    made = draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)

    assert made is not None
    assert made.population == 1
    assert set(drawn(session)) == {here}
    assert before
    assert after


def test_a_day_is_drawn_once_and_latecomers_are_not_in_it(make: Make, session: Session) -> None:
    punches(make, [0.1] * 10)
    draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)
    first = drawn(session)
    punches(make, [0.9] * 90)

    assert draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW) is None
    assert drawn(session) == first
    assert session.scalars(select(AuditDay.population)).all() == [10]


def test_an_empty_day_stays_open_for_those_that_arrive_late(make: Make, session: Session) -> None:
    assert draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW) is None
    (punch,) = punches(make, [0.3])

    assert draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW) is not None
    assert set(drawn(session)) == {punch}


def test_a_day_that_is_not_over_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="not over"):
        draw(NOW.date(), tenant_id=make.tenant_id, now=NOW)


def test_the_same_seed_draws_the_same_and_another_another(make: Make, session: Session) -> None:
    punches(make, [0.1] * 200)
    reviews_per_day(400)
    samples = []
    for seed in (None, None, "other"):
        draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW, seed=seed)
        samples.append(set(drawn(session)))
        forget(session)

    assert samples[0] == samples[1] != samples[2]


def test_every_punch_has_the_same_chance(make: Make, session: Session) -> None:
    """Of 20 punches 4 a time, 400 times: each 80 times, give or take 8 (sd of a binomial)."""
    population = punches(make, [n / 20 for n in range(20)])
    reviews_per_day(80)
    times: Counter[int] = Counter()
    for seed in range(400):
        draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW, seed=str(seed))
        times.update(list(drawn(session)))
        forget(session)

    assert sum(times.values()) == 1600
    # Five deviations of the worst of twenty: wrong once in a hundred thousand, were it not seeded.
    assert all(abs(times[punch] - 80) < 40 for punch in population)
    # Chi-square with 19 degrees of freedom, shrunk by the sampling without replacement (1 - 4/20).
    spread = sum((times[punch] - 80) ** 2 / (80 * 0.8) for punch in population)
    assert 5 < spread < 45


def test_days_that_were_missed_are_drawn_a_week_back(make: Make, session: Session) -> None:
    for ago in (1, 3, 7, 8):
        punches(make, [0.1], day=(NOW - ago * DAY).date())
    draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)

    made = draw_missing(tenant_id=make.tenant_id, now=NOW)

    assert [(NOW.date() - one.day).days for one in made] == [7, 3]
    assert draw_missing(tenant_id=make.tenant_id, now=NOW) == []


def test_midnight_is_that_of_utc_wherever_now_is_told(make: Make, session: Session) -> None:
    punches(make, [0.1])
    kolkata = dt.timezone(dt.timedelta(hours=5, minutes=30))
    now = dt.datetime.combine(YESTERDAY + DAY, dt.time(2), tzinfo=kolkata)
    with pytest.raises(ValueError, match="not over"):
        draw(YESTERDAY, tenant_id=make.tenant_id, now=now)


def test_another_tenants_punches_are_not_drawn(make: Make, session: Session) -> None:
    other = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, other.id):
        punches(Make(session, other.id), [0.1] * 5)
    punches(make, [0.1])

    made = draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)

    assert made is not None
    assert made.population == 1


@pytest.fixture
def crowd(app: APIFlask, services: Services) -> Iterator[Make]:
    with committed_tenant(app, services) as make:
        yield make


def test_two_workers_at_once_draw_a_day_once(app: APIFlask, crowd: Make) -> None:
    for ago in range(1, 6):
        punches(crowd, [0.1] * 40, day=(NOW - ago * DAY).date())
    crowd.session.commit()

    def work() -> int:
        return len(draw_missing(tenant_id=crowd.tenant_id, now=NOW))

    assert sum(at_once(app, crowd.tenant_id, [work] * 4)) == 5
    days = crowd.session.execute(text("SELECT population, drawn FROM fraud_audit_day")).all()
    assert [tuple(day) for day in days] == [(40, 2)] * 5
    assert crowd.session.scalar(text("SELECT count(*) FROM fraud_audit_draw")) == 10

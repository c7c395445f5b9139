"""Random audits: each completed day a few punches that anybody looks at, whatever their score.

Only among punches drawn by chance does the share of fraud say something about all punches: what
has a high score was looked at *because* of it (selective labels, ``docs/review.md``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text

from noc.extensions import session
from noc.fraud.freshness import scores_changed
from noc.identity.tenant_settings import tenant_settings

AUDIT_SHARE = 0.05
"""Of the reviews of a day. In a simulation of ten weeks with 100 reviews a day, a model that also

learned from 5 % random audits had an average precision of .753, without them .738.
"""

MISSED_DAYS = 7
"""How far back a day that nobody drew is drawn after all."""

# One statement, so one snapshot: the population that is counted is the one that is drawn from.
# Hashing orders it by chance and can be done again: MD5 is the same in every PostgreSQL, and no
# punch chooses its id. The insert of the day decides between two who come at once: the second
# waits for the first, gets no row, and so draws nothing.
_DRAW = text(
    """
    WITH population AS MATERIALIZED (
        SELECT l.attendance_event_id, l.site_id, l.occurred_at
        FROM fraud_prediction_log l
        JOIN attendance_event e
            ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id
            AND e.voided_at IS NULL
        WHERE l.tenant_id = :tenant AND NOT l.is_shadow
          AND l.occurred_at >= :start AND l.occurred_at < :stop
    ), opened AS (
        INSERT INTO fraud_audit_day (tenant_id, day, population, drawn, drawn_at)
        SELECT :tenant, :day, count(*), least(count(*), :wanted), :now
        FROM population HAVING count(*) > 0
        ON CONFLICT DO NOTHING
        RETURNING population, drawn
    ), draws AS (
        INSERT INTO fraud_audit_draw (
            tenant_id, attendance_event_id, site_id, occurred_at, drawn_at, inclusion_probability)
        SELECT :tenant, p.attendance_event_id, p.site_id, p.occurred_at, :now,
            o.drawn::float8 / o.population
        FROM population p CROSS JOIN opened o
        ORDER BY md5(concat_ws(':', CAST(:seed AS text), p.attendance_event_id)),
            p.attendance_event_id
        LIMIT (SELECT drawn FROM opened)
    )
    SELECT population, drawn FROM opened
    """
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A day's draw: ``drawn`` punches of a ``population``."""

    day: dt.date
    population: int
    drawn: int


def draw(
    day: dt.date, *, tenant_id: int, now: dt.datetime, seed: str | None = None
) -> Drawn | None:
    """Draw the random audits of a completed UTC day, once, whoever comes first.

    A simple random sample without replacement of ``max(1, round(0.05 * fraud_reviews_per_day))``
    of the day's punches (served predictions by ``occurred_at``, voided ones left out), all of
    them where there are fewer. Each gets the inclusion probability n/N. A punch of the day that
    arrives or is scored *after* the draw is not in the population: the day stays as it was drawn.
    The sample is a function of ``seed``, by default tenant and day, and of the punches' ids.

    None where the day was drawn already, and where it has no punch: that day stays open for
    those that arrive late. ValueError for a day that is not over. One transaction, which the
    caller commits.
    """
    if day >= now.astimezone(dt.UTC).date():
        raise ValueError(f"{day} is not over yet: a day is drawn from when all of it is there")
    start = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    row = (
        session()
        .execute(
            _DRAW,
            {
                "tenant": tenant_id,
                "day": day,
                "start": start,
                "stop": start + dt.timedelta(days=1),
                "wanted": wanted(tenant_settings().fraud_reviews_per_day),
                "seed": f"{tenant_id}:{day}" if seed is None else seed,
                "now": now,
            },
        )
        .one_or_none()
    )
    if row is None:
        return None
    scores_changed(session(), tenant_id)
    return Drawn(day, row.population, row.drawn)


def draw_missing(*, tenant_id: int, now: dt.datetime, days: int = MISSED_DAYS) -> list[Drawn]:
    """Draw every completed day of the last ``days`` that was not drawn, oldest first.

    What was drawn now. The caller commits.
    """
    today = now.astimezone(dt.UTC).date()
    draws = [
        draw(today - dt.timedelta(days=ago), tenant_id=tenant_id, now=now)
        for ago in range(days, 0, -1)
    ]
    return [drawn for drawn in draws if drawn is not None]


def wanted(reviews_per_day: int) -> int:
    """How many audits belong to so many reviews a day; never none."""
    return max(1, round(AUDIT_SHARE * reviews_per_day))

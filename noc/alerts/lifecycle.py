"""What people do with alerts, one at a time; ``noc.alerts.steps.take`` does it with many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select

from noc.alerts.models import Alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.problems import not_found


def acknowledge(
    alert_id: int,
    *,
    user_id: int | None,
    now: dt.datetime,
    note: str | None = None,
    site_ids: Collection[int] | None = None,
) -> Alert:
    """Somebody has seen it. Acknowledging twice keeps the first. 404, 409."""
    return _take_one(Step("acknowledge", now, user_id, note), alert_id, site_ids)


def assign(
    alert_id: int,
    *,
    assignee_id: int,
    user_id: int | None,
    now: dt.datetime,
    note: str | None = None,
    site_ids: Collection[int] | None = None,
) -> Alert:
    """It is this user's to deal with. 404, 409; 422 for who cannot work on it."""
    step = Step("assign", now, user_id, note, assignee_id=assignee_id)
    return _take_one(step, alert_id, site_ids)


def shelve(
    alert_id: int,
    *,
    until: dt.datetime,
    user_id: int | None,
    now: dt.datetime,
    note: str | None = None,
    site_ids: Collection[int] | None = None,
) -> Alert:
    """Put it out of sight until then. 404, 409; 422 for a time past or more than 30 days off."""
    return _take_one(Step("shelve", now, user_id, note, until=until), alert_id, site_ids)


def resolve(
    alert_id: int,
    *,
    resolution: str,
    user_id: int | None,
    now: dt.datetime,
    note: str | None = None,
    site_ids: Collection[int] | None = None,
) -> Alert:
    """It is over. Sends ``alert_resolved``. 404, 409; 422 for an unknown resolution."""
    step = Step("resolve", now, user_id, note, resolution=resolution)
    return _take_one(step, alert_id, site_ids)


def reopen(
    alert_id: int,
    *,
    user_id: int | None,
    now: dt.datetime,
    note: str | None = None,
    site_ids: Collection[int] | None = None,
) -> Alert:
    """It is not over, or it is to come off the shelf before its time: NEW again.

    404; 409 where it is open already, or another alert of the same trouble is.
    """
    return _take_one(Step("reopen", now, user_id, note), alert_id, site_ids)


def add_note(
    alert_id: int,
    note: str,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Alert:
    """Write something down about it, whatever its status. 404."""
    return _take_one(Step("note", now, user_id, note), alert_id, site_ids)


def expire_shelved(*, now: dt.datetime, limit: int = 1000) -> int:
    """Bring back up to ``limit`` alerts of the tenant whose time on the shelf is over; how many.

    What another process has locked is left for the next time.
    """
    due = session().scalars(
        select(Alert.id)
        .where(
            Alert.tenant_id == required_tenant(),
            Alert.status == "SHELVED",
            Alert.shelved_until <= now,
        )
        .order_by(Alert.dedup_key.collate("C"))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return sum(outcome.changed for outcome in take(Step("unshelve", now), due.all()))


def _take_one(step: Step, alert_id: int, site_ids: Collection[int] | None) -> Alert:
    (outcome,) = take(step, [alert_id], site_ids=site_ids)
    if outcome.alert is None:
        raise outcome.problem or not_found("alert")
    return outcome.alert

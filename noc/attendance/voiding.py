"""Takes a punch out of the count, for good and with a reason."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import exists, select, update

from noc.attendance.models import AttendanceEvent
from noc.attendance.signals import punch_voided
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.rest.problems import Problem, not_found


def void_punch(punch_id: int, *, reason: str, user_id: int | None, now: dt.datetime) -> bool:
    """Void the punch; it is never scored and never counted again. True if this call did it.

    A punch that is voided already stays as it was voided first. Announces ``punch_voided`` once.
    Problem 404 for no such punch of the tenant, 422 for no such user. The caller commits.
    """
    tenant_id = required_tenant()
    key = (AttendanceEvent.tenant_id == tenant_id, AttendanceEvent.id == punch_id)
    if user_id is not None:
        _check_user(user_id, tenant_id)
    voided = session().execute(
        update(AttendanceEvent)
        .where(*key, AttendanceEvent.voided_at.is_(None))
        .values(voided_at=now, voided_by=user_id, void_reason=reason)
        .returning(AttendanceEvent.id)
    )
    if voided.one_or_none() is None:
        if not session().scalar(select(exists().where(*key))):
            raise not_found("punch")
        return False
    punch_voided.send(
        "attendance",
        tenant_id=tenant_id,
        punch_id=punch_id,
        reason=reason,
        user_id=user_id,
        now=now,
    )
    return True


def _check_user(user_id: int, tenant_id: int) -> None:
    known = session().scalar(
        select(exists().where(User.tenant_id == tenant_id, User.id == user_id))
    )
    if not known:
        raise Problem(
            422,
            "The punch was not voided.",
            errors=[{"field": "by", "reason": "there is no such user"}],
        )

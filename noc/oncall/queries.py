"""Reading schedules, policies and escalations, as they are shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from noc.alerts.models import Alert
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.oncall import people
from noc.oncall.models import AlertEscalation as Run
from noc.oncall.models import EscalationPolicy, OnCallOverride, OnCallSchedule
from noc.oncall.schemas import EscalationQuery, PolicyQuery, ScheduleQuery
from noc.rest.by_id import page_by_id
from noc.rest.keyset import Key, Page, newest_first, page_of
from noc.workforce.models import Site

_Answerer = aliased(User, name="answerer")

_STANDING: tuple[Any, ...] = (
    Run.id,
    EscalationPolicy.id.label("policy_id"),
    EscalationPolicy.name.label("policy_name"),
    (Run.policy_id.is_not(None) & EscalationPolicy.id.is_(None)).label("policy_hidden"),
    Run.state,
    Run.round,
    Run.step,
    Run.begun_at,
    Run.last_told_at,
    Run.next_at,
    Run.ended_at,
    Run.reason,
    Run.answered_by,
    _Answerer.name.label("answered_by_name"),
)
"""Where an escalation stands. A policy that is for other sites by now is hidden."""

_RUN: tuple[Any, ...] = (
    *_STANDING,
    Run.alert_id,
    Alert.alert_type,
    Alert.severity,
    Alert.message,
    Alert.site_id,
    Site.name.label("site_name"),
)


def list_schedules(asked: ScheduleQuery) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A page of schedules and its ``pagination``. Three queries."""
    query = select(OnCallSchedule).filter_by(tenant_id=required_tenant(), **asked.filters())
    rows, pagination = page_by_id(session(), query, OnCallSchedule.id, asked)
    return _schedules(list(rows)), pagination


def find_schedule(schedule_id: int, *, now: dt.datetime) -> dict[str, Any] | None:
    """One schedule with the overrides that are not over; None if there is none."""
    schedule = session().get(OnCallSchedule, (required_tenant(), schedule_id))
    if schedule is None:
        return None
    overrides = (
        session()
        .scalars(
            select(OnCallOverride)
            .where(
                OnCallOverride.tenant_id == required_tenant(),
                OnCallOverride.schedule_id == schedule_id,
                OnCallOverride.ends_at > now,
            )
            .order_by(OnCallOverride.starts_at, OnCallOverride.id)
        )
        .all()
    )
    named = people.names({one.user_id for one in overrides})
    shown = [override_out(one, named.get(one.user_id)) for one in overrides]
    return {**_schedules([schedule])[0], "overrides": shown}


def override_out(override: OnCallOverride, user_name: str | None) -> dict[str, Any]:
    """An override as it is answered."""
    return {
        "id": override.id,
        "schedule_id": override.schedule_id,
        "user_id": override.user_id,
        "user_name": user_name,
        "starts_at": override.starts_at,
        "ends_at": override.ends_at,
        "created_at": override.created_at,
        "created_by": override.created_by,
    }


def _schedules(rows: list[OnCallSchedule]) -> list[dict[str, Any]]:
    """As they are answered; ``able`` says who is not passed over everywhere."""
    members = {user_id for row in rows for user_id in row.members}
    named, able = people.names(members), people.able(members)
    return [
        {
            "id": row.id,
            "name": row.name,
            "timezone": row.timezone,
            "rotation": row.rotation,
            "handover_time": row.handover_time,
            "handover_weekday": row.handover_weekday,
            "starts_on": row.starts_on.isoformat(),
            "members": [
                {"user_id": key, "user_name": named.get(key), "able": key in able}
                for key in row.members
            ],
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
        for row in rows
    ]


def list_policies(asked: PolicyQuery) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A page of policies and its ``pagination``. One query."""
    query = select(EscalationPolicy).filter_by(tenant_id=required_tenant(), **asked.filters())
    rows, pagination = page_by_id(session(), query, EscalationPolicy.id, asked)
    return [policy_out(row) for row in rows], pagination


def find_policy(policy_id: int) -> dict[str, Any] | None:
    """One policy; None if there is none."""
    policy = session().get(EscalationPolicy, (required_tenant(), policy_id))
    return None if policy is None else policy_out(policy)


def policy_out(policy: EscalationPolicy) -> dict[str, Any]:
    """A policy as it is answered."""
    return {
        "id": policy.id,
        "name": policy.name,
        "position": policy.position,
        "min_severity": policy.min_severity,
        "site_ids": policy.site_ids,
        "alert_types": policy.alert_types,
        "active": policy.active,
        "steps": policy.steps,
        "repeats": policy.repeats,
        "created_at": policy.created_at,
        "updated_at": policy.updated_at,
    }


def list_escalations(
    asked: EscalationQuery,
    *,
    site_ids: Collection[int] | None,
    limit: int,
    after: Key | None,
) -> Page:
    """A page of escalations, the latest begun first. One query.

    ``site_ids``: the sites whoever asks is limited to, None for all.
    """
    query = _runs(_RUN, site_ids)
    if asked.state is not None:
        query = query.where(Run.state == asked.state)
    if asked.alert_id is not None:
        query = query.where(Run.alert_id == asked.alert_id)
    if site_ids is not None:
        query = query.where(Alert.site_id.in_(site_ids))
    query = newest_first(query, Run.begun_at, Run.id, limit=limit, after=after)
    rows = [dict(row) for row in session().execute(query).mappings()]
    return page_of(rows, "begun_at", limit=limit)


def escalation_of(alert_id: int, site_ids: Collection[int] | None = None) -> dict[str, Any] | None:
    """The latest escalation of an alert that is seen already; None where there was none."""
    query = _runs(_STANDING, site_ids).where(Run.alert_id == alert_id)
    query = query.order_by(Run.id.desc()).limit(1)
    row = session().execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def touches(site_ids: Collection[int] | None) -> ColumnElement[bool]:
    """Whether a policy is for any of these sites (None: all there are), or for every site."""
    if site_ids is None:
        return true()
    everywhere = func.cardinality(EscalationPolicy.site_ids) == 0
    theirs = literal(sorted(site_ids), ARRAY(BigInteger))
    return or_(everywhere, EscalationPolicy.site_ids.op("&&", return_type=Boolean)(theirs))


def _runs(columns: tuple[Any, ...], site_ids: Collection[int] | None) -> Select[Any]:
    return (
        select(*columns)
        .join(Alert, (Alert.tenant_id == Run.tenant_id) & (Alert.id == Run.alert_id))
        .outerjoin(Site, (Site.tenant_id == Run.tenant_id) & (Site.id == Alert.site_id))
        .outerjoin(
            EscalationPolicy,
            (EscalationPolicy.tenant_id == Run.tenant_id)
            & (EscalationPolicy.id == Run.policy_id)
            & touches(site_ids),
        )
        .outerjoin(
            _Answerer,
            (_Answerer.tenant_id == Run.tenant_id) & (_Answerer.id == Run.answered_by),
        )
        .where(Run.tenant_id == required_tenant())
    )

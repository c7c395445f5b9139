"""REST of on-call: schedules and their overrides, policies, and what became of alerts by them.

Schedules are the whole tenant's, and everybody may see whose turn it is. Policies name sites and
routes: they are for admins without a limit to some sites, as routes are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import ADMIN, OPERATE, VIEW
from noc.identity.guard import check, check_whole_tenant, require
from noc.identity.principal import Principal, required_principal
from noc.identity.words import BadField
from noc.oncall import duty, people, policies, queries, schedules, schemas
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found

bp = APIBlueprint("on_call", __name__, url_prefix=f"{API_PREFIX}/on-call")
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_SCHEDULE = "/schedules/<int:schedule_id>"
_POLICY = "/policies/<int:policy_id>"

LONGEST_PERIOD = dt.timedelta(days=92)
_USUAL_PERIOD = dt.timedelta(days=14)


@bp.get("/now/")
@bp.doc(security=_SECURITY)
@require(VIEW)
def show_now() -> Any:
    """Who is on call at this moment, by each schedule."""
    return success(duty.on_call_now(utcnow()))


@bp.get("/schedules/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.ScheduleQuery, location="query", arg_name="query")
def list_schedules(query: schemas.ScheduleQuery) -> Any:
    """Schedules with their members."""
    rows, pagination = queries.list_schedules(query)
    return success(rows, pagination=pagination)


@bp.post("/schedules/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.ScheduleIn, arg_name="body")
def create_schedule(body: schemas.ScheduleIn) -> Any:
    """Make a schedule."""
    check_whole_tenant()
    with _plain_refusals("schedule"):
        schedule_id = schedules.create(body, now=utcnow()).id
    session().commit()
    return success(_schedule(schedule_id)), 201


@bp.get(f"{_SCHEDULE}/")
@bp.doc(security=_SECURITY)
@require(VIEW)
def show_schedule(schedule_id: int) -> Any:
    """One schedule, with the overrides that are not over."""
    return success(_schedule(schedule_id))


@bp.put(f"{_SCHEDULE}/")
@bp.doc(
    description="All of it is given; without `starts_on` turns go on being counted from where "
    "they were.",
    security=_SECURITY,
)
@require(ADMIN)
@bp.input(schemas.ScheduleIn, arg_name="body")
def change_schedule(schedule_id: int, body: schemas.ScheduleIn) -> Any:
    """Change a schedule; its overrides stay."""
    check_whole_tenant()
    with _plain_refusals("schedule"):
        schedules.change(schedule_id, body, now=utcnow())
    session().commit()
    return success(_schedule(schedule_id))


@bp.delete(f"{_SCHEDULE}/")
@bp.doc(security=_SECURITY, responses={409: "A policy names it"})
@require(ADMIN)
def delete_schedule(schedule_id: int) -> Any:
    """Delete a schedule with its overrides."""
    check_whole_tenant()
    schedules.remove(schedule_id)
    session().commit()
    return success({"id": schedule_id, "deleted": True})


@bp.get(f"{_SCHEDULE}/shifts/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.ShiftQuery, location="query", arg_name="query")
def list_shifts(schedule_id: int, query: schemas.ShiftQuery) -> Any:
    """Who is on call when, overrides included; at most 92 days, the next 14 if none are named."""
    since = query.since or utcnow()
    until = query.until or since + _USUAL_PERIOD
    if not since < until <= since + LONGEST_PERIOD:
        reason = f"must be later than from, by at most {LONGEST_PERIOD.days} days"
        errors = [{"field": "until", "reason": reason}]
        raise Problem(422, "The period cannot be shown.", errors=errors)
    found = duty.shifts_of(schedule_id, since, until)
    if found is None:
        raise not_found("schedule")
    return success(found)


@bp.post(f"{_SCHEDULE}/overrides/")
@bp.doc(
    description="Operators take a time over themselves; whoever has `admin` and no limit to some "
    "sites gives it to anybody.",
    security=_SECURITY,
)
@require(OPERATE)
@bp.input(schemas.OverrideIn, arg_name="body")
def create_override(schedule_id: int, body: schemas.OverrideIn) -> Any:
    """Have somebody be on call in place of whose turn it is."""
    principal = required_principal()
    user_id = body.user_id or principal.user_id
    with _plain_refusals("override"):
        if user_id is None:
            raise BadField("user_id", "must be given: a token is nobody who can be on call")
        _check_theirs(principal, user_id)
        made = schedules.override(
            schedule_id, body, user_id=user_id, created_by=principal.user_id, now=utcnow()
        )
    answer = queries.override_out(made, people.names([user_id]).get(user_id))
    session().commit()
    return success(answer), 201


@bp.delete(f"{_SCHEDULE}/overrides/<int:override_id>/")
@bp.doc(security=_SECURITY)
@require(OPERATE)
def delete_override(schedule_id: int, override_id: int) -> Any:
    """Take an override away: one's own, or as an admin anybody's."""
    found = schedules.find_override(schedule_id, override_id)
    _check_theirs(required_principal(), found.user_id)
    schedules.remove_override(schedule_id, override_id)
    session().commit()
    return success({"id": override_id, "deleted": True})


@bp.get("/policies/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.PolicyQuery, location="query", arg_name="query")
def list_policies(query: schemas.PolicyQuery) -> Any:
    """Escalation policies."""
    check_whole_tenant()
    rows, pagination = queries.list_policies(query)
    return success(rows, pagination=pagination)


@bp.post("/policies/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.PolicyIn, arg_name="body")
def create_policy(body: schemas.PolicyIn) -> Any:
    """Make a policy, for alerts that open from now on."""
    check_whole_tenant()
    with _plain_refusals("policy"):
        answer = queries.policy_out(policies.create(body, now=utcnow()))
    session().commit()
    return success(answer), 201


@bp.get(f"{_POLICY}/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
def show_policy(policy_id: int) -> Any:
    """One policy."""
    check_whole_tenant()
    found = queries.find_policy(policy_id)
    if found is None:
        raise not_found("escalation policy")
    return success(found)


@bp.put(f"{_POLICY}/")
@bp.doc(description="All of it is given.", security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.PolicyIn, arg_name="body")
def change_policy(policy_id: int, body: schemas.PolicyIn) -> Any:
    """Change a policy, also for what is on its way through it."""
    check_whole_tenant()
    with _plain_refusals("policy"):
        answer = queries.policy_out(policies.change(policy_id, body, now=utcnow()))
    session().commit()
    return success(answer)


@bp.delete(f"{_POLICY}/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
def delete_policy(policy_id: int) -> Any:
    """Delete a policy; what is on its way through it ends."""
    check_whole_tenant()
    policies.remove(policy_id, now=utcnow())
    session().commit()
    return success({"id": policy_id, "deleted": True})


@bp.get(f"{_POLICY}/test/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.TrialQuery, location="query", arg_name="query")
def try_policy(policy_id: int, query: schemas.TrialQuery) -> Any:
    """Who would be told when, if such an alert opened now and nobody answered. Nobody is told."""
    check_whole_tenant()
    with _plain_refusals("alert"):
        return success(policies.trial(policy_id, query, now=utcnow()))


@bp.get("/escalations/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.EscalationQuery, location="query", arg_name="query")
def list_escalations(query: schemas.EscalationQuery) -> Any:
    """What is on its way through a policy, or was, the latest begun first."""
    limit = query.limit or DEFAULT_LIMIT
    page = queries.list_escalations(
        query, site_ids=required_principal().site_ids, limit=limit, after=cursor_key()
    )
    return success(page.items, pagination=page.pagination(limit))


def _check_theirs(principal: Principal, user_id: int) -> None:
    """403 unless it is whoever asks, or an admin of the whole tenant does."""
    if user_id != principal.user_id:
        check(ADMIN)
        check_whole_tenant()


def _schedule(schedule_id: int) -> dict[str, Any]:
    found = queries.find_schedule(schedule_id, now=utcnow())
    if found is None:
        raise not_found("schedule")
    return found


@contextmanager
def _plain_refusals(what: str) -> Iterator[None]:
    try:
        yield
    except BadField as error:
        errors = [{"field": error.field, "reason": str(error)}]
        raise Problem(422, f"The {what} was not accepted.", errors=errors) from error

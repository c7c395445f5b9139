"""REST of findings and baselines."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from noc.audit import findings, queries, reopening, schemas, tuning
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import ADMIN, OPERATE, VIEW
from noc.identity.guard import check_whole_tenant, require
from noc.identity.principal import required_principal
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found

bp = APIBlueprint("audit", __name__, url_prefix=API_PREFIX)
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.get("/findings/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.FindingQuery, location="query", arg_name="query")
def list_findings(query: schemas.FindingQuery) -> Any:
    """Findings of the audit, latest first, filtered by what they show."""
    limit = query.limit or DEFAULT_LIMIT
    page = queries.list_findings(
        query, site_ids=required_principal().site_ids, limit=limit, after=cursor_key()
    )
    return success(page.items, pagination=page.pagination(limit))


@bp.get("/findings/escalation-stats/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.StatsQuery, location="query", arg_name="query")
def escalation_stats(query: schemas.StatsQuery) -> Any:
    """What became of the findings: share with a ticket, false positives, time to acknowledge."""
    principal = required_principal()
    sites = principal.site_ids
    if query.site_id is not None:
        if not principal.sees_site(query.site_id):
            raise not_found("site")
        sites = frozenset({query.site_id})
    return success(queries.escalation_stats(query.days, now=utcnow(), site_ids=sites))


@bp.get("/findings/<int:finding_id>/")
@bp.doc(security=_SECURITY)
@require(VIEW)
def show_finding(finding_id: int) -> Any:
    """One finding with its evidence."""
    return success(_finding(finding_id))


@bp.post("/findings/<int:finding_id>/acknowledge/")
@bp.doc(security=_SECURITY, responses={409: "Resolved already"})
@require(OPERATE)
@bp.input(schemas.NothingIn, arg_name="body")
def acknowledge_finding(finding_id: int, body: schemas.NothingIn) -> Any:
    """Say that somebody has seen it."""
    findings.acknowledge(finding_id, **_who())
    session().commit()
    return success(_finding(finding_id))


@bp.post("/findings/<int:finding_id>/resolve/")
@bp.doc(
    description="A false positive resolves the alert it came from, too, and its ticket where no "
    "other finding keeps that open.",
    security=_SECURITY,
    responses={409: "Resolved with another resolution"},
)
@require(OPERATE)
@bp.input(schemas.ResolveIn, arg_name="body")
def resolve_finding(finding_id: int, body: schemas.ResolveIn) -> Any:
    """Say how it ended."""
    findings.resolve(finding_id, body.resolution, note=body.note, **_who())
    session().commit()
    return success(_finding(finding_id))


@bp.post("/findings/<int:finding_id>/reopen/")
@bp.doc(
    description="Acknowledged where somebody had seen it, else new. One that was a false positive "
    "takes its alert along, and its ticket, where these were resolved as that too. `reopened` of "
    "the finding lists what was taken back, by whom and why.",
    security=_SECURITY,
    responses={
        409: "It closed itself, or another of the same is open: `open_finding_id`, null for none"
    },
)
@require(OPERATE)
@bp.input(schemas.ReopenIn, arg_name="body")
def reopen_finding(finding_id: int, body: schemas.ReopenIn) -> Any:
    """Take it up again: it is not over. `taken_back` lists what was opened with it."""
    back = reopening.reopen(finding_id, note=body.note, exact=body.exact, **_who())
    session().commit()
    return success(_finding(finding_id) | {"taken_back": back})


@bp.get("/baselines/")
@bp.doc(security=_SECURITY)
@require(VIEW)
@bp.input(schemas.BaselineQuery, location="query", arg_name="query")
def list_baselines(query: schemas.BaselineQuery) -> Any:
    """What is usual: by site, metric, level and slot."""
    rows, pagination = queries.list_baselines(query, site_ids=required_principal().site_ids)
    return success(rows, pagination=pagination)


@bp.get("/baselines/<int:baseline_id>/")
@bp.doc(security=_SECURITY)
@require(VIEW)
def show_baseline(baseline_id: int) -> Any:
    """One baseline with every change of its threshold."""
    return success(_baseline(baseline_id))


@bp.post("/baselines/<int:baseline_id>/pin/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.PinIn, arg_name="body")
def pin_baseline(baseline_id: int, body: schemas.PinIn) -> Any:
    """Hold the threshold, whatever the weekly tuning says; null lets the rule hold again."""
    user_id = check_whole_tenant().user_id
    tuning.pin(baseline_id, body.threshold, user_id=user_id, reason=body.reason, now=utcnow())
    session().commit()
    return success(_baseline(baseline_id))


@bp.post("/baselines/<int:baseline_id>/reset/")
@bp.doc(security=_SECURITY)
@require(ADMIN)
@bp.input(schemas.ResetIn, arg_name="body")
def reset_baseline(baseline_id: int, body: schemas.ResetIn) -> Any:
    """Forget what it learned: for a site whose ways have changed."""
    user_id = check_whole_tenant().user_id
    tuning.reset(baseline_id, user_id=user_id, reason=body.reason, now=utcnow())
    session().commit()
    return success(_baseline(baseline_id))


def _who() -> dict[str, Any]:
    principal = required_principal()
    return {"user_id": principal.user_id, "site_ids": principal.site_ids, "now": utcnow()}


def _finding(finding_id: int) -> dict[str, Any]:
    return _seen(queries.find_finding(finding_id, **_sight()), "finding")


def _baseline(baseline_id: int) -> dict[str, Any]:
    return _seen(queries.find_baseline(baseline_id, **_sight()), "baseline")


def _sight() -> dict[str, Any]:
    return {"site_ids": required_principal().site_ids}


def _seen(found: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if found is None:
        problem: Problem = not_found(what)
        raise problem
    return found

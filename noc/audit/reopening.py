"""Resolved findings taken up again: one word less for all that it was said of.

The finding keeps what was taken back in its evidence, under :data:`KEPT`: when, by whom and why,
and how it had been resolved by whom.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from noc.alerts.models import Alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.audit.bulk import MOST, Outcome
from noc.audit.findings import announce
from noc.audit.links import FALSE_POSITIVE
from noc.audit.models import Finding
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.rest.problems import Problem, not_found
from noc.tickets.models import Ticket
from noc.tickets.workflow import transition

KEPT = "reopened"
"""The key of a finding's evidence below which it is listed what was taken back; the statements

here and in ``noc.audit.story_sql`` spell it out.
"""

_UNKNOWN = "There is no such finding."
_OVER = "It closed itself: what it said is no longer so."
_ANOTHER = "Another finding of the same is open: go on with that one."

# Locked in the order of their ids, as noc.audit.bulk does; the condition decides who comes first.
# What closed itself is over: should it be so again, the audit finds it anew.
_REOPEN = text(
    """
    WITH wanted AS MATERIALIZED (
        SELECT id FROM audit_finding
        WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS bigint[]))
          AND status = 'RESOLVED' AND resolution <> 'EXPIRED'
          AND (CAST(:sites AS bigint[]) IS NULL OR site_id = ANY(CAST(:sites AS bigint[])))
        ORDER BY id
        FOR NO KEY UPDATE
    )
    UPDATE audit_finding f SET
        status = CASE WHEN f.acknowledged_at IS NULL THEN 'NEW' ELSE 'ACKNOWLEDGED' END,
        resolution = NULL, resolution_note = NULL, resolved_at = NULL, resolved_by = NULL,
        evidence = jsonb_set(f.evidence, '{reopened}',
            coalesce(f.evidence -> 'reopened', '[]') || jsonb_build_object(
                'at', CAST(:now AS timestamptz), 'user_id', CAST(:user AS bigint),
                'note', CAST(:note AS text),
                'resolution', f.resolution, 'resolution_note', f.resolution_note,
                'resolved_at', f.resolved_at, 'resolved_by', f.resolved_by))
    FROM wanted w
    WHERE f.tenant_id = :tenant AND f.id = w.id AND f.status = 'RESOLVED'
    RETURNING f.id
    """
)


def reopen(
    finding_id: int,
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> None:
    """Take a resolved finding up again, as :func:`reopen_many` does; one that is open stays so.

    404; 409 where it closed itself, or where another of the same is open.
    """
    outcome = reopen_many([finding_id], note=note, user_id=user_id, now=now, site_ids=site_ids)
    if finding_id not in outcome.states:
        raise not_found("finding")
    if finding_id in outcome.left:
        raise Problem(409, outcome.left[finding_id])


def reopen_many(
    finding_ids: Collection[int],
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Outcome:
    """Take resolved findings up again: acknowledged where somebody had seen them, else new.

    One that was a false positive takes its alert along, and its ticket, where these were resolved
    as that too and can be open again. What closed itself is left, and what another finding says
    by now. Reopening twice is reopening once. The caller commits.
    """
    wanted = sorted(set(finding_ids))
    if len(wanted) > MOST:
        raise Problem(422, f"At most {MOST} findings are changed at once.")
    asked = {
        "tenant": required_tenant(),
        "sites": None if site_ids is None else sorted(site_ids),
        "now": now,
        "user": user_id,
        "note": note,
    }
    changed = _reopened(wanted, asked)
    outcome = Outcome(changed=changed)
    found = _seen(wanted, site_ids)
    for key in wanted:
        finding = found.get(key)
        if finding is None:
            outcome.left[key] = _UNKNOWN
            continue
        outcome.states[key] = finding.status
        if finding.status == "RESOLVED":
            outcome.left[key] = _OVER if finding.resolution == "EXPIRED" else _ANOTHER
    reopened = [found[key] for key in changed]
    for finding in reopened:
        announce("finding_updated", finding)
    _take_along(reopened, user_id, now)
    return outcome


def told(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was taken back of a finding, oldest first, with the names of who did what. One query

    where there is any.
    """
    kept: Sequence[dict[str, Any]] = evidence.get(KEPT, ())
    keys = {key for one in kept for key in (one["user_id"], one["resolved_by"]) if key}
    if not keys:
        return [one | {"user_name": None, "resolved_by_name": None} for one in kept]
    rows = session().execute(
        select(User.id, User.name).where(User.tenant_id == required_tenant(), User.id.in_(keys))
    )
    names = {row.id: row.name for row in rows}
    return [
        one
        | {
            "user_name": names.get(one["user_id"]),
            "resolved_by_name": names.get(one["resolved_by"]),
        }
        for one in kept
    ]


def _reopened(finding_ids: Sequence[int], asked: dict[str, Any]) -> list[int]:
    """Those that were reopened. All at once; one by one where another of the same is open."""
    try:
        with session().begin_nested():
            return sorted(session().scalars(_REOPEN, asked | {"ids": list(finding_ids)}))
    except IntegrityError:
        # The unique key of self-closing findings: it cannot say of which of them.
        if len(finding_ids) == 1:
            return []
    return [key for one in finding_ids for key in _reopened([one], asked)]


def _seen(finding_ids: Sequence[int], site_ids: Collection[int] | None) -> dict[int, Finding]:
    query = select(Finding).where(
        Finding.tenant_id == required_tenant(), Finding.id.in_(finding_ids)
    )
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    rows = session().scalars(query.execution_options(populate_existing=True))
    return {finding.id: finding for finding in rows}


def _take_along(findings: Sequence[Finding], user_id: int | None, now: dt.datetime) -> None:
    """Open the alerts and tickets of what is no longer a false positive, in their order."""
    tenant = required_tenant()
    false = [one for one in findings if one.evidence[KEPT][-1]["resolution"] == FALSE_POSITIVE]
    alerts = (
        session()
        .scalars(
            select(Alert.id)
            .where(
                Alert.tenant_id == tenant,
                Alert.id.in_({one.alert_id for one in false if one.alert_id}),
                Alert.status == "RESOLVED",
                Alert.resolution == FALSE_POSITIVE,
            )
            .order_by(Alert.id)
        )
        .all()
    )
    note = "What it was about is no false positive by now."
    # Where another alert of the same is open, that one goes on: no reason to refuse the finding.
    take(Step("reopen", now, user_id, note), alerts)
    tickets = (
        session()
        .scalars(
            select(Ticket.id)
            .where(
                Ticket.tenant_id == tenant,
                Ticket.id.in_(
                    {one.escalation_ticket_id for one in false if one.escalation_ticket_id}
                ),
                Ticket.status == "RESOLVED",
                Ticket.resolution == FALSE_POSITIVE,
            )
            .order_by(Ticket.id)
        )
        .all()
    )
    for ticket_id in tickets:
        _open_ticket(ticket_id, note, user_id, now)


def _open_ticket(ticket_id: int, note: str, user_id: int | None, now: dt.datetime) -> None:
    try:
        with session().begin_nested():
            transition(ticket_id, "IN_PROGRESS", user_id=user_id, now=now, comment=note)
    except Problem:
        # Another ticket of the same is open, or somebody has just closed this one.
        return

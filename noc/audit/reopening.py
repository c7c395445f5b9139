"""Resolved findings taken up again: one word less for all that it was said of.

The finding keeps what was taken back in its evidence, under :data:`KEPT`: when, by whom and why,
and how it had been resolved by whom.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from noc.aftermath import joined
from noc.audit import withdrawing
from noc.audit.bulk import MOST, Outcome
from noc.audit.models import Finding
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.rest.problems import Problem, not_found

KEPT = "reopened"
"""The key of a finding's evidence below which it is listed what was taken back; the statements

``noc.audit.withdrawing`` and ``noc.audit.story_sql`` spell it out.
"""

_UNKNOWN = "There is no such finding."
_OVER = "It closed itself: what it said is no longer so."
_NO_MORE = "What it was about is no false positive by now."
_ANOTHER = "Another finding of the same is open: go on with that one."


def reopen(
    finding_id: int,
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    exact: bool = False,
) -> dict[str, Any]:
    """Take a resolved finding up again, as :func:`reopen_many` does; one that is open stays so.

    What was taken back with it. 404; 409 where it closed itself, or where another of the same is
    open, which ``open_finding_id`` names, None where there is none.
    """
    outcome = reopen_many(
        [finding_id], note=note, user_id=user_id, now=now, site_ids=site_ids, exact=exact
    )
    if finding_id not in outcome.states:
        raise not_found("finding")
    if finding_id in outcome.left:
        raise Problem(
            409,
            outcome.left[finding_id],
            open_finding_id=open_of_the_same(finding_id, site_ids=site_ids),
        )
    return outcome.taken_back


def reopen_many(
    finding_ids: Collection[int],
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    exact: bool = False,
) -> Outcome:
    """Take resolved findings up again: acknowledged where somebody had seen them, else new.

    One that was a false positive takes its alert along, and its ticket, where these were resolved
    as that too and can be open again; and all else that ended because of it
    (:mod:`noc.aftermath`, ``taken_back`` of the outcome). ``exact``: alerts and tickets are as if
    it had never been resolved, which is what undoing is; else they are taken up again, too. What
    closed itself is left, and what another finding says by now. Reopening twice is reopening once.
    The caller commits, and rolls back after a problem.
    """
    wanted = sorted(set(finding_ids))
    if len(wanted) > MOST:
        raise Problem(422, f"At most {MOST} findings are changed at once.")
    found = _seen(wanted, site_ids)
    over = [one for one in found.values() if one.status == "RESOLVED"]
    plan = withdrawing.kept([one for one in over if one.resolution != "EXPIRED"])
    # Where another alert of the same is open, that one goes on: no reason to refuse the finding.
    back = withdrawing.carry_out(
        plan, exact=exact, user_id=user_id, now=now, why=_NO_MORE, note=note
    )
    found = _seen(wanted, site_ids)
    outcome = Outcome()
    for key in wanted:
        finding = found.get(key)
        if finding is None:
            outcome.left[key] = _UNKNOWN
            continue
        outcome.states[key] = finding.status
        if finding.status == "RESOLVED":
            outcome.left[key] = _OVER if finding.resolution == "EXPIRED" else _ANOTHER
            _check_alone(finding, back["alerts"])
    outcome.changed = [key for key in back["findings"] if key in found]
    others = [key for key in back["findings"] if key not in found]
    outcome.taken_back = joined([back | {"findings": others}])
    return outcome


def open_of_the_same(finding_id: int, *, site_ids: Collection[int] | None = None) -> int | None:
    """The open finding that says the same of the same guard or site as this one; the latest.

    What closed itself is over for good: where it is so again, this is what says so. One query.
    """
    this = aliased(Finding)
    query = (
        select(Finding.id)
        .join(
            this,
            (this.tenant_id == Finding.tenant_id)
            & (this.subject == Finding.subject)
            & (this.finding_type == Finding.finding_type)
            & (this.id != Finding.id),
        )
        .where(
            Finding.tenant_id == required_tenant(),
            Finding.status != "RESOLVED",
            this.id == finding_id,
        )
    )
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    return session().scalar(query.order_by(Finding.detected_at.desc(), Finding.id.desc()).limit(1))


def _check_alone(finding: Finding, alerts: Collection[int]) -> None:
    """409 where the finding's alert was opened, but it could not be: somebody was quicker."""
    if finding.alert_id in alerts:
        raise Problem(409, "Another finding of the same was opened at the same moment: try again.")


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


def _seen(finding_ids: Sequence[int], site_ids: Collection[int] | None) -> dict[int, Finding]:
    query = select(Finding).where(
        Finding.tenant_id == required_tenant(), Finding.id.in_(finding_ids)
    )
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    rows = session().scalars(query.execution_options(populate_existing=True))
    return {finding.id: finding for finding in rows}

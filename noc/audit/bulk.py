"""Several findings at once: acknowledged or resolved together, with one lock for all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from noc.audit.findings import announce, mark_resolved, tell_resolved
from noc.audit.models import RESOLUTIONS, Finding
from noc.audit.together import FALSE_POSITIVE, hold
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.problems import Problem

MOST = 500
"""At once; more is work for a rule, not for a person."""


@dataclass(slots=True)
class Outcome:
    """The findings as they are now by id; ``changed`` by this, ``left`` with the reason why not.

    ``taken_back``: what was opened with them (:mod:`noc.aftermath`).
    """

    states: dict[int, str] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)
    taken_back: dict[str, Any] = field(default_factory=dict)


def acknowledge_many(
    finding_ids: Collection[int],
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Outcome:
    """Somebody has seen them. What is acknowledged already stays so, what is resolved too.

    The caller commits.
    """
    outcome = Outcome()
    for finding in _locked(finding_ids, site_ids, outcome):
        if finding.status == "RESOLVED":
            outcome.left[finding.id] = "It is resolved already."
        elif finding.status == "NEW":
            finding.status = "ACKNOWLEDGED"
            finding.acknowledged_at, finding.acknowledged_by = now, user_id
            outcome.changed.append(finding.id)
        outcome.states[finding.id] = finding.status
    return _told(outcome, "finding_updated", now)


def resolve_many(
    finding_ids: Collection[int],
    resolution: str,
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Outcome:
    """Say how they ended, each as :func:`noc.audit.findings.resolve` does.

    What was resolved otherwise is left as it is. 422 for an unknown resolution. The caller
    commits.
    """
    if resolution not in RESOLUTIONS:
        raise Problem(422, f"The outcome must be one of {', '.join(RESOLUTIONS)}.")
    outcome = Outcome()
    if resolution == FALSE_POSITIVE and len(finding_ids) <= MOST:
        hold(findings=finding_ids)
    for finding in _locked(finding_ids, site_ids, outcome):
        if finding.status == "RESOLVED":
            if finding.resolution != resolution:
                outcome.left[finding.id] = "It was resolved with another outcome already."
        else:
            mark_resolved(finding, resolution, note, user_id=user_id, now=now)
            outcome.changed.append(finding.id)
        outcome.states[finding.id] = finding.status
    return _told(outcome, "resolved", now)


def _locked(
    finding_ids: Collection[int], site_ids: Collection[int] | None, outcome: Outcome
) -> list[Finding]:
    """The findings that are to be seen, locked in the order of their ids; others are left."""
    wanted = sorted(set(finding_ids))
    if len(wanted) > MOST:
        raise Problem(422, f"At most {MOST} findings are changed at once.")
    query = select(Finding).where(Finding.tenant_id == required_tenant(), Finding.id.in_(wanted))
    if site_ids is not None:
        query = query.where(Finding.site_id.in_(site_ids))
    found = list(
        session().scalars(
            query.order_by(Finding.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )
    seen = {finding.id for finding in found}
    outcome.left.update({key: "There is no such finding." for key in wanted if key not in seen})
    return found


def _told(outcome: Outcome, what: str, now: dt.datetime) -> Outcome:
    session().flush()
    tenant = required_tenant()
    for key in outcome.changed:
        finding = session().get_one(Finding, (tenant, key))
        if what == "resolved":
            tell_resolved(finding, now)
        else:
            announce(what, finding)
    return outcome

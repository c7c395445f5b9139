"""What the review page reads: the queue, one punch with its evidence, and what was done."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from noc.fraud import hearing
from noc.fraud.review import holds
from noc.fraud.review.predictions import find_prediction
from noc.fraud.review.progress import progress
from noc.fraud.review.queue import operating_threshold, review_queue
from noc.fraud.review.surroundings import surroundings
from noc.identity.principal import required_principal

DAYS = 14
"""How far back the queue reaches."""

PAGE = 25
"""Punches that the page takes from the queue at once."""


def waiting(site_id: int | None, now: dt.datetime) -> dict[str, Any]:
    """The next punches and how many wait; Problem 404 for a site that is not to be seen."""
    principal = required_principal()
    return review_queue(
        tenant_id=principal.tenant_id,
        now=now,
        limit=PAGE,
        site_ids=principal.site_ids,
        site_id=site_id,
        days=DAYS,
    )


def done(now: dt.datetime) -> dict[str, Any]:
    """Verdicts of today against the budget, and the reader's last five."""
    principal = required_principal()
    return progress(
        tenant_id=principal.tenant_id,
        user_id=principal.user_id,
        now=now,
        site_ids=principal.site_ids,
    )


def prediction(prediction_id: uuid.UUID) -> dict[str, Any] | None:
    """The score with its reasons and its label; None where it is not to be seen. One query."""
    principal = required_principal()
    return find_prediction(
        prediction_id,
        tenant_id=principal.tenant_id,
        site_ids=principal.site_ids,
        explained=False,
    )


def evidence(punch_id: int) -> dict[str, Any] | None:
    """What happened around the punch, with what was written about it as ``said``."""
    principal = required_principal()
    scope: dict[str, Any] = {"tenant_id": principal.tenant_id, "site_ids": principal.site_ids}
    around = surroundings(punch_id, **scope)
    return around and around | {"said": hearing.said_about(punch_id, **scope)}


def threshold() -> float:
    """From which score whoever scores says fraud."""
    return operating_threshold(required_principal().tenant_id)


def hold(prediction_id: uuid.UUID) -> str | None:
    """Keep the punch for the reader; the name of whoever else has it, None where they got it."""
    reviewer = _reviewer()
    if reviewer is None:
        return None
    return holds.hold(prediction_id, reviewer, tenant_id=required_principal().tenant_id)


def let_go(prediction_id: uuid.UUID) -> None:
    """The reader is done with the punch."""
    reviewer = _reviewer()
    if reviewer is not None:
        holds.let_go(prediction_id, reviewer, tenant_id=required_principal().tenant_id)


def _reviewer() -> holds.Reviewer | None:
    principal = required_principal()
    if principal.user_id is None:
        return None
    return holds.Reviewer(principal.user_id, principal.name)

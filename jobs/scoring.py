"""Scoring of punches that were stored: batch by batch, each in a transaction of its own."""

from __future__ import annotations

import time

from jobs.stopping import stop_requested
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.fraud.listening import request_scoring, scoring_begins
from noc.fraud.scoring import BATCH, claim, score_locked

BUDGET_SECONDS = 60.0
"""A job ends after so long and asks for another, so that tenants take turns."""


def score_tenant(tenant_id: int) -> int:
    """Score the tenant's punches that never were; how many.

    Killed half-way, the batch rolls back and its punches stay unscored for the next run.
    """
    scoring_begins(tenant_id)
    deadline = time.monotonic() + BUDGET_SECONDS
    done = 0
    with tenant_context(session(), tenant_id):
        while True:
            now = utcnow()
            punches = claim(tenant_id=tenant_id, now=now, limit=BATCH)
            done += score_locked(punches, tenant_id=tenant_id, now=now)
            session().commit()
            if len(punches) < BATCH:
                return done
            if stop_requested() or time.monotonic() > deadline:
                request_scoring(tenant_id)
                return done

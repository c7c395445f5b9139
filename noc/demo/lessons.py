"""The model's past: trained once a week on what the simulated reviewers had said by then.

Through the product's own runs, at the simulated moment, and judged by its own gate. In one company
an administrator trusts the first model after it has watched for a week, whatever the gate said;
in the others the models watch.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from noc.demo.storing import Ids
from noc.extensions import session
from noc.fraud.registry import activation
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining import runs
from noc.fraud.watching import drift
from noc.identity.models import User

WEEKS_AGO = (2, 1, 0)
"""A training this many weeks before the end of the history: the newest at its very end."""

TRUSTING = "sentinel"
"""The company whose administrator activates a model by hand."""

_WEEK = dt.timedelta(days=7)


class Lessons:
    """The trainings of one company, each at its time."""

    def __init__(self, slug: str, ids: Ids, now: dt.datetime) -> None:
        """Nothing is trained yet; ``now`` ends the history."""
        self._trusting = slug == TRUSTING
        self._ids = ids
        self._due = [now - weeks * _WEEK for weeks in WEEKS_AGO]

    def work(self, *, until: dt.datetime) -> None:
        """Train where a training was due by ``until``. Commits."""
        while self._due and self._due[0] <= until:
            self._lesson(self._due.pop(0))

    def _lesson(self, at: dt.datetime) -> None:
        tenant_id = self._ids.tenant_id
        watching = session().scalar(
            select(FraudModel.id)
            .where(FraudModel.tenant_id == tenant_id, FraudModel.status == "shadow")
            .order_by(FraudModel.created_at.desc())
        )
        active = session().scalar(
            select(FraudModel.id).where(FraudModel.tenant_id == tenant_id, FraudModel.is_active)
        )
        if self._trusting and watching is not None and active is None:
            admin = session().get_one(User, (tenant_id, self._ids.users["admin"]))
            note = "It found more than the rules in the week it watched."
            activation.activate(watching, tenant_id=tenant_id, now=at, note=note, by=admin.name)
        session().commit()
        drift.watch(tenant_id=tenant_id, now=at)
        session().commit()
        run, _ = runs.ask(tenant_id=tenant_id, trigger="demo", now=at, queued=False)
        session().commit()
        runs.carry_out(run.id, tenant_id=tenant_id, now=at, clock=lambda: at)

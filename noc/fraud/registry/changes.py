"""What happens to a version: in one order, and written down with who wanted it and why."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from sqlalchemy import select

from noc.extensions import session
from noc.fraud.registry.models import FraudModel, ModelChange

Change = Literal["registered", "activated", "taken_back", "retired"]


def lock(tenant_id: int) -> None:
    """Lock the tenant's versions until the end of the transaction, in the one order there is.

    Whoever changes which model is active does this first: two at once take turns, and a partial
    unique index stands behind that.
    """
    session().execute(
        select(FraudModel.id)
        .where(FraudModel.tenant_id == tenant_id)
        .order_by(FraudModel.id)
        .with_for_update()
    ).all()


def record(
    model: FraudModel,
    change: Change,
    *,
    now: dt.datetime,
    note: str | None,
    by: str | None = None,
) -> None:
    """Write it down. ``by`` names the person or token, None for the product itself."""
    session().add(
        ModelChange(
            tenant_id=model.tenant_id,
            model_id=model.id,
            change=change,
            changed_at=now,
            changed_by=by,
            note=note,
        )
    )


def retired(
    model: FraudModel,
    *,
    now: dt.datetime,
    note: str,
    change: Change = "retired",
    by: str | None = None,
) -> None:
    """It neither scores nor watches any more."""
    model.status, model.is_active = "retired", False
    model.retired_at, model.note = now, note
    record(model, change, now=now, note=note, by=by)

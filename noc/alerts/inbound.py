"""Reports as monitors send them: checked one by one, stored together, answered one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from noc.alerts.process import AlertInput, ProcessedAlert, UnknownReference, process_known
from noc.alerts.schemas import REPORTS, AlertIn
from noc.extensions import settings
from noc.rest.batches import BatchResult, Rejection, check_items, outcome
from noc.rest.quantities import clock


def store_reports(items: Sequence[Any], *, now: dt.datetime) -> BatchResult:
    """Store the reports (JSON values) that can be stored; say of each what came of it.

    ``stored`` opened an alert, ``duplicate`` added to the open one of its key, ``rejected`` has
    a field and a reason. Statements do not grow with the batch.
    """
    good, rejected = check_items(REPORTS, items)
    believed = clock(settings(), now, limits=True)
    alerts: list[AlertInput] = []
    places: list[int] = []
    for index, report in good:
        alert = _alert(report, now)
        reason = believed.refusal(alert.occurred_at)
        if reason:
            rejected.append(Rejection(index=index, field="occurred_at", reason=reason))
        else:
            alerts.append(alert)
            places.append(index)
    outcomes: dict[int, dict[str, Any]] = {}
    for index, processed in zip(places, process_known(alerts, now=now), strict=True):
        if isinstance(processed, UnknownReference):
            rejected.append(Rejection(index=index, field=processed.field, reason=processed.reason))
        else:
            outcomes[index] = _outcome(processed)
    return outcome(len(items), outcomes, rejected)


def _alert(report: AlertIn, now: dt.datetime) -> AlertInput:
    fields = report.model_dump(exclude={"occurred_at"})
    return AlertInput(occurred_at=report.occurred_at or now, **fields)


def _outcome(processed: ProcessedAlert) -> dict[str, Any]:
    return {"id": processed.id, "status": "stored" if processed.created else "duplicate"}

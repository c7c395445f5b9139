"""Many verdicts in one request, answered item by item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from noc.fraud.review.labelling import Refused, label
from noc.fraud.review.schemas import ITEMS
from noc.identity.principal import Principal
from noc.rest.batches import check_items


def label_batch(items: Sequence[Any], *, principal: Principal, now: dt.datetime) -> dict[str, Any]:
    """Take verdicts as they were sent; what is wrong with one never loses another.

    ``items`` has one entry an item, in order: ``index``, ``prediction_id`` (None where it could
    not be read) and ``status``: ``labelled``, ``unchanged``, ``inconclusive`` or ``rejected``;
    ``rejected`` says of these which field, and why. The caller commits.
    """
    good, rejected = check_items(ITEMS, items)
    outcomes = label(
        [item.said(item.prediction_id) for _, item in good],
        tenant_id=principal.tenant_id,
        user_id=principal.user_id,
        token=principal.name if principal.user_id is None else None,
        site_ids=principal.site_ids,
        now=now,
    )
    told = [
        {"index": index, "prediction_id": None, "status": "rejected"} for index in range(len(items))
    ]
    for (index, item), outcome in zip(good, outcomes, strict=True):
        told[index]["prediction_id"] = str(item.prediction_id)
        if isinstance(outcome, Refused):
            rejected.append({"index": index, "field": _field(outcome), "reason": str(outcome)})
        else:
            told[index]["status"] = outcome
    statuses = [item["status"] for item in told]
    return {
        "labelled": statuses.count("labelled"),
        "unchanged": statuses.count("unchanged"),
        "inconclusive": statuses.count("inconclusive"),
        "rejected": sorted(rejected, key=lambda one: one["index"]),
        "items": told,
    }


def _field(refused: Refused) -> str:
    return "expected" if refused.stale else "prediction_id"

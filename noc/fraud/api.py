"""REST of fraud: scores as they come, a person's, by site and hour, and how well it all does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Literal

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, ConfigDict, Field

from noc.fraud import reports
from noc.fraud.answers import kept
from noc.fraud.heatmap import heatmap
from noc.fraud.performance import performance
from noc.identity.capabilities import FRAUD_VIEW
from noc.identity.guard import require
from noc.identity.principal import Principal
from noc.identity.tenant_settings import tenant_settings
from noc.rest.by_id import QueryId
from noc.rest.envelope import encode_cursor, page_limit, success
from noc.rest.keyset import cursor_key
from noc.rest.openapi import API_PREFIX, describe

bp = APIBlueprint("fraud", __name__, url_prefix=API_PREFIX)

Days = Annotated[int, Field(ge=1, le=180, description="How many days back.")]


class _Query(BaseModel):
    """What every fraud answer understands."""

    model_config = ConfigDict(extra="forbid")

    fresh: bool = Field(False, description="Compute anew instead of taking a kept answer.")


class LiveQuery(_Query):
    """Parameters of the latest scores."""

    min_score: float = Field(0.5, ge=0, le=1)
    hours: float = Field(24, gt=0, le=24 * 31)
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = None


class HistoryQuery(_Query):
    """Parameters of a person's history."""

    days: Days = 30


class HeatmapQuery(_Query):
    """Parameters of the heatmap. ``threshold`` is the score from which a punch counts as high."""

    days: Days = 30
    site_id: QueryId | None = None
    threshold: float = Field(0.5, ge=0, le=1)
    by: Literal["hour", "day"] = Field(
        "hour", description="Cells: hours of the week, or calendar days."
    )
    clock: Literal["site", "company"] = Field(
        "site", description="Whose clock: each site's own, or that of most of the sites."
    )


class PerformanceQuery(_Query):
    """Parameters of the performance answer."""

    days: Days = 180


@bp.get("/security/fraud-scores/live/")
@bp.doc(security=["bearer", "session"], summary="The latest scores from min_score on")
@require(FRAUD_VIEW)
@describe(query=LiveQuery)
def live_scores() -> Any:
    """Punches of the last hours with a score of at least ``min_score``, latest first."""
    query = LiveQuery.model_validate(request.args.to_dict())
    limit, before = page_limit(), cursor_key()

    def compute(principal: Principal, now: dt.datetime) -> list[dict[str, Any]]:
        return reports.live(
            query.min_score,
            tenant_id=principal.tenant_id,
            now=now,
            hours=query.hours,
            limit=limit + 1,
            before=before,
            site_ids=principal.site_ids,
        )

    rows, was_cached = _answer("live", query, compute)
    more = len(rows) > limit
    rows = rows[:limit]
    last = rows[-1] if more else None
    next_cursor = encode_cursor(last["occurred_at"], last["punch_id"]) if last else None
    pagination = {"next_cursor": next_cursor, "limit": limit}
    return success(rows, cached=was_cached, pagination=pagination)


@bp.get("/security/fraud-scores/history/<int:person_id>/")
@bp.doc(security=["bearer", "session"], summary="A person's scores, reasons and habits")
@require(FRAUD_VIEW)
@describe(query=HistoryQuery)
def score_history(person_id: int) -> Any:
    """A person's scores with their reasons, latest first, beside their habits of 90 days."""
    query = HistoryQuery.model_validate(request.args.to_dict())

    def compute(principal: Principal, now: dt.datetime) -> dict[str, Any]:
        return reports.history(
            person_id,
            query.days,
            tenant_id=principal.tenant_id,
            now=now,
            site_ids=principal.site_ids,
        )

    data, was_cached = _answer(f"history:{person_id}", query, compute)
    return success(data, cached=was_cached)


@bp.get("/security/fraud-scores/heatmap/")
@bp.doc(security=["bearer", "session"], summary="Scores by site and hour of the week or day")
@require(FRAUD_VIEW)
@describe(query=HeatmapQuery)
def score_heatmap() -> Any:
    """Punches, scores, and what was reviewed and confirmed, by site and hour of week or day."""
    query = HeatmapQuery.model_validate(request.args.to_dict())

    def compute(principal: Principal, now: dt.datetime) -> dict[str, Any]:
        return heatmap(
            query.days,
            query.site_id,
            tenant_id=principal.tenant_id,
            now=now,
            by=query.by,
            clock=query.clock,
            threshold=query.threshold,
            site_ids=principal.site_ids,
        )

    data, was_cached = _answer("heatmap", query, compute)
    return success(data, cached=was_cached)


@bp.get("/security/ml-models/performance/")
@bp.doc(
    security=["bearer", "session"],
    summary="How well detection does, as far as reviewed",
    description="Whoever is limited to some sites is told of those: `models` and `evaluations` "
    "are of the whole company and empty then, and `active_model` has version and type only. "
    "`rules.precision` is of every reviewed anomaly, those a model raised included; `recall` is "
    "null: `security/what-if/` estimates it from random audits.",
)
@require(FRAUD_VIEW)
@describe(query=PerformanceQuery)
def model_performance() -> Any:
    """Labels so far, precision among what was reviewed, and the models there are."""
    query = PerformanceQuery.model_validate(request.args.to_dict())
    config = tenant_settings()

    def compute(principal: Principal, now: dt.datetime) -> dict[str, Any]:
        return performance(
            tenant_id=principal.tenant_id,
            now=now,
            config=config,
            days=query.days,
            site_ids=principal.site_ids,
        )

    data, was_cached = _answer("performance", query, compute)
    return success(data, cached=was_cached)


def _answer(
    name: str, query: _Query, compute: Callable[[Principal, dt.datetime], Any]
) -> tuple[Any, bool]:
    """The answer, kept for FRAUD_CACHE_TTL and at most ten seconds behind the newest score."""
    asked = query.model_dump_json(exclude={"fresh"})
    return kept(name, asked, compute, fresh=query.fresh)

"""REST of what-if and of backtests."""

from __future__ import annotations

import uuid
from hashlib import sha256
from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import redis_client, session
from noc.fraud.freshness import generation
from noc.fraud.watching import backtests, evaluations, schemas
from noc.fraud.watching.whatif import what_if
from noc.identity.capabilities import FRAUD_REVIEW
from noc.identity.guard import check_whole_tenant, require
from noc.identity.principal import required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.rest.body import allow_empty_body
from noc.rest.cache import cached
from noc.rest.envelope import DEFAULT_LIMIT, encode_cursor, success
from noc.rest.keyset import uuid_cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found

bp = APIBlueprint("watching", __name__, url_prefix=f"{API_PREFIX}/security")
bp.before_request(allow_empty_body)

_BACKTEST_SECONDS = 5
"""So long a large backtest takes; whoever finds one under way is told to wait it out."""

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]


@bp.get("/what-if/")
@bp.doc(
    description="Give either a threshold or a budget. `asked`, `in_force` and each point of "
    "`curve` have the same fields; `recall_basis` says what recall rests on: `random audits` from "
    "a `coverage` (`audited` of the `drawn` punches) of 0.8 on and with a fraud among them, else "
    "`reviewed punches`, which flatters. Kept as the other fraud answers are: `fresh=1` asks anew.",
    security=_SECURITY,
)
@require(FRAUD_REVIEW)
@bp.input(schemas.WhatIfQuery, location="query", arg_name="query")
def show_what_if(query: schemas.WhatIfQuery) -> Any:
    """What another ticket threshold would have meant: work, hits, misses."""
    if (query.threshold is None) == (query.budget is None):
        raise _either("threshold", "budget")
    principal = required_principal()
    tenant_id, sites = principal.tenant_id, principal.site_ids
    seen = "all" if sites is None else str(sorted(sites))
    name = sha256(f"{query.model_dump_json(exclude={'fresh'})}|{seen}".encode()).hexdigest()[:24]
    config = tenant_settings()
    data, was_cached = cached(
        redis_client(),
        f"fraud:{tenant_id}:what-if:{generation(tenant_id)}:{name}",
        config.fraud_cache_ttl,
        lambda: what_if(
            tenant_id=tenant_id,
            now=utcnow(),
            threshold=query.threshold,
            budget=query.budget,
            days=query.days,
            site_ids=sites,
        ),
        fresh=query.fresh,
    )
    return success(data, cached=was_cached)


@bp.post("/backtests/")
@bp.doc(
    description="On the vectors as they were served, at most the 200,000 newest of the period. "
    "Takes seconds, and one runs at a time in each company.",
    security=_SECURITY,
    responses={
        201: "The evaluation",
        404: "No such version",
        409: "Its artefact is no longer kept, or nothing was scored in the period",
        429: "Another one is under way; ask again after `Retry-After` seconds",
    },
)
@require(FRAUD_REVIEW)
@bp.input(schemas.BacktestIn, arg_name="body")
def run_backtest(body: schemas.BacktestIn) -> Any:
    """Apply a version, or the rules, to punches of the past, and keep how it did."""
    tenant_id = check_whole_tenant().tenant_id
    if body.version is not None and body.model_id is not None:
        raise _either("version", "model_id")
    try:
        row = backtests.run(
            tenant_id=tenant_id,
            now=utcnow(),
            version=body.version,
            model_id=body.model_id,
            threshold=body.threshold,
            days=body.days,
        )
    except backtests.NoSuchVersion as error:
        raise not_found("model") from error
    except (backtests.NotKept, backtests.NothingServed) as error:
        raise Problem(409, str(error)) from error
    except backtests.AnotherRuns as error:
        wait = {"Retry-After": str(_BACKTEST_SECONDS)}
        raise Problem(429, str(error), headers=wait) from error
    backtest_id = row.id
    session().commit()
    return success(_found(backtest_id, tenant_id)), 201


@bp.get("/backtests/")
@bp.doc(security=_SECURITY)
@require(FRAUD_REVIEW)
@bp.input(schemas.BacktestQuery, location="query", arg_name="query")
def list_backtests(query: schemas.BacktestQuery) -> Any:
    """Backtests, newest first."""
    limit = query.limit or DEFAULT_LIMIT
    items, after = evaluations.list_backtests(
        tenant_id=check_whole_tenant().tenant_id,
        limit=limit,
        version=query.version,
        after=uuid_cursor_key(),
    )
    next_cursor = encode_cursor(after[0], str(after[1])) if after else None
    return success(items, pagination={"next_cursor": next_cursor, "limit": limit})


@bp.get("/backtests/<uuid:backtest_id>/")
@bp.doc(security=_SECURITY)
@require(FRAUD_REVIEW)
def show_backtest(backtest_id: uuid.UUID) -> Any:
    """One backtest: every figure with its interval, and what to be careful about."""
    return success(_found(backtest_id, check_whole_tenant().tenant_id))


def _found(backtest_id: uuid.UUID, tenant_id: int) -> dict[str, Any]:
    found = evaluations.find_backtest(backtest_id, tenant_id=tenant_id)
    if found is None:
        raise not_found("backtest")
    return found


def _either(one: str, other: str) -> Problem:
    reason = f"give either {one} or {other}"
    return Problem(
        422,
        "The request was not accepted.",
        errors=[{"field": name, "reason": reason} for name in (one, other)],
    )

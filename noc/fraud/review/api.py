"""REST of reviewing: what to look at, verdicts, one prediction, and how much fraud there is."""

from __future__ import annotations

import uuid
from hashlib import sha256
from typing import Any

from apiflask import APIBlueprint
from flask import request

from noc.database.base import utcnow
from noc.extensions import redis_client, session
from noc.fraud.freshness import generation
from noc.fraud.review import schemas
from noc.fraud.review.batch import label_batch
from noc.fraud.review.labelling import Refused, Seen, label, take_back
from noc.fraud.review.predictions import find_prediction
from noc.fraud.review.prevalence import prevalence
from noc.fraud.review.queue import review_queue
from noc.identity.capabilities import FRAUD_REVIEW, FRAUD_VIEW
from noc.identity.guard import require
from noc.identity.principal import Principal, required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.rest.batches import read_body
from noc.rest.cache import cached
from noc.rest.envelope import success
from noc.rest.openapi import API_PREFIX, describe
from noc.rest.problems import Problem, not_found

bp = APIBlueprint("fraud_review", __name__, url_prefix=API_PREFIX)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_ID = "<uuid:prediction_id>"


@bp.get("/security/review-queue/")
@bp.doc(security=_SECURITY, summary="The punches to look at next")
@require(FRAUD_REVIEW)
@bp.input(schemas.QueueQuery, location="query", arg_name="query")
def show_queue(query: schemas.QueueQuery) -> Any:
    """Unlabelled punches: the highest scores, the most uncertain, and some drawn at random.

    Each says `why` it is there. Of those drawn at random neither the score nor this word says
    anything about the punch: judge what happened.
    """
    principal = required_principal()
    return success(
        review_queue(
            tenant_id=principal.tenant_id,
            now=utcnow(),
            limit=query.limit,
            site_ids=principal.site_ids,
            site_id=query.site_id,
            days=query.days,
        )
    )


@bp.post("/security/review-queue/")
@describe(body=schemas.ItemIn | list[schemas.ItemIn])
@bp.doc(security=_SECURITY, summary="Verdicts on many punches")
@require(FRAUD_REVIEW)
def label_many() -> Any:
    """Take up to 200 verdicts, answered item by item.

    One, an array, or an object with `events`. `items` has a status for each; `rejected` says of
    which field it is, and why.
    """
    body = read_body(request.get_data(), request.mimetype, limit=schemas.MAX_VERDICTS)
    told = label_batch(body.items, principal=required_principal(), now=utcnow())
    session().commit()
    return success(told)


@bp.get(f"/security/predictions/{_ID}/")
@bp.doc(security=_SECURITY, summary="One prediction")
@require(FRAUD_VIEW, FRAUD_REVIEW)
def show_prediction(prediction_id: uuid.UUID) -> Any:
    """A prediction with its vector, its reasons, its label, and what each feature contributed.

    `contributions` are parts of the log-odds: with `base` they add up to logit(`probability`).
    `score_parts` are those of the score: `model`, `rules` and `intercept`, in `weights` already,
    add up to `log_odds`, which is logit(`fraud_score`) unless `held_by_rules`. `by_rule` shares
    out the rules' part by anomaly type, null where their strengths were not kept.
    """
    return success(_prediction(prediction_id))


@bp.post(f"/security/predictions/{_ID}/label/")
@bp.doc(
    security=_SECURITY,
    summary="Say whether it was fraud",
    responses={409: "Somebody said other meanwhile, or the punch is voided"},
)
@require(FRAUD_REVIEW)
@bp.input(schemas.LabelIn, arg_name="body")
def label_prediction(prediction_id: uuid.UUID, body: schemas.LabelIn) -> Any:
    """Give the punch a verdict; the latest holds.

    `expected` names the verdict that was seen, null for none: if another one holds by now,
    nothing is changed. `INCONCLUSIVE` gives no label, and clears none.
    """
    (outcome,) = label([body.said(prediction_id)], **_who(), now=utcnow())
    if isinstance(outcome, Refused):
        raise _problem(outcome)
    session().commit()
    return success(_prediction(prediction_id) | {"outcome": outcome})


@bp.delete(f"/security/predictions/{_ID}/label/")
@bp.doc(
    security=_SECURITY,
    summary="Take a verdict back",
    responses={409: "The verdict comes from elsewhere, or is not the expected one"},
)
@require(FRAUD_REVIEW)
@bp.input(schemas.TakeBackQuery, location="query", arg_name="query")
def take_label_back(prediction_id: uuid.UUID, query: schemas.TakeBackQuery) -> Any:
    """Take back a verdict that was given here; a ticket's is changed by another verdict."""
    principal = required_principal()
    try:
        take_back(
            prediction_id,
            tenant_id=principal.tenant_id,
            site_ids=principal.site_ids,
            seen=Seen(query.expected) if query.expected else None,
        )
    except Refused as refused:
        raise _problem(refused) from refused
    session().commit()
    return success(_prediction(prediction_id))


@bp.get("/security/prevalence/")
@bp.doc(security=_SECURITY, summary="How much fraud there is among all punches")
@require(FRAUD_VIEW, FRAUD_REVIEW)
@bp.input(schemas.PrevalenceQuery, location="query", arg_name="query")
def show_prevalence(query: schemas.PrevalenceQuery) -> Any:
    """The share of fraud, estimated from random audits, with 90 % intervals.

    Kept for `FRAUD_CACHE_TTL`, at most ten seconds behind the newest score or verdict.
    """
    principal = required_principal()
    answer, was_cached = cached(
        redis_client(),
        _cache_key(query, principal),
        tenant_settings().fraud_cache_ttl,
        lambda: prevalence(
            tenant_id=principal.tenant_id,
            now=utcnow(),
            days=query.days,
            site_ids=principal.site_ids,
            site_id=query.site_id,
        ),
        fresh=query.fresh,
    )
    return success(answer, cached=was_cached)


def _cache_key(query: schemas.PrevalenceQuery, principal: Principal) -> str:
    sites = "all" if principal.site_ids is None else str(sorted(principal.site_ids))
    asked = f"{query.model_dump_json(exclude={'fresh'})}|{sites}"
    digest = sha256(asked.encode()).hexdigest()[:24]
    tenant_id = principal.tenant_id
    return f"fraud:{tenant_id}:prevalence:{generation(tenant_id)}:{digest}"


def _who() -> dict[str, Any]:
    principal = required_principal()
    return {
        "tenant_id": principal.tenant_id,
        "user_id": principal.user_id,
        "token": principal.name if principal.user_id is None else None,
        "site_ids": principal.site_ids,
    }


def _prediction(prediction_id: uuid.UUID) -> dict[str, Any]:
    principal = required_principal()
    found = find_prediction(
        prediction_id, tenant_id=principal.tenant_id, site_ids=principal.site_ids
    )
    if found is None:
        raise not_found("prediction")
    return found


def _problem(refused: Refused) -> Problem:
    if refused.missing:
        return not_found("prediction")
    return Problem(409, str(refused), verdict=refused.verdict)

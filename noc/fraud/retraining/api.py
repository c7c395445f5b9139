"""REST of models: versions, training, activation, the way back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import session
from noc.fraud.registry import activation, queries, schemas
from noc.fraud.registry.activation import NotPossible
from noc.fraud.retraining import runs
from noc.identity.capabilities import FRAUD_VIEW, ML_TRAIN
from noc.identity.guard import check_whole_tenant, require
from noc.identity.principal import Principal
from noc.rest.body import allow_empty_body
from noc.rest.envelope import DEFAULT_LIMIT, encode_cursor, success
from noc.rest.keyset import uuid_cursor_key
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import Problem, not_found
from noc.runs.queries import find_run

bp = APIBlueprint("models", __name__, url_prefix=f"{API_PREFIX}/security/ml-models")
bp.before_request(allow_empty_body)

_SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "session"]
_ID = "/<uuid:model_id>"


@bp.get("/")
@bp.doc(security=_SECURITY)
@require(ML_TRAIN, FRAUD_VIEW)
@bp.input(schemas.ModelQuery, location="query", arg_name="query")
def list_models(query: schemas.ModelQuery) -> Any:
    """The versions, newest first, each with the gate's verdict in words."""
    limit = query.limit or DEFAULT_LIMIT
    items, after = queries.list_models(
        query, tenant_id=check_whole_tenant().tenant_id, limit=limit, after=uuid_cursor_key()
    )
    next_cursor = encode_cursor(after[0], str(after[1])) if after else None
    return success(items, pagination={"next_cursor": next_cursor, "limit": limit})


@bp.get(f"{_ID}/")
@bp.doc(security=_SECURITY)
@require(ML_TRAIN, FRAUD_VIEW)
def show_model(model_id: uuid.UUID) -> Any:
    """One version: how it was trained, every figure, its evaluations, and who changed what."""
    return success(_found(model_id, check_whole_tenant()))


@bp.post("/train/")
@bp.doc(
    description="At most one training of a tenant is open: who asks meanwhile is given that one. "
    "Follow it at `jobs/<job_id>/` or by `job_updated` on the feed.",
    security=_SECURITY,
    responses={202: "The job to follow"},
)
@require(ML_TRAIN)
@bp.input(schemas.TrainIn, arg_name="body")
def train(body: schemas.TrainIn) -> Any:
    """Ask for a training; a worker does it."""
    principal = check_whole_tenant()
    run, created = runs.ask(
        tenant_id=principal.tenant_id,
        trigger="manual",
        now=utcnow(),
        requested_by=principal.user_id,
        days=body.days,
        test_size=body.test_size,
    )
    run_id = run.id
    session().commit()
    found = find_run(run_id, tenant_id=principal.tenant_id)
    return success((found or {}) | {"created": created}), 202


@bp.post(f"{_ID}/activate/")
@bp.doc(
    description="In force with the next batch that any worker scores, within seconds.",
    security=_SECURITY,
    responses={409: "Its artefact is no longer kept, or damaged"},
)
@require(ML_TRAIN)
@bp.input(schemas.ActivateIn, arg_name="body")
def activate(model_id: uuid.UUID, body: schemas.ActivateIn) -> Any:
    """Let this version score, whatever its gate said; the one before becomes its ancestor."""
    principal = check_whole_tenant()
    with _plain_answers():
        activation.activate(
            model_id,
            tenant_id=principal.tenant_id,
            now=utcnow(),
            note=body.note,
            by=principal.name,
        )
    session().commit()
    return success(_found(model_id, principal))


@bp.post(f"{_ID}/rollback/")
@bp.doc(
    description="Only the active version can be taken back; `scoring` names who scores now.",
    security=_SECURITY,
    responses={409: "It is not active"},
)
@require(ML_TRAIN)
@bp.input(schemas.RollBackIn, arg_name="body")
def roll_back(model_id: uuid.UUID, body: schemas.RollBackIn) -> Any:
    """Take it back: its ancestor scores again, without one the rules do."""
    principal = check_whole_tenant()
    with _plain_answers():
        scores = activation.roll_back(
            model_id,
            tenant_id=principal.tenant_id,
            now=utcnow(),
            note=body.note,
            by=principal.name,
        )
    scoring = scores.version if scores else "rules"
    session().commit()
    return success(_found(model_id, principal) | {"scoring": scoring})


@contextmanager
def _plain_answers() -> Iterator[None]:
    try:
        yield
    except LookupError as error:
        raise not_found("model") from error
    except NotPossible as error:
        raise Problem(409, str(error)) from error


def _found(model_id: uuid.UUID, principal: Principal) -> dict[str, Any]:
    model = queries.find_model(model_id, tenant_id=principal.tenant_id)
    if model is None:
        raise not_found("model")
    return model

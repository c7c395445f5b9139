"""Which version scores: an activation, and the way back."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from sqlalchemy import select, update

from noc.extensions import session
from noc.fraud.freshness import scores_changed
from noc.fraud.registry.artefact import BrokenArtefact, unpack, whole
from noc.fraud.registry.changes import lock, record, retired
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.versions import prune
from noc.identity.trail import Target
from noc.identity.trail import record as write_down

log = structlog.get_logger(__name__)


class NotPossible(Exception):
    """A version cannot be activated or taken back; the message says why."""


def activate(
    model_id: uuid.UUID,
    *,
    tenant_id: int,
    now: dt.datetime,
    note: str | None = None,
    by: str | None = None,
) -> FraudModel:
    """Let this version score from the next batch on; the one before becomes its ancestor.

    ``by`` names the person who wants it, ``note`` says why; where the gate was against it the note
    that is kept says that, too. LookupError for no such version; :class:`NotPossible` for one
    whose artefact is no longer kept, or damaged. To activate the active one changes nothing. The
    caller commits.
    """
    lock(tenant_id)
    model = _get(model_id, tenant_id)
    if model.is_active:
        return model
    _check_usable(model)
    before = _active(tenant_id)
    if before is not None:
        retired(before, now=now, note=f"Gave way to {model.version}.")
        session().flush()
    # Activated while the rules score, it goes back to the rules, whatever was before once.
    model.ancestor_id = before.id if before is not None else None
    _make_active(model, now, _why(model, note, by), by)
    told = {"note": model.note, "before": before.version if before else "rules"}
    write_down("model.activated", _target(model), told, now=now, by=by)
    prune(tenant_id=tenant_id)
    return model


def roll_back(
    model_id: uuid.UUID,
    *,
    tenant_id: int,
    now: dt.datetime,
    note: str | None = None,
    by: str | None = None,
) -> FraudModel | None:
    """Take the active version back: its ancestor scores again, without one the rules do.

    So they do where the ancestor is no longer kept, or damaged; the note says that. The model
    that scores now, or None for the rules. LookupError for no such version; :class:`NotPossible`
    for one that is not active. The caller commits.
    """
    lock(tenant_id)
    model = _get(model_id, tenant_id)
    if not model.is_active:
        raise NotPossible(f"{model.version} does not score: there is nothing to take back.")
    ancestor, why_not = _ancestor(model)
    to = f"{ancestor.version} scores" if ancestor else "the rules score"
    told = f"Taken back; {to} again.{why_not}" + (f" {note}" if note else "")
    retired(model, now=now, note=told, change="taken_back", by=by)
    session().flush()
    # Who goes back further must not come round to the one that was taken back.
    session().execute(
        update(FraudModel)
        .where(FraudModel.tenant_id == tenant_id, FraudModel.ancestor_id == model.id)
        .values(ancestor_id=None)
    )
    if ancestor is not None:
        _make_active(ancestor, now, f"Scores again: {model.version} was taken back.", by)
    scoring = {"note": note, "scores": ancestor.version if ancestor else "rules"}
    write_down("model.rolled_back", _target(model), scoring, now=now, by=by)
    scores_changed(session(), tenant_id)
    log.info("model_rolled_back", tenant_id=tenant_id, version=model.version, then=to, by=by)
    return ancestor


def _ancestor(model: FraudModel) -> tuple[FraudModel | None, str]:
    """Who scored before it, where that one still can; else why it cannot."""
    if model.ancestor_id is None:
        return None, ""
    ancestor = session().get(FraudModel, (model.tenant_id, model.ancestor_id))
    if ancestor is None:
        return None, ""
    try:
        _check_usable(ancestor)
    except NotPossible as error:
        return None, f" {error}"
    return ancestor, ""


def _check_usable(model: FraudModel) -> None:
    """NotPossible where every process would have to leave the scoring to the rules."""
    data = session().scalar(
        select(FraudModel.artefact).where(
            FraudModel.tenant_id == model.tenant_id, FraudModel.id == model.id
        )
    )
    if data is None:
        raise NotPossible(
            f"{model.version} is too old: its artefact is no longer kept. Train a new one."
        )
    try:
        unpack(whole(data, model.artefact_sha256))
    except BrokenArtefact as error:
        raise NotPossible(f"{model.version} cannot be loaded: {error}.") from error


def _why(model: FraudModel, note: str | None, by: str | None) -> str | None:
    if by is not None:
        note = f"{note} ({by})" if note else f"Activated by hand ({by})."
    if model.gate.get("may_score"):
        return note
    return f"{note or 'Activated.'} It had not passed its gate."


def _make_active(model: FraudModel, now: dt.datetime, note: str | None, by: str | None) -> None:
    model.status, model.is_active = "active", True
    model.activated_at, model.retired_at = now, None
    model.note = note or model.note
    record(model, "activated", now=now, note=note, by=by)
    session().flush()
    scores_changed(session(), model.tenant_id)
    log.info("model_activated", tenant_id=model.tenant_id, version=model.version, by=by)


def _target(model: FraudModel) -> Target:
    return Target("model", model.id, model.version)


def _get(model_id: uuid.UUID, tenant_id: int) -> FraudModel:
    model = session().get(FraudModel, (tenant_id, model_id), populate_existing=True)
    if model is None:
        raise LookupError("there is no such version")
    return model


def _active(tenant_id: int) -> FraudModel | None:
    return session().scalar(
        select(FraudModel).where(FraudModel.tenant_id == tenant_id, FraudModel.is_active)
    )

"""Who did what: written down in the transaction that did it, and never changed afterwards.

Whoever asks is the request's principal; a command says so with :func:`on_the_command_line`;
everything else was done by the product itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python
from sqlalchemy import insert, select

from noc.database.base import utcnow
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import AuditTrail
from noc.identity.principal import current_principal
from noc.rest.keyset import Key, Page, newest_first, page_of

COMMAND_LINE = "command line"
PRODUCT = "NOC Intelligence"

_HIDDEN = ("password", "secret", "hash", "url", "token")
_MAX_NAME = 200

_by_command: ContextVar[bool] = ContextVar("noc_by_command", default=False)


class Target(NamedTuple):
    """What something was done to: ``Target("user", 7, "Olga")``."""

    kind: str
    id: Any
    name: str


class Entry(NamedTuple):
    """Who did something, and when."""

    actor: str
    at: dt.datetime


@contextmanager
def on_the_command_line() -> Iterator[None]:
    """What is recorded inside was done on the command line."""
    token = _by_command.set(True)
    try:
        yield
    finally:
        _by_command.reset(token)


def record(
    action: str,
    target: Target,
    detail: Mapping[str, Any] | None = None,
    *,
    now: dt.datetime | None = None,
    by: str | None = None,
) -> None:
    """Write down that ``action`` (``user.created``) was done to ``target`` in the current tenant.

    One statement, in the caller's transaction. ``detail`` is JSON without secrets: ValueError for
    a name in it that sounds like one. ``by`` names who wanted it where neither a request nor a
    command is under way.
    """
    told = dict(detail or {})
    unfit = [name for name in told if any(word in name.lower() for word in _HIDDEN)]
    if unfit:
        raise ValueError(f"{unfit[0]!r} may hold a secret, and the trail is read by many")
    principal = current_principal()
    if principal is not None:
        actor = principal.name
    else:
        actor = COMMAND_LINE if _by_command.get() else by or PRODUCT
    session().execute(
        insert(AuditTrail).values(
            tenant_id=required_tenant(),
            at=now or utcnow(),
            actor=actor[:_MAX_NAME],
            user_id=principal.user_id if principal else None,
            token_id=principal.token_id if principal else None,
            action=action,
            target_kind=target.kind,
            target_id=str(target.id),
            target_name=target.name[:_MAX_NAME],
            detail=to_jsonable_python(told),
        )
    )


def latest(target: Target) -> Entry | None:
    """Who did something to ``target`` last, and when; None where nobody did."""
    row = AuditTrail
    found = session().execute(
        select(row.actor, row.at)
        .where(
            row.tenant_id == required_tenant(),
            row.target_kind == target.kind,
            row.target_id == str(target.id),
        )
        .order_by(row.id.desc())
        .limit(1)
    )
    known = found.one_or_none()
    return None if known is None else Entry(*known)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """``{"role": ["viewer", "admin"]}``: what is different, from what to what."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }


def read(
    *,
    tenant_id: int,
    limit: int,
    after: Key | None = None,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Page:
    """What was done, latest first. One query.

    ``actor`` and ``target`` are parts of names in any case, ``target`` also a whole id; ``action``
    is one (``user.created``) or all of a kind (``user``); ``since`` is included, ``until`` not.
    """
    row = AuditTrail
    query = select(
        row.id, row.at, row.actor, row.user_id, row.token_id, row.action,
        row.target_kind, row.target_id, row.target_name, row.detail,
    ).where(row.tenant_id == tenant_id)  # fmt: skip
    if actor:
        query = query.where(row.actor.icontains(actor, autoescape=True))
    if action:
        kind = row.action.startswith(f"{action}.", autoescape=True)
        query = query.where((row.action == action) | kind)
    if target:
        named = row.target_name.icontains(target, autoescape=True)
        query = query.where(named | (row.target_id == target))
    if since is not None:
        query = query.where(row.at >= since)
    if until is not None:
        query = query.where(row.at < until)
    query = newest_first(query, row.at, row.id, limit=limit, after=after)
    rows = [dict(found) for found in session().execute(query).mappings()]
    return page_of(rows, "at", limit=limit)

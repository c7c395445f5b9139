"""Whether rows of folders above exist: identity may not import their models."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import column, select, table

from noc.extensions import session
from noc.identity.words import BadField

SITE = table("site", column("tenant_id"), column("id"))
PERSON = table("person", column("tenant_id"), column("id"))


def must_have_sites(tenant_id: int, ids: Collection[int], field: str) -> None:
    """BadField for the first site that the tenant does not have."""
    _must_have(tenant_id, SITE.c, ids, field, "site")


def must_have_people(tenant_id: int, ids: Collection[int], field: str) -> None:
    """BadField for the first person that the tenant does not have."""
    _must_have(tenant_id, PERSON.c, ids, field, "person")


def _must_have(tenant_id: int, keys: Any, ids: Collection[int], field: str, what: str) -> None:
    if not ids:
        return
    query = select(keys.id).where(keys.tenant_id == tenant_id, keys.id.in_(ids))
    missing = sorted(set(ids).difference(session().scalars(query)))
    if missing:
        raise BadField(field, f"there is no {what} {missing[0]} in this tenant")

"""Tenants, and work that goes over all of them one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.identity.words import BadField, one_line
from noc.identity.words import slug as checked_slug

_ALL = text("SELECT id, slug, name FROM noc_tenants() ORDER BY id")
_EVERY = text("SELECT id, slug, name FROM noc_every_tenant() ORDER BY id")
_CREATE = text("SELECT noc_create_tenant(:slug, :name)")


@dataclass(frozen=True, slots=True)
class TenantRef:
    """A tenant's id, slug and name."""

    id: int
    slug: str
    name: str


def all_tenants(*, inactive: bool = False) -> list[TenantRef]:
    """Every active tenant, by id; the inactive ones as well where they are asked for."""
    rows = session().execute(_EVERY if inactive else _ALL)
    return [TenantRef(row.id, row.slug, row.name) for row in rows]


def each_tenant(*, inactive: bool = False) -> Iterator[TenantRef]:
    """Go tenant by tenant, each in its own transactions; what is open is rolled back between.

    ``inactive``: those as well that are not active any more, for work that only removes.
    """
    for tenant in all_tenants(inactive=inactive):
        session().rollback()
        with tenant_context(session(), tenant.id):
            yield tenant
            session().rollback()


def resolve_tenant(name: str) -> TenantRef:
    """The tenant with this id or slug; LookupError names those there are."""
    tenants = all_tenants()
    for tenant in tenants:
        if name in (str(tenant.id), tenant.slug):
            return tenant
    known = ", ".join(tenant.slug for tenant in tenants) or "none yet: noc tenants create"
    raise LookupError(f"there is no tenant {name!r} (tenants: {known})")


def create_tenant(slug: str, name: str) -> TenantRef:
    """A new tenant with its counters.

    BadField (a ValueError) for a slug that is taken or ill-formed, and for a name that is not
    one line.
    """
    values = {"slug": checked_slug(slug), "name": one_line(name, "name")}
    try:
        with session().begin_nested():
            tenant_id = session().execute(_CREATE, values).scalar_one()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise BadField("slug", f"there is a tenant {slug!r} already") from error
        raise
    return TenantRef(tenant_id, slug, values["name"])

"""Which tenants are simulated, how far their seed has come, and taking them away again.

Their row says so, from the moment it exists: only what carries the mark is ever touched. It holds
the scale, from which everything simulated can be worked out again.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, select, text, update

from noc.database.base import Base
from noc.database.tenancy import tenant_context
from noc.demo.places import COMPANIES, CompanyPlan
from noc.demo.scale import Scale
from noc.extensions import session
from noc.identity.models import AuditTrail, Tenant
from noc.identity.tenants import TenantRef, all_tenants, create_tenant


@dataclass(frozen=True, slots=True)
class Simulated:
    """A tenant that carries the mark; ``complete`` once its seed ran to the end."""

    tenant: TenantRef
    scale: Scale
    complete: bool


def simulated_tenants() -> list[Simulated]:
    """Every simulated tenant, half seeded ones too."""
    plans = {plan.slug for plan in COMPANIES}
    found = []
    for tenant in all_tenants():
        if tenant.slug not in plans:
            continue
        session().rollback()
        with tenant_context(session(), tenant.id):
            value = session().scalar(select(Tenant.simulated).where(Tenant.id == tenant.id))
        if value is not None:
            found.append(Simulated(tenant, _scale(value["scale"]), value["complete"]))
    session().rollback()
    return found


def found(plan: CompanyPlan, scale: Scale) -> TenantRef:
    """Create the tenant with its mark. Commits. IntegrityError where the slug is taken."""
    session().rollback()
    tenant = create_tenant(plan.slug, plan.name)
    with tenant_context(session(), tenant.id):
        _mark(tenant.id, scale, complete=False)
        session().commit()
    return tenant


def complete(tenant_id: int, scale: Scale) -> None:
    """Note that the tenant's seed ran to the end. The caller commits."""
    _mark(tenant_id, scale, complete=True)


def drop(tenant: TenantRef) -> None:
    """Delete every row of a simulated tenant and give its slug back. Commits.

    The application's role cannot delete a tenant: an inactive row remains under another slug, and
    the trail of who did what, which nobody can delete.
    ValueError where the tenant does not carry the mark.
    """
    session().rollback()
    with tenant_context(session(), tenant.id):
        session().execute(text("SET LOCAL statement_timeout = '10min'"))
        marked = session().scalar(
            select(Tenant.simulated).where(Tenant.id == tenant.id).with_for_update()
        )
        if marked is None:
            session().rollback()
            raise ValueError(f"{tenant.slug} is not a simulated tenant")
        for table in reversed(Base.metadata.sorted_tables):
            if "tenant_id" in table.columns and table is not AuditTrail.__table__:
                session().execute(delete(table).where(table.columns["tenant_id"] == tenant.id))
        session().execute(
            update(Tenant)
            .where(Tenant.id == tenant.id)
            .values(slug=f"{tenant.slug}-dropped-{tenant.id}", active=False)
        )
        session().commit()


def _mark(tenant_id: int, scale: Scale, *, complete: bool) -> None:
    session().execute(
        update(Tenant)
        .where(Tenant.id == tenant_id)
        .values(simulated={"complete": complete, "scale": _plain(scale)})
    )


def _plain(scale: Scale) -> dict[str, object]:
    return {**dataclasses.asdict(scale), "now": scale.now.isoformat()}


def _scale(value: dict[str, object]) -> Scale:
    names = {field.name for field in dataclasses.fields(Scale)} - {"now"}
    numbers = {name: int(str(value[name])) for name in names if name in value}
    return Scale(now=dt.datetime.fromisoformat(str(value["now"])), **numbers)

"""Which tenants are simulated, how far their seed has come, and taking them away again.

A row in the tenant's settings marks it, written with the tenant itself: only what carries it is
ever touched. It holds the scale, from which everything simulated can be worked out again.
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
from noc.identity.models import Tenant, TenantSetting
from noc.identity.tenants import TenantRef, all_tenants, create_tenant

MARK = "simulated"
"""Name of the marking row in ``tenant_setting``; no setting is called so."""


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
            value = session().scalar(
                select(TenantSetting.value).where(
                    TenantSetting.tenant_id == tenant.id, TenantSetting.name == MARK
                )
            )
        if value is not None:
            found.append(Simulated(tenant, _scale(value["scale"]), value["complete"]))
    session().rollback()
    return found


def found(plan: CompanyPlan, scale: Scale) -> TenantRef:
    """Create the tenant with its mark. Commits. IntegrityError where the slug is taken."""
    session().rollback()
    tenant = create_tenant(plan.slug, plan.name)
    with tenant_context(session(), tenant.id):
        value = {"complete": False, "scale": _plain(scale)}
        session().add(TenantSetting(tenant_id=tenant.id, name=MARK, value=value))
        session().commit()
    return tenant


def complete(tenant_id: int, scale: Scale) -> None:
    """Note that the tenant's seed ran to the end. The caller commits."""
    session().execute(
        update(TenantSetting)
        .where(TenantSetting.tenant_id == tenant_id, TenantSetting.name == MARK)
        .values(value={"complete": True, "scale": _plain(scale)})
    )


def drop(tenant: TenantRef) -> None:
    """Delete every row of a simulated tenant and give its slug back. Commits.

    The application's role cannot delete a tenant: an empty, inactive row remains under another
    slug. ValueError where the tenant does not carry the mark.
    """
    session().rollback()
    with tenant_context(session(), tenant.id):
        session().execute(text("SET LOCAL statement_timeout = '10min'"))
        marked = session().scalar(
            select(TenantSetting.id)
            .where(TenantSetting.tenant_id == tenant.id, TenantSetting.name == MARK)
            .with_for_update()
        )
        if marked is None:
            session().rollback()
            raise ValueError(f"{tenant.slug} is not a simulated tenant")
        for table in reversed(Base.metadata.sorted_tables):
            if "tenant_id" in table.columns:
                session().execute(delete(table).where(table.columns["tenant_id"] == tenant.id))
        session().execute(
            update(Tenant)
            .where(Tenant.id == tenant.id)
            .values(slug=f"{tenant.slug}-dropped-{tenant.id}", active=False)
        )
        session().commit()


def _plain(scale: Scale) -> dict[str, object]:
    return {**dataclasses.asdict(scale), "now": scale.now.isoformat()}


def _scale(value: dict[str, object]) -> Scale:
    names = {field.name for field in dataclasses.fields(Scale)} - {"now"}
    numbers = {name: int(str(value[name])) for name in names if name in value}
    return Scale(now=dt.datetime.fromisoformat(str(value["now"])), **numbers)

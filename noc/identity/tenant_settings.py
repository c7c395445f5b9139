"""Settings as they hold for a tenant: its override, else the process's."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import TypeAdapter
from sqlalchemy import select

from noc.database.tenancy import required_tenant
from noc.extensions import session, settings
from noc.identity.models import TenantSetting
from noc.settings import TENANT_SETTINGS, Settings


def tenant_settings(site_id: int | None = None) -> Settings:
    """The settings in force for the current tenant, and for one of its sites where given.

    One query. A site's override goes before the tenant's, the tenant's before the environment.
    """
    rows = session().execute(
        select(TenantSetting.name, TenantSetting.value, TenantSetting.site_id)
        .where(
            TenantSetting.tenant_id == required_tenant(),
            TenantSetting.site_id.is_(None) | (TenantSetting.site_id == site_id),
        )
        .order_by(TenantSetting.site_id.nulls_first())
    )
    overrides = {row.name: row.value for row in rows if row.name in TENANT_SETTINGS}
    if not overrides:
        return settings()
    checked = {name: validate(name, value) for name, value in overrides.items()}
    return settings().model_copy(update=checked)


def validate(name: str, value: Any) -> Any:
    """``value`` as the setting's type; KeyError for no such setting, ValidationError for a bad one."""
    field = TENANT_SETTINGS[name]
    annotation = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    return TypeAdapter(annotation).validate_python(value)

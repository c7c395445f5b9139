"""Settings as they hold for a tenant: its override, else the process's."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from noc.database import locks
from noc.database.tenancy import required_tenant
from noc.extensions import session, settings
from noc.identity import versions
from noc.identity.existence import must_have_sites
from noc.identity.models import TenantSetting
from noc.identity.trail import Target, record
from noc.identity.words import BadField
from noc.monitoring import metrics
from noc.rest.problems import field_errors
from noc.settings import TENANT_SETTINGS, Settings

log = structlog.get_logger(__name__)


def tenant_settings(site_id: int | None = None) -> Settings:
    """The settings in force for the current tenant, and for one of its sites where given.

    One query. A site's override goes before the tenant's, the tenant's before the environment.
    An override that this release no longer understands is left out, logged and counted.
    """
    rows = session().execute(
        select(TenantSetting.name, TenantSetting.value, TenantSetting.site_id)
        .where(
            TenantSetting.tenant_id == required_tenant(),
            TenantSetting.site_id.is_(None) | (TenantSetting.site_id == site_id),
        )
        .order_by(TenantSetting.site_id.nulls_first())
    )
    checked: dict[str, Any] = {}
    for row in rows:
        try:
            checked[row.name] = validate(row.name, row.value)
        except (KeyError, ValidationError):
            metrics.FAILURES.labels("tenant_setting").inc()
            log.warning("setting_not_understood", setting=row.name, site_id=row.site_id)
    return settings().model_copy(update=checked) if checked else settings()


def validate(name: str, value: Any) -> Any:
    """``value``, as JSON has it, as the setting's type; nothing is converted into a number.

    KeyError for a setting that tenants do not have, ValidationError for an unusable value.
    """
    return _adapter(name).validate_json(json.dumps(value), strict=True)


def schema(name: str) -> dict[str, Any]:
    """What JSON the setting can have, with its range, as JSON Schema."""
    return _adapter(name).json_schema()


def to_json(name: str, value: Any) -> Any:
    """A setting's value as JSON."""
    return _adapter(name).dump_python(value, mode="json")


def override(
    name: str, value: Any, *, site_id: int | None, now: dt.datetime, version: str | None = None
) -> Any:
    """Set it for the current tenant, or one of its sites; None lets what is above hold again.

    What is kept, as JSON. KeyError for a setting that tenants do not have; BadField for a value it
    cannot have, and for a site that the tenant does not have; 409 where what is overridden here is
    no longer the ``version`` that was seen.
    """
    tenant_id = required_tenant()
    # There may be no row yet to lock: of two at once the second is to see what the first has set.
    locks.hold(session(), f"setting:{tenant_id}:{name}")
    here = (
        TenantSetting.tenant_id == tenant_id,
        TenantSetting.name == name,
        TenantSetting.site_id.is_not_distinct_from(site_id),
    )
    target = Target("setting", name, name)
    before = session().scalar(select(TenantSetting.value).where(*here))
    versions.check(version, state(before), target)
    if value is None:
        taken = session().scalar(delete(TenantSetting).where(*here).returning(TenantSetting.value))
        if taken is not None:
            record("setting.taken_back", target, {"site_id": site_id, "value": taken}, now=now)
        return None
    try:
        kept = to_json(name, validate(name, value))
    except ValidationError as error:
        first = field_errors(error)[0]
        inside = "" if first["field"] == "body" else f".{first['field']}"
        raise BadField(f"value{inside}", first["reason"]) from error
    must_have_sites(tenant_id, () if site_id is None else (site_id,), "site_id")
    statement = insert(TenantSetting).values(
        tenant_id=tenant_id, name=name, site_id=site_id, value=kept, updated_at=now
    )
    session().execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "name", "site_id"],
            set_={"value": statement.excluded.value, "updated_at": statement.excluded.updated_at},
        )
    )
    if before != kept:
        record(
            "setting.set",
            target,
            {"site_id": site_id, "before": before, "value": kept},
            now=now,
        )
    return kept


def state(overridden: Any) -> dict[str, Any]:
    """What of a setting :func:`override` changes, None for nothing; the ``version`` is of this."""
    return {"value": overridden}


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    field = TENANT_SETTINGS[name]
    annotation = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return TypeAdapter(annotation)
    # JSON has no infinity, though Python's parser takes it.
    return TypeAdapter(annotation, config=ConfigDict(allow_inf_nan=False))

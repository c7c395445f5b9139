"""Settings in force for each site of a tenant, in one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import structlog
from pydantic import ValidationError
from sqlalchemy import select

from noc.extensions import session, settings
from noc.identity.models import TenantSetting
from noc.identity.tenant_settings import validate
from noc.monitoring import metrics
from noc.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """``tenant`` for the tenant, ``sites`` for those of its sites that differ."""

    tenant: Settings
    sites: dict[int, Settings]

    def at(self, site_id: int) -> Settings:
        """The settings at a site."""
        return self.sites.get(site_id, self.tenant)


def read_site_settings(tenant_id: int, names: Collection[str]) -> SiteSettings:
    """The settings ``names`` as they hold everywhere; all others as the process has them.

    A site's override goes before the tenant's, the tenant's before the environment.
    """
    rows = session().execute(
        select(TenantSetting.site_id, TenantSetting.name, TenantSetting.value).where(
            TenantSetting.tenant_id == tenant_id, TenantSetting.name.in_(names)
        )
    )
    overrides: dict[int | None, dict[str, object]] = {}
    for site_id, name, value in rows:
        try:
            overrides.setdefault(site_id, {})[name] = validate(name, value)
        except ValidationError:
            metrics.FAILURES.labels("tenant_setting").inc()
            log.warning("setting_not_understood", setting=name, site_id=site_id)
    tenant = settings().model_copy(update=overrides.pop(None, {}))
    sites = {
        site_id: tenant.model_copy(update=values)
        for site_id, values in overrides.items()
        if site_id is not None
    }
    return SiteSettings(tenant, sites)

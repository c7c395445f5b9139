"""The fraud settings in force for each site of a tenant."""

from __future__ import annotations

from noc.identity.site_settings import SiteSettings, read_site_settings

Thresholds = SiteSettings

_NAMES = (
    "fraud_score_ticket_threshold",
    "fraud_deduplication_hours",
    "predictive_fraud_enabled",
)


def read_thresholds(tenant_id: int) -> Thresholds:
    """Those of the tenant and of its sites. One query."""
    return read_site_settings(tenant_id, _NAMES)

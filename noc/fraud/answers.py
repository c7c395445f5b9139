"""Answers about fraud, kept for a while: for REST and the pages alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from noc.database.base import utcnow
from noc.extensions import redis_client
from noc.fraud.freshness import generation
from noc.identity.principal import Principal, required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.rest.cache import cached


def kept(
    name: str,
    asked: str,
    compute: Callable[[Principal, dt.datetime], Any],
    *,
    fresh: bool = False,
) -> tuple[Any, bool]:
    """What ``compute`` says to whoever asks, as JSON has it, and whether it was kept from before.

    Kept for FRAUD_CACHE_TTL and at most ten seconds behind the newest score, for whoever asks
    the same (``asked``) of ``name`` and may look at the same sites. ``fresh`` computes anew.
    """
    principal = required_principal()
    sites = "all" if principal.site_ids is None else str(sorted(principal.site_ids))
    digest = sha256(f"{asked}|{sites}".encode()).hexdigest()[:24]
    tenant_id = principal.tenant_id
    return cached(
        redis_client(),
        f"fraud:{tenant_id}:{name}:{generation(tenant_id)}:{digest}",
        tenant_settings().fraud_cache_ttl,
        lambda: compute(principal, utcnow()),
        fresh=fresh,
    )

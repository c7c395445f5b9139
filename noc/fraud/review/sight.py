"""Which sites an answer is about."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from noc.extensions import session
from noc.rest.problems import not_found
from noc.workforce.models import Site


def sites_in_sight(
    tenant_id: int, site_ids: Collection[int] | None, site_id: int | None
) -> list[int] | None:
    """The sites asked about, as SQL takes them: None for all.

    ``site_ids``: those whoever asks is limited to, None for no limit. Problem 404 for a
    ``site_id`` that is not there, or not theirs.
    """
    if site_id is None:
        return None if site_ids is None else sorted(site_ids)
    if site_ids is not None and site_id not in site_ids:
        raise not_found("site")
    there = select(Site.id).where(Site.tenant_id == tenant_id, Site.id == site_id)
    if session().scalar(there) is None:
        raise not_found("site")
    return [site_id]

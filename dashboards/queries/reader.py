"""Who is reading, and which sites they see."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from dashboards import words
from noc.extensions import session
from noc.identity.assignees import list_assignees
from noc.identity.capabilities import OPERATE
from noc.identity.models import Tenant, User
from noc.identity.principal import required_principal
from noc.identity.tenant_settings import tenant_settings
from noc.workforce.models import Site


def seen_sites() -> Collection[int] | None:
    """The sites the principal is limited to; None for all."""
    return required_principal().site_ids


def account() -> dict[str, Any]:
    """Who is signed in: name, role and company as words; ``simulated`` for a demonstration."""
    principal = required_principal()
    tenant = session().get_one(Tenant, principal.tenant_id)
    user = session().get(User, (principal.tenant_id, principal.user_id))
    return {
        "name": principal.name,
        "role": words.say(words.ROLE, user.role) if user else "API token",
        "tenant": tenant.name,
        "simulated": tenant.simulated is not None,
    }


def sites() -> dict[str, dict[str, str]]:
    """Name and time zone of each site that is seen, by its id as text."""
    query = select(Site.id, Site.name, Site.timezone).where(
        Site.tenant_id == required_principal().tenant_id
    )
    limited = seen_sites()
    if limited is not None:
        query = query.where(Site.id.in_(limited))
    rows = session().execute(query.order_by(Site.name))
    return {str(row.id): {"name": row.name, "timezone": row.timezone} for row in rows}


def assignees() -> list[dict[str, Any]]:
    """To whom the reader can give work: id, name, and their sites where they are limited to some.

    Nobody for whoever may not operate.
    """
    if not required_principal().may(OPERATE):
        return []
    return [
        {
            "id": one.user_id,
            "name": one.name,
            "sites": None if one.site_ids is None else sorted(one.site_ids),
        }
        for one in list_assignees()
    ]


def zone(site_id: int | None) -> str | None:
    """The site's time zone."""
    return session().scalar(
        select(Site.timezone).where(
            Site.tenant_id == required_principal().tenant_id, Site.id == site_id
        )
    )


def ticket_threshold(site_id: int | None = None) -> float:
    """The score from which a ticket opens, as it holds for the site."""
    return tenant_settings(site_id).fraud_score_ticket_threshold

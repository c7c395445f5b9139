"""What a reader of events asks for, narrowed to what it may see."""

from __future__ import annotations

from sqlalchemy import select

from noc.events.schemas import FeedQuery
from noc.events.subscribers import Subscription
from noc.extensions import session
from noc.identity.principal import Principal
from noc.rest.problems import not_found
from noc.workforce.models import Site


def asked_subscription(principal: Principal, query: FeedQuery) -> Subscription:
    """The subscription of the query; 404 for a site that the principal cannot see."""
    sites = principal.site_ids
    if query.site_id:
        sites = frozenset(query.site_id)
        _check_sites(principal, sites)
    return Subscription(principal.tenant_id, sites, frozenset(query.types) or None)


def _check_sites(principal: Principal, wanted: frozenset[int]) -> None:
    known = session().scalars(
        select(Site.id).where(Site.tenant_id == principal.tenant_id, Site.id.in_(wanted))
    )
    if wanted - set(known) or not all(principal.sees_site(site_id) for site_id in wanted):
        raise not_found("site")

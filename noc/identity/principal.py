"""Who is asking, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from noc.rest.problems import Problem


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user or an API token, for the length of a request or a socket.

    ``site_ids`` is None for whoever sees every site of the tenant.
    """

    tenant_id: int
    name: str
    capabilities: frozenset[str]
    user_id: int | None = None
    token_id: int | None = None
    site_ids: frozenset[int] | None = None

    def may(self, capability: str) -> bool:
        """Whether the capability is held."""
        return capability in self.capabilities

    def sees_site(self, site_id: int | None) -> bool:
        """Whether rows of the site are visible; rows of no site are, to those without a limit."""
        return self.site_ids is None or (site_id is not None and site_id in self.site_ids)


def current_principal() -> Principal | None:
    """Who is asking in this request, if anybody is known."""
    principal: Principal | None = g.get("principal")
    return principal


def required_principal() -> Principal:
    """Who is asking in this request; 401 when nobody is known."""
    principal = current_principal()
    if principal is None:
        raise Problem(
            401,
            "Sign in, or send a token as 'Authorization: Bearer <token>'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return principal

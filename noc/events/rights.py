"""Whether those who listen may still see what they see: asked of the database, many at once.

The doorbell tells of most changes at once. This finds the others too: those whose ring was lost,
those made in SQL, and tokens and sign-ins whose time is over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from noc.identity import sessions, tokens
from noc.identity.capabilities import VIEW
from noc.identity.principal import Principal

CHECK_SECONDS = 2.0
"""Every feed process asks this often about all its clients: one or two queries a tenant."""


@dataclass(frozen=True, slots=True)
class Badge:
    """What a client came in with, and who it was then. ``secret_hash``: of a session's secret."""

    principal: Principal
    secret_hash: bytes | None = None

    def holds(self, now: Principal | None) -> bool:
        """Whether ``now``, who the client is by now, may see the same as then."""
        return now is not None and now.may(VIEW) and now.site_ids == self.principal.site_ids


def fallen(tenant_id: int, badges: Collection[Badge]) -> set[Badge]:
    """Those of the tenant's badges that no longer hold. Two queries at most."""
    token_ids = {badge.principal.token_id for badge in badges} - {None}
    hashes = {badge.secret_hash for badge in badges} - {None}
    by_token = tokens.standing(tenant_id, token_ids) if token_ids else {}
    by_hash = sessions.standing(tenant_id, hashes) if hashes else {}
    return {
        badge
        for badge in badges
        if not badge.holds(
            by_token.get(badge.principal.token_id)
            if badge.secret_hash is None
            else by_hash.get(badge.secret_hash)
        )
    }

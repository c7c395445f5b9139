"""To whom work can be given: an active user who may operate and sees the site."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.capabilities import OPERATE, ROLES
from noc.identity.models import User, UserSite
from noc.rest.problems import Problem


@dataclass(frozen=True, slots=True)
class Assignee:
    """A user to whom work can be given; ``site_ids`` is None for whoever sees every site."""

    user_id: int
    name: str
    site_ids: frozenset[int] | None

    def sees_site(self, site_id: int | None) -> bool:
        """Whether work of this site would be visible to the assignee."""
        return self.site_ids is None or site_id in self.site_ids


def find_assignee(user_id: int) -> Assignee:
    """The user, if work can be given to them; 422 with the reason otherwise. One query."""
    row = (
        session()
        .execute(
            select(
                User.name, User.role, User.active, func.array_agg(UserSite.site_id).label("sites")
            )
            .outerjoin(
                UserSite, (UserSite.tenant_id == User.tenant_id) & (UserSite.user_id == User.id)
            )
            .where(User.tenant_id == required_tenant(), User.id == user_id)
            .group_by(User.tenant_id, User.id)
        )
        .one_or_none()
    )
    if row is None or not row.active:
        raise _unsuitable("is not an active user of this tenant")
    if OPERATE not in ROLES[row.role]:
        raise _unsuitable(f"is a {row.role}, who may not work on it")
    return Assignee(user_id, row.name, _limits(row.sites))


def list_assignees() -> list[Assignee]:
    """Everybody of the tenant to whom work can be given, by name. One query."""
    able = [role for role, capabilities in ROLES.items() if OPERATE in capabilities]
    rows = session().execute(
        select(User.id, User.name, func.array_agg(UserSite.site_id).label("sites"))
        .outerjoin(UserSite, (UserSite.tenant_id == User.tenant_id) & (UserSite.user_id == User.id))
        .where(User.tenant_id == required_tenant(), User.active, User.role.in_(able))
        .group_by(User.tenant_id, User.id)
        .order_by(func.lower(User.name), User.id)
    )
    return [Assignee(row.id, row.name, _limits(row.sites)) for row in rows]


def _limits(sites: Iterable[int | None]) -> frozenset[int] | None:
    return frozenset(site for site in sites if site is not None) or None


def _unsuitable(reason: str) -> Problem:
    return Problem(
        422,
        "The work cannot be given to this user.",
        errors=[{"field": "assignee_id", "reason": reason}],
    )

"""What an admin may do to users, and to whom: the rules that REST and pages share.

Each function takes who asks, refuses with a problem, and leaves the commit to the caller. Whoever
asks and the user concerned are locked until then, in one order: of two admins who take each
other's role away, the second is refused, and the company keeps one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from noc.extensions import session
from noc.identity import links, users
from noc.identity.capabilities import ADMIN, PLATFORM, ROLES
from noc.identity.models import User
from noc.identity.principal import Principal
from noc.identity.words import BadField
from noc.rest.problems import Problem, not_found


def create(principal: Principal, values: dict[str, Any]) -> User:
    """A new user of the principal's company; 403 and 422 as the interface says."""
    if values["role"] == "platform_admin":
        _check_platform(principal)
    try:
        return users.create_user(principal.tenant_id, **values)
    except BadField as error:
        raise refused("user", error) from error


def change(
    principal: Principal,
    user_id: int,
    *,
    now: dt.datetime,
    name: str | None = None,
    role: str | None = None,
    site_ids: Collection[int] | None = None,
    version: str | None = None,
) -> User:
    """Another name, role or limit to sites (none: every site); None leaves it as it is.

    In force with the user's next request; open feeds end when they may do less. 409 for the own
    role and sites, and where the user is no longer the ``version`` that whoever asks has seen.
    """
    itself = role is None and site_ids is None
    user = _other(principal, user_id, "Nobody changes their own role or sites", itself=itself)
    if role == "platform_admin" and user.role != role:
        _check_platform(principal)
    try:
        users.change(user, name=name, role=role, site_ids=site_ids, version=version, now=now)
    except BadField as error:
        raise refused("user", error) from error
    return user


def disable(principal: Principal, user_id: int, *, now: dt.datetime) -> User:
    """Let the user in no more; their sign-ins end at once. 409 for oneself."""
    user = _other(principal, user_id, "Nobody deactivates themselves")
    users.deactivate(user, now=now)
    return user


def enable(principal: Principal, user_id: int, *, now: dt.datetime) -> User:
    """Let the user in again, with the password they had."""
    user = _other(principal, user_id, "Nobody activates themselves")
    users.activate(user, now=now)
    return user


def set_password(principal: Principal, user_id: int, password: str, *, now: dt.datetime) -> User:
    """A new password, also one's own; sign-ins made with the old one end."""
    user = _other(principal, user_id, "", itself=True)
    try:
        users.set_password(user, password, now=now)
    except BadField as error:
        raise refused("password", error) from error
    return user


def make_link(principal: Principal, user_id: int, *, now: dt.datetime) -> tuple[User, str]:
    """The path of a link that signs the user in, once, within 15 minutes. 409 for whoever is

    deactivated, and for oneself.
    """
    user = _other(principal, user_id, "Nobody makes a link for themselves")
    if not user.active:
        raise Problem(409, f"{user.name} is deactivated: no link would let them in.")
    return user, links.one_time_link(user, now=now)


def refused(what: str, error: BadField) -> Problem:
    """422 with the field and the reason."""
    return Problem(
        422,
        f"The {what} was not accepted.",
        errors=[{"field": error.field, "reason": str(error)}],
    )


def _other(principal: Principal, user_id: int, never: str, *, itself: bool = False) -> User:
    """The user whom it concerns, locked; ``never`` says why nobody does it to themselves."""
    rows = session().scalars(
        select(User)
        .where(
            User.tenant_id == principal.tenant_id, User.id.in_({user_id, principal.user_id or 0})
        )
        .order_by(User.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {user.id: user for user in rows}
    user = found.get(user_id)
    if user is None:
        raise not_found("user")
    if principal.user_id is not None:
        asking = found.get(principal.user_id)
        if asking is None or not asking.active or ADMIN not in ROLES[asking.role]:
            raise Problem(403, f"This needs the capability {ADMIN}.", capability=ADMIN)
    if user.role == "platform_admin":
        _check_platform(principal)
    if user.id == principal.user_id and not itself:
        raise Problem(409, f"{never}; ask another admin.")
    return user


def _check_platform(principal: Principal) -> None:
    """An admin of the tenant must not become, or unseat, an admin of the platform."""
    if not principal.may(PLATFORM):
        raise Problem(403, "Only a platform admin may do this to a platform admin.")

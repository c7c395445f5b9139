"""Users: made, let go, given a new password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.dialects import postgresql

from noc.extensions import session
from noc.identity import passwords, sessions, trail, versions
from noc.identity.capabilities import ROLES
from noc.identity.existence import must_have_people, must_have_sites
from noc.identity.models import User, UserSite
from noc.identity.signals import access_changed
from noc.identity.trail import Target, record
from noc.identity.words import BadField, email_address, one_line


def create_user(
    tenant_id: int,
    email: str,
    name: str,
    role: str,
    password: str,
    site_ids: Collection[int] = (),
    *,
    person_id: int | None = None,
) -> User:
    """A new user of the tenant, limited to ``site_ids`` where any are given. Flushes.

    BadField (a ValueError) for an unknown role, an address that is none or is taken (addresses
    are unique over all tenants), a password that may not be set, and a site or person that the
    tenant does not have.
    """
    address = email_address(email)
    full_name = one_line(name, "name")
    _check_role(role)
    passwords.check_password(password, unlike=(address, full_name))
    must_have_sites(tenant_id, site_ids, "site_ids")
    must_have_people(tenant_id, () if person_id is None else (person_id,), "person_id")
    values = {
        "tenant_id": tenant_id,
        "email": address,
        "name": full_name,
        "role": role,
        "password_hash": passwords.hash_password(password),
        "person_id": person_id,
    }
    user_id = session().scalar(
        postgresql.insert(User)
        .values(values)
        .on_conflict_do_nothing(index_elements=[User.email])
        .returning(User.id)
    )
    if user_id is None:
        # The same words whoever has it: one company is not told who works for another.
        raise BadField("email", f"{address} cannot be the address of a new user")
    _limit(tenant_id, user_id, site_ids)
    record(
        "user.created",
        Target("user", user_id, full_name),
        {"email": address, "role": role, "site_ids": sorted(set(site_ids))},
    )
    return session().get_one(User, (tenant_id, user_id))


def find_user(tenant_id: int, email: str) -> User:
    """The tenant's user with this address; LookupError where there is none."""
    user = session().scalar(
        select(User).where(User.tenant_id == tenant_id, User.email == email.strip().lower())
    )
    if user is None:
        raise LookupError(f"there is no user {email!r} in this tenant")
    return user


def state(name: str, role: str, site_ids: Collection[int] | None) -> dict[str, Any]:
    """What of a user :func:`change` changes; the ``version`` is of this."""
    return {"name": name, "role": role, "site_ids": sorted(site_ids or ())}


def named(text: str) -> ColumnElement[bool]:
    """Whose name or address has ``text`` in it, in any case."""
    by_name = User.name.icontains(text, autoescape=True)
    return by_name | User.email.icontains(text, autoescape=True)


def set_password(user: User, password: str, *, now: dt.datetime) -> None:
    """A new password; ends every sign-in made with the old one. BadField if it may not be set."""
    passwords.check_password(password, unlike=(user.email, user.name))
    user.password_hash = passwords.hash_password(password)
    sessions.end_all(user.tenant_id, user.id, now)
    record("user.password_set", _target(user), now=now)


def change(
    user: User,
    *,
    now: dt.datetime,
    name: str | None = None,
    role: str | None = None,
    site_ids: Collection[int] | None = None,
    version: str | None = None,
) -> None:
    """Another name, role or limit to sites (none: every site); None leaves it as it is.

    The user is locked. BadField for what cannot be; 409 where they are no longer the ``version``
    that was seen. In force with the next request; open feeds of whoever may do less are told.
    """
    limits = site_limits(user.tenant_id, [user.id]).get(user.id, [])
    before = state(user.name, user.role, limits)
    versions.check(version, before, _target(user))
    after: dict[str, Any] = {}
    if name is not None:
        after["name"] = one_line(name, "name")
    if role is not None:
        _check_role(role)
        after["role"] = role
    if site_ids is not None:
        must_have_sites(user.tenant_id, site_ids, "site_ids")
        after["site_ids"] = sorted(set(site_ids))
    changed = trail.changes(before, after)
    if not changed:
        return
    user.name, user.role = after.get("name", user.name), after.get("role", user.role)
    if "site_ids" in changed:
        session().execute(
            delete(UserSite).where(
                UserSite.tenant_id == user.tenant_id, UserSite.user_id == user.id
            )
        )
        _limit(user.tenant_id, user.id, after["site_ids"])
    session().flush()
    record("user.changed", _target(user), changed, now=now)
    access_changed.send("identity", tenant_id=user.tenant_id)


def deactivate(user: User, *, now: dt.datetime) -> None:
    """Let the user in no more, and end their sign-ins at once. What they did stays theirs."""
    if user.active:
        record("user.deactivated", _target(user), now=now)
    user.active = False
    sessions.end_all(user.tenant_id, user.id, now)


def activate(user: User, *, now: dt.datetime) -> None:
    """Let the user in again, with the password they had."""
    if not user.active:
        record("user.activated", _target(user), now=now)
    user.active = True


def site_limits(tenant_id: int, user_ids: Collection[int]) -> dict[int, list[int]]:
    """The sites each of these users is limited to; users who see all are left out. One query."""
    limits: dict[int, list[int]] = {}
    rows = session().execute(
        select(UserSite.user_id, UserSite.site_id)
        .where(UserSite.tenant_id == tenant_id, UserSite.user_id.in_(user_ids))
        .order_by(UserSite.user_id, UserSite.site_id)
    )
    for user_id, site_id in rows:
        limits.setdefault(user_id, []).append(site_id)
    return limits


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise BadField("role", f"there is no role {role!r}; choose from {', '.join(ROLES)}")


def _limit(tenant_id: int, user_id: int, site_ids: Collection[int]) -> None:
    if site_ids:
        limits = [
            {"tenant_id": tenant_id, "user_id": user_id, "site_id": site_id}
            for site_id in sorted(set(site_ids))
        ]
        session().execute(insert(UserSite), limits)


def _target(user: User) -> Target:
    return Target("user", user.id, user.name)

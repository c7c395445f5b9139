"""Who may do what with on call: as the REST interface has it."""

from __future__ import annotations

from noc.identity.capabilities import ADMIN, OPERATE, VIEW
from noc.identity.guard import check, check_whole_tenant
from noc.identity.principal import Principal, required_principal


def look() -> Principal:
    """Whoever may see whose turn it is; 403 otherwise."""
    return check(VIEW)


def take_over() -> Principal:
    """Whoever may take a time over; 403 otherwise."""
    return check(OPERATE)


def may_take_over() -> bool:
    """Whether :func:`take_over` would let this reader, who must be a person."""
    principal = required_principal()
    return principal.may(OPERATE) and principal.user_id is not None


def arrange() -> Principal:
    """Whoever may make and change schedules and policies; 403 otherwise."""
    check(ADMIN)
    return check_whole_tenant()


def may_arrange() -> bool:
    """Whether :func:`arrange` would let this reader."""
    principal = required_principal()
    return principal.may(ADMIN) and principal.site_ids is None

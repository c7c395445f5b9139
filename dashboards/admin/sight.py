"""Who may do what on the page Administration: as the REST interface has it."""

from __future__ import annotations

from typing import NamedTuple

from noc.identity.capabilities import ADMIN, OPERATE
from noc.identity.guard import check, check_whole_tenant
from noc.identity.principal import Principal, required_principal


class Need(NamedTuple):
    """The capability that a part takes, and whether it takes the whole company."""

    capability: str = ADMIN
    whole: bool = True


NEEDS: dict[str, Need] = {
    "users": Need(),
    "tokens": Need(),
    "settings": Need(),
    "sites": Need(whole=False),
    "notifications": Need(),
    "windows": Need(OPERATE, whole=False),
    "jobs": Need(),
    "trail": Need(),
}
"""Every part by its name in the address, in the order of the tabs."""


def act(part: str) -> Principal:
    """Whoever asks, if they may use the part; 403 otherwise."""
    need = NEEDS[part]
    principal = check(need.capability)
    return check_whole_tenant() if need.whole else principal


def open_to(principal: Principal) -> list[str]:
    """The parts that are not closed to the principal."""
    return [part for part, need in NEEDS.items() if principal.may(need.capability)]


def sees_all() -> bool:
    """Whether the reader is limited to no sites."""
    return required_principal().site_ids is None

"""What the page of a person reads beside the scores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from noc.fraud import hearing, portrait
from noc.fraud.links import links
from noc.identity.principal import required_principal

T = TypeVar("T")


def profile(person_id: int, now: dt.datetime) -> dict[str, Any]:
    """When, where and on which phones the person punches."""
    return _scoped(portrait.portrait, person_id, now=now)


def verdicts(person_id: int) -> dict[str, Any]:
    """The verdicts on the person's punches, latest first."""
    return _scoped(portrait.verdicts_on, person_id)


def linked(person_id: int, now: dt.datetime) -> dict[str, Any]:
    """People who used the same phones, or punch together unusually often."""
    return _scoped(links, person_id, now=now)


def said(person_id: int) -> list[dict[str, Any]]:
    """What was written down of the person's side, latest first."""
    return _scoped(hearing.said_by, person_id)


def hear(punch_id: int, words: str, now: dt.datetime) -> hearing.Heard:
    """Write down the guard's side of a punch; Problems as ``noc.fraud.hearing``. Not committed."""
    principal = required_principal()
    return hearing.hear(
        punch_id,
        words,
        tenant_id=principal.tenant_id,
        user_id=principal.user_id,
        now=now,
        site_ids=principal.site_ids,
    )


def _scoped(read: Callable[..., T], person_id: int, **more: Any) -> T:
    principal = required_principal()
    return read(person_id, tenant_id=principal.tenant_id, site_ids=principal.site_ids, **more)

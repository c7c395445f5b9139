"""What can be looked at, and where it stands, asked of the folders above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from noc.extensions import db
from noc.monitoring import metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target stands: its site, None for one of the whole company."""

    site_id: int | None


_places: dict[str, Callable[[int], Place | None]] = {}


def use_place(kind: str, look_up: Callable[[int], Place | None]) -> None:
    """Where targets of the kind stand is asked of ``look_up``: None for what there is not."""
    _places[kind] = look_up


def find_place(target: Any) -> Place | None:
    """Where the target stands; None for what there is not, or is no target at all.

    None, too, while the database cannot be asked.
    """
    if not isinstance(target, str) or len(target) > 40:
        return None
    kind, _, key = target.partition(":")
    look_up = _places.get(kind)
    plain = key.isascii() and key.isdecimal() and len(key) <= 18 and not key.startswith("0")
    if look_up is None or not plain:
        return None
    try:
        return look_up(int(key))
    except SQLAlchemyError as error:
        metrics.FAILURES.labels("presence").inc()
        log.warning("presence_cannot_look", error=str(error).splitlines()[0])
        return None
    finally:
        # A socket that waits must not hold a connection of the database.
        db.session.remove()

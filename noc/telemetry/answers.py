"""What ``telemetry/signals/<person>/`` answers, kept for a while."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import select

from noc.database.tenancy import required_tenant
from noc.extensions import redis_client, session
from noc.identity.principal import Principal
from noc.identity.tenant_settings import tenant_settings
from noc.rest.cache import cached
from noc.rest.keyset import BIGGEST_ID
from noc.rest.problems import not_found
from noc.rest.quantities import UtcMoment
from noc.telemetry.collection import collect_signals
from noc.workforce.models import Person, Site

DEFAULT_WINDOW = 120
MAX_WINDOW = 7 * 1440


class SignalsQuery(BaseModel):
    """The window asked for: ``window_minutes`` up to ``at``, which is now where it is not given."""

    model_config = ConfigDict(extra="forbid")

    window_minutes: int = Field(default=DEFAULT_WINDOW, ge=1, le=MAX_WINDOW)
    at: UtcMoment | None = None
    fresh: bool = False

    @field_validator("at", mode="before")
    @classmethod
    def _plus_was_decoded(cls, value: Any) -> Any:
        # An unescaped '+' of an offset arrives as a space; no time has one before its offset.
        return value.replace(" ", "+") if isinstance(value, str) and "T" in value else value


def signals_answer(
    person_id: int, query: SignalsQuery, *, principal: Principal, now: dt.datetime
) -> tuple[dict[str, Any], bool]:
    """The answer's ``data`` and whether it was kept from before; see ``collected_at`` in it.

    Problem 404 for a stranger to the tenant, or to the sites that the reader may see.
    """
    if not 0 < person_id <= BIGGEST_ID:
        raise not_found("person")
    at = query.at.isoformat() if query.at else "now"
    answer, kept = cached(
        redis_client(),
        f"{principal.tenant_id}:signals:{person_id}:{query.window_minutes}:{at}",
        tenant_settings().telemetry_cache_ttl,
        lambda: _collect(person_id, query, now),
        fresh=query.fresh,
    )
    if not principal.sees_site(answer["site_id"]):
        raise not_found("person")
    return answer, kept


def _collect(person_id: int, query: SignalsQuery, now: dt.datetime) -> dict[str, Any]:
    tenant_id = required_tenant()
    person = (
        session()
        .execute(
            select(Person.name, Person.home_site_id, Site.name.label("site_name"))
            .outerjoin(
                Site, (Site.tenant_id == Person.tenant_id) & (Site.id == Person.home_site_id)
            )
            .where(Person.tenant_id == tenant_id, Person.id == person_id)
        )
        .one_or_none()
    )
    if person is None:
        raise not_found("person")
    end = query.at or now
    start = end - dt.timedelta(minutes=query.window_minutes)
    signals = collect_signals([person_id], tenant_id=tenant_id, start=start, end=end)[person_id]
    return {
        "person_id": person_id,
        "person_name": person.name,
        "site_id": person.home_site_id,
        "site_name": person.site_name,
        "window_minutes": query.window_minutes,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "collected_at": now.isoformat(),
        "last_signal_at": (signals.last_signal_at.isoformat() if signals.last_signal_at else None),
        "signals": signals.as_dict(),
    }

"""What ``telemetry/signals/site/<site>/`` answers: a site's people, each and in total."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import Any

from pydantic import Field
from sqlalchemy import select, text

from noc.database.tenancy import required_tenant
from noc.extensions import redis_client, session
from noc.identity.principal import Principal
from noc.identity.tenant_settings import tenant_settings
from noc.rest.cache import cached
from noc.rest.envelope import DEFAULT_LIMIT, MAX_LIMIT
from noc.rest.problems import Problem, not_found
from noc.telemetry.answers import SignalsQuery
from noc.telemetry.collection import collect_signals
from noc.workforce.models import Site
from noc.workforce.roster import shifts_between


class SiteSignalsQuery(SignalsQuery):
    """The window, whom of the site to show, and which page of them."""

    on_duty: bool | None = Field(None, description="Those on duty in the window, or the others.")
    heard: bool | None = Field(None, description="Those heard of in the window, or the silent.")
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = None


_PEOPLE = text(
    """
    SELECT id, name, code, home_site_id = :site AS at_home FROM person
     WHERE tenant_id = :tenant AND active
       AND (home_site_id = :site OR id = ANY(CAST(:on_duty AS bigint[])))
     ORDER BY id
    """
)


def site_signals_answer(
    site_id: int, query: SiteSignalsQuery, *, principal: Principal, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """The answer's ``data``, its ``pagination``, and whether it was kept from before.

    Active people who are at home on the site, or were on its roster in the window; what is heard
    of them counts wherever they are. The filters narrow people, not the totals. Problem 404 for a
    site that is not there, or not the reader's.
    """
    if not principal.sees_site(site_id):
        raise not_found("site")
    after = _after(query.cursor)
    at = query.at.isoformat() if query.at else "now"
    answer, kept = cached(
        redis_client(),
        f"{principal.tenant_id}:signals-of-site:{site_id}:{query.window_minutes}:{at}",
        tenant_settings().telemetry_cache_ttl,
        lambda: _collect(site_id, query, now),
        fresh=query.fresh,
    )
    people = [
        one
        for one in answer["people"]
        if one["person_id"] > after
        and query.on_duty in (None, one["on_duty"])
        and query.heard in (None, one["last_signal_at"] is not None)
    ]
    page = people[: query.limit]
    more = len(people) > query.limit
    pagination = {
        "next_cursor": _cursor(page[-1]["person_id"]) if more else None,
        "limit": query.limit,
    }
    return answer | {"people": page}, pagination, kept


def _collect(site_id: int, query: SiteSignalsQuery, now: dt.datetime) -> dict[str, Any]:
    """Everything about the site's window; four queries, however many people."""
    tenant_id = required_tenant()
    name = session().scalar(
        select(Site.name).where(Site.tenant_id == tenant_id, Site.id == site_id)
    )
    if name is None:
        raise not_found("site")
    end = query.at or now
    start = end - dt.timedelta(minutes=query.window_minutes)
    duties = shifts_between(start, end, tenant_id=tenant_id, site_ids=[site_id])
    on_duty = {duty.person_id for duty in duties}
    people = (
        session()
        .execute(_PEOPLE, {"tenant": tenant_id, "site": site_id, "on_duty": sorted(on_duty)})
        .all()
    )
    signals = collect_signals(
        [person.id for person in people], tenant_id=tenant_id, start=start, end=end
    )
    shown = [
        {
            "person_id": person.id,
            "person_name": person.name,
            "person_code": person.code,
            "on_duty": person.id in on_duty,
            "last_signal_at": _moment(signals[person.id].last_signal_at),
            "signals": signals[person.id].as_dict(),
        }
        for person in people
    ]
    return {
        "site_id": site_id,
        "site_name": name,
        "window_minutes": query.window_minutes,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "collected_at": now.isoformat(),
        "active_people": len(shown),
        "people_on_duty": len(on_duty),
        "people_heard": sum(one["last_signal_at"] is not None for one in shown),
        "signals": _totals([one["signals"] for one in shown]),
        "people": shown,
    }


def _totals(signals: list[dict[str, Any]]) -> dict[str, Any]:
    names = (
        "phone_events_count",
        "location_updates_count",
        "movement_distance_meters",
        "tasks_completed_count",
        "tour_checkpoints_scanned",
    )
    totals = {name: sum(one[name] for one in signals) for name in names}
    return totals | {"movement_distance_meters": round(totals["movement_distance_meters"], 2)}


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def _cursor(person_id: int) -> str:
    return base64.urlsafe_b64encode(f"person:{person_id}".encode()).decode().rstrip("=")


def _after(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        kind, _, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).partition(b":")
    except (ValueError, binascii.Error):
        kind, key = b"", b""
    if kind != b"person" or not key.isdigit() or len(key) > 19:
        raise Problem(
            422,
            "The cursor is not usable.",
            errors=[{"field": "cursor", "reason": "was not given out by this list"}],
        )
    return int(key)

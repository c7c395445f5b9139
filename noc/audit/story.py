"""What happened around an incident, and when it became known: for its time line and its replay.

Each row has ``at``, when it happened, and ``known_at``, when it was first told here: a phone
that was offline sends later. Statements are as many for an hour as for a week.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from noc.audit import story_sql as sql
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.fraud.geofence import EARTH_RADIUS_M
from noc.workforce.roster import shifts_between

PAD = (dt.timedelta(minutes=30), dt.timedelta(hours=2))
"""Before and after the incident half of its length is shown, but no less and no more than this."""

BIN_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 240)
BINS = 120
"""Phone signals are counted in bins, at most about so many."""

FIXES = 1500
"""Of more fixes every second, third ... is shown; the last always."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """What happened from ``start`` to ``end``, each list by time.

    ``signals``: ``n`` signals of the phone in the bin ``slot`` (of ``bin_minutes``, from
    ``start``), all known by ``known_at``. ``fixes``: metres ``x`` east and ``y`` north of the
    site. ``steps``: what people did. ``linked`` alerts and findings are those of the incident.
    """

    start: dt.datetime
    end: dt.datetime
    site: Row | None
    alerts: list[Row]
    findings: list[Row]
    punches: list[Row]
    tickets: list[Row]
    steps: list[Row]
    signals: list[Row]
    bin_minutes: int
    fixes: list[Row]
    fixes_of: int


def tell(
    incident: Mapping[str, Any], *, now: dt.datetime, site_ids: Collection[int] | None = None
) -> Story:
    """The story of an incident of :func:`noc.incidents.queries.find_incident`.

    About a person it tells of that person, and of what concerns the site and nobody; about a
    site alone of those on its roster in that time. ``site_ids``: the sites that whoever asks is
    limited to. Ten statements at most.
    """
    tenant = required_tenant()
    start, end = period(incident["window_start"], incident["window_end"], now)
    minutes = _bin_minutes(end - start)
    parameters = {
        "tenant": tenant,
        "incident": incident["id"],
        "person": incident["person_id"],
        "people": _people(incident, start, end, tenant),
        "site": incident["site_id"],
        "sites": None if site_ids is None else sorted(site_ids),
        "start": start,
        "end": end,
        "seconds": minutes * 60,
        "limit": FIXES,
    }
    alerts = _rows(sql.ALERTS, parameters)
    findings = [
        finding | {"linked": f"finding:{finding['id']}" in incident["signals"]}
        for finding in _rows(sql.FINDINGS, parameters)
    ]
    evidence = [("incident", str(incident["id"]))]
    evidence += [("alert", str(alert["id"])) for alert in alerts if alert["linked"]]
    evidence += [("finding", str(finding["id"])) for finding in findings]
    parameters |= {
        "alerts": [alert["id"] for alert in alerts],
        "findings": [finding["id"] for finding in findings],
        "kinds": [kind for kind, _ in evidence],
        "refs": [ref for _, ref in evidence],
    }
    tickets = _rows(sql.TICKETS, parameters)
    parameters["tickets"] = [ticket["id"] for ticket in tickets]
    site = next(iter(_rows(sql.SITE, parameters)), None)
    fixes = _rows(sql.FIXES, parameters)
    steps = _rows(sql.STEPS, parameters) + _notes(incident, start, end)
    return Story(
        start=start,
        end=end,
        site=_placed(site),
        alerts=alerts,
        findings=findings,
        punches=_rows(sql.PUNCHES, parameters),
        tickets=tickets,
        steps=sorted(steps, key=lambda step: step["at"]),
        signals=_rows(sql.SIGNALS, parameters),
        bin_minutes=minutes,
        fixes=[_fix(fix, site) for fix in fixes] if site else [],
        fixes_of=fixes[-1]["total"] if fixes else 0,
    )


def period(
    first: dt.datetime, last: dt.datetime, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """The incident's window with some time before and after it, never beyond ``now``."""
    pad = min(max((last - first) / 2, PAD[0]), PAD[1])
    return first - pad, max(min(last + pad, now), first)


def metres(lat: float, lon: float, site: Mapping[str, Any]) -> tuple[float, float]:
    """Metres east and north of the site, on a plane that touches the earth there.

    Exact enough for the few kilometres that a map of a site shows.
    """
    scale = math.radians(1.0) * EARTH_RADIUS_M
    # The short way round, for a site beside the date line.
    degrees = (lon - site["lon"] + 180) % 360 - 180
    east = degrees * scale * math.cos(math.radians(site["lat"]))
    return round(east, 1), round((lat - site["lat"]) * scale, 1)


def _people(
    incident: Mapping[str, Any], start: dt.datetime, end: dt.datetime, tenant: int
) -> list[int]:
    if incident["person_id"] is not None:
        return [incident["person_id"]]
    duties = shifts_between(start, end, tenant_id=tenant, site_ids=[incident["site_id"]])
    return sorted({duty.person_id for duty in duties})


def _bin_minutes(length: dt.timedelta) -> int:
    minutes = length / dt.timedelta(minutes=1)
    return next((size for size in BIN_MINUTES if minutes / size <= BINS), 24 * 60)


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[Row]:
    query = text(statement)
    wanted = {name: parameters[name] for name in query.compile().params}
    return [dict(row) for row in session().execute(query, wanted).mappings()]


def _notes(incident: Mapping[str, Any], start: dt.datetime, end: dt.datetime) -> list[Row]:
    rows = []
    for note in incident["investigation_notes"]:
        at = dt.datetime.fromisoformat(note["at"])
        if start <= at <= end:
            rows.append(
                {
                    "about": "incident",
                    "ref": str(incident["id"]),
                    "action": "note",
                    "new_status": None,
                    "note": note["text"],
                    "user_name": note["user_name"],
                    "at": at,
                }
            )
    return rows


def _placed(site: Row | None) -> Row | None:
    """The site with its polygon, where it has one, in metres around its centre."""
    if site is None:
        return None
    ring = site["geofence_polygon"] or []
    corners = [metres(lat, lon, site) for lon, lat in ring] if len(ring) >= 3 else None
    return {**site, "ring": corners}


def _fix(fix: Row, site: Mapping[str, Any]) -> Row:
    x, y = metres(fix["lat"], fix["lon"], site)
    return {
        "x": x,
        "y": y,
        "accuracy": fix["accuracy"],
        "person_id": fix["person_id"],
        "at": fix["at"],
        "known_at": fix["known_at"],
    }

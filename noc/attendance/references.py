"""Which people, sites and devices the punches of a batch speak of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from noc.attendance.schemas import Punch
from noc.extensions import session

_KNOWN = text(
    """
    SELECT 'person' AS kind, id, NULL AS code FROM person
     WHERE tenant_id = :tenant_id AND id = ANY(CAST(:people AS bigint[]))
    UNION ALL
    SELECT 'site', id, NULL FROM site
     WHERE tenant_id = :tenant_id AND id = ANY(CAST(:sites AS bigint[]))
    UNION ALL
    SELECT 'device', id, NULL FROM device
     WHERE tenant_id = :tenant_id AND id = ANY(CAST(:devices AS bigint[]))
    UNION ALL
    SELECT 'code', id, code FROM device
     WHERE tenant_id = :tenant_id AND code = ANY(CAST(:codes AS text[]))
    """
)

_REGISTER = text(
    """
    INSERT INTO device (tenant_id, code)
    SELECT :tenant_id, code FROM unnest(CAST(:codes AS text[])) AS code ORDER BY code
    ON CONFLICT (tenant_id, code) DO NOTHING
    """
)

_BY_CODE = text(
    """
    SELECT id, code FROM device
     WHERE tenant_id = :tenant_id AND code = ANY(CAST(:codes AS text[]))
    """
)

# Locked in the order of their ids first, so that two batches of the same phones never wait for
# each other in a ring.
_USED = text(
    """
    WITH used AS (
        SELECT * FROM unnest(
            CAST(:devices AS bigint[]), CAST(:people AS bigint[]), CAST(:moments AS timestamptz[])
        ) AS u (device_id, person_id, used_at)
    ), locked AS MATERIALIZED (
        SELECT d.id FROM device d JOIN used u ON u.device_id = d.id
         WHERE d.tenant_id = :tenant_id ORDER BY d.id FOR NO KEY UPDATE OF d
    )
    UPDATE device d SET last_person_id = u.person_id, last_used_at = u.used_at
      FROM used u JOIN locked l ON l.id = u.device_id
     WHERE d.tenant_id = :tenant_id AND d.id = u.device_id
       AND (d.last_used_at IS NULL OR d.last_used_at < u.used_at)
    """
)


@dataclass(slots=True)
class Known:
    """Ids that exist in the tenant, and ids of devices by code."""

    people: set[int] = field(default_factory=set)
    sites: set[int] = field(default_factory=set)
    devices: set[int] = field(default_factory=set)
    codes: dict[str, int] = field(default_factory=dict)

    def refusal(self, punch: Punch) -> tuple[str, str] | None:
        """The field that names something unknown and the reason, None where all is known."""
        if punch.person_id not in self.people:
            return "person_id", "there is no such person"
        if punch.site_id not in self.sites:
            return "site_id", "there is no such site"
        if isinstance(punch.device_id, int) and punch.device_id not in self.devices:
            return "device_id", "there is no such device"
        return None

    def device_of(self, punch: Punch) -> int | None:
        """The id of the device that the punch was made with."""
        if isinstance(punch.device_id, str):
            return self.codes[punch.device_id]
        return punch.device_id


def look_up(punches: Iterable[Punch], *, tenant_id: int) -> Known:
    """What the tenant has of what the punches name. One query."""
    punches = list(punches)
    if not punches:
        return Known()
    named = {punch.device_id for punch in punches}
    known = Known()
    rows = session().execute(
        _KNOWN,
        {
            "tenant_id": tenant_id,
            "people": sorted({punch.person_id for punch in punches}),
            "sites": sorted({punch.site_id for punch in punches}),
            "devices": sorted(one for one in named if isinstance(one, int)),
            "codes": sorted(one for one in named if isinstance(one, str)),
        },
    )
    ids = {"person": known.people, "site": known.sites, "device": known.devices}
    for kind, key, code in rows:
        if kind == "code":
            known.codes[code] = key
        else:
            ids[kind].add(key)
    return known


def register_devices(punches: Iterable[Punch], known: Known, *, tenant_id: int) -> None:
    """Make a device of each code that is new. Two queries, or none; two at once make one."""
    named = {punch.device_id for punch in punches if isinstance(punch.device_id, str)}
    new = sorted(named - known.codes.keys())
    if not new:
        return
    parameters = {"tenant_id": tenant_id, "codes": new}
    session().execute(_REGISTER, parameters)
    # What another transaction registered meanwhile was not ours to return; now it is visible.
    for key, code in session().execute(_BY_CODE, parameters):
        known.codes[code] = key


@dataclass(frozen=True, slots=True)
class Use:
    """A person used a device at a moment."""

    device_id: int
    person_id: int
    used_at: dt.datetime


def note_use(uses: Sequence[Use], *, tenant_id: int) -> None:
    """Keep who used each device last, only forward in time. One query, or none."""
    latest: dict[int, Use] = {}
    for use in sorted(uses, key=lambda use: use.used_at):
        latest[use.device_id] = use
    if not latest:
        return
    session().execute(
        _USED,
        {
            "tenant_id": tenant_id,
            "devices": list(latest),
            "people": [use.person_id for use in latest.values()],
            "moments": [use.used_at for use in latest.values()],
        },
    )

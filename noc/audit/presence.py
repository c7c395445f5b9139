"""Who is on duty now, and of whom something was heard: a cheap look, without fixes and rounds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text

from noc.audit.rules import pulse
from noc.audit.watch import WINDOW
from noc.extensions import session
from noc.identity.site_settings import SiteSettings
from noc.workforce.roster import on_duty

# The latest sign of each person by its index; the partitions of the window alone are touched.
_HEARD = text(
    """
    SELECT p.id, p.name, greatest(
        (SELECT max(occurred_at) FROM phone_event WHERE tenant_id = :tenant
            AND person_id = p.id AND occurred_at > :since AND occurred_at <= :at),
        (SELECT max(occurred_at) FROM location_update WHERE tenant_id = :tenant
            AND person_id = p.id AND occurred_at > :since AND occurred_at <= :at),
        (SELECT max(occurred_at) FROM task_completion WHERE tenant_id = :tenant
            AND person_id = p.id AND occurred_at > :since AND occurred_at <= :at),
        (SELECT max(endtime) FROM jobneed WHERE tenant_id = :tenant AND kind = 'checkpoint'
            AND person_id = p.id AND endtime > :since AND endtime <= :at),
        (SELECT max(occurred_at) FROM attendance_event WHERE tenant_id = :tenant
            AND person_id = p.id AND voided_at IS NULL
            AND occurred_at > :since AND occurred_at <= :at)
    ) AS heard_at
    FROM person p WHERE p.tenant_id = :tenant AND p.id = ANY(:people) AND p.active
    """
)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody on duty. ``heard_at``: the last sign of life in two hours, None for none.

    ``silent``: nothing for a whole pulse of the shift (AUDIT_PULSE_MINUTES), as the audit says.
    """

    person_id: int
    person_name: str
    site_id: int
    heard_at: dt.datetime | None
    since: dt.datetime
    silent: bool


def presence(
    at: dt.datetime,
    *,
    tenant_id: int,
    config: SiteSettings,
    site_ids: Collection[int] | None = None,
) -> list[Present]:
    """Everybody on duty at ``at``, the longest silent first. Two queries, or one for nobody.

    ``config`` has ``audit_pulse_minutes``. ``site_ids``: the sites whoever asks is limited to.
    """
    duties = on_duty(at, tenant_id=tenant_id, site_ids=site_ids)
    duties = [duty for duty in duties if duty.starts_at <= at < duty.ends_at]
    if not duties:
        return []
    people = sorted({duty.person_id for duty in duties})
    rows = session().execute(
        _HEARD, {"tenant": tenant_id, "people": people, "since": at - WINDOW, "at": at}
    )
    known = {row.id: row for row in rows}
    found = []
    for duty in duties:
        person = known.get(duty.person_id)
        if person is None:  # Has left the company, and is still on the roster.
            continue
        since = max(filter(None, (person.heard_at, duty.starts_at)))
        silent = at - since >= pulse(config, duty.site_id)
        found.append(Present(person.id, person.name, duty.site_id, person.heard_at, since, silent))
    return sorted(found, key=lambda one: (not one.silent, one.since, one.person_name))

"""Who is on call in the first of the simulated companies, and who is told when they are silent."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from noc.demo.places import COMPANIES
from noc.demo.storing import Ids
from noc.demo.world import Company
from noc.oncall import policies, schedules
from noc.oncall.schemas import PolicyIn, ScheduleIn

MEMBERS = ("supervisor", "supervisor2", "operator")
"""Whose turn it is, a week each."""

_BEGUN = dt.timedelta(days=14)


def be_on_call(company: Company, ids: Ids, now: dt.datetime) -> None:
    """Make a schedule and a policy, if this is the company that has them. The caller commits.

    Once its past is stored: what was raised then is answered by nobody any more. Nothing leaves
    the machine of a simulated company, so that the alerts' histories tell who would have been told.
    """
    if company.plan is not COMPANIES[0]:
        return
    zone = company.places[0].city.timezone
    schedule = schedules.create(
        ScheduleIn.model_validate(
            {
                "name": "NOC on call",
                "timezone": zone,
                "members": [ids.users[name] for name in MEMBERS],
                "rotation": "weekly",
                "handover_time": "08:00",
                "handover_weekday": "monday",
                "starts_on": (now.astimezone(ZoneInfo(zone)).date() - _BEGUN).isoformat(),
            }
        ),
        now=now,
    )
    steps = [
        {"after_minutes": 5, "schedules": [schedule.id]},
        {"after_minutes": 10, "users": [ids.users["manager"]]},
    ]
    policies.create(
        PolicyIn.model_validate(
            {
                "name": "Critical alerts",
                "position": 10,
                "min_severity": "CRITICAL",
                "steps": steps,
            }
        ),
        now=now,
    )

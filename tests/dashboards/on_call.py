"""On call: rows of it, and the calls of its page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from noc.alerts.dedup import AlertInput
from noc.alerts.process import process_alert
from noc.database.base import utcnow
from noc.extensions import session
from noc.oncall import escalation, policies, schedules
from noc.oncall.schemas import PolicyIn, ScheduleIn
from tests.dashboards.conftest import Reader

MINUTE = dt.timedelta(minutes=1)


def schedule(*members: int, **values: Any) -> int:
    """The members by turns, a week each; the first one's began on Monday."""
    now = utcnow()
    monday = (now - dt.timedelta(days=now.weekday())).date()
    given = {
        "name": "Night desk", "timezone": "UTC", "members": list(members), "rotation": "weekly",
        "handover_weekday": "monday", "handover_time": "00:00", "starts_on": monday.isoformat(),
    }  # fmt: skip
    return schedules.create(ScheduleIn(**given | values), now=now).id


def policy(*steps: dict[str, Any], **values: Any) -> int:
    given = {"name": "Critical", "position": 1, "min_severity": "CRITICAL", "steps": list(steps)}
    return policies.create(PolicyIn(**given | values), now=utcnow()).id


def alert(minutes: float, message: str = "Door forced", **values: Any) -> int:
    """A critical alert that came so many minutes ago; what was due since then was taken."""
    at = utcnow() - minutes * MINUTE
    given = {"alert_type": "DOOR", "severity": "CRITICAL", "dedup_key": message}
    made = process_alert(AlertInput(message=message, occurred_at=at, **given | values), now=at)
    session().commit()
    for minute in range(int(minutes) + 1):
        while escalation.take_next(now=at + minute * MINUTE):
            session().commit()
    return made.id


def page(reader: Reader, search: str = "") -> Any:
    values = {"url.pathname": "/app/on-call", "url.search": search}
    return reader.call("page.children", "url.pathname", values=values)


def cards(reader: Reader) -> Any:
    return reader.call("oncall-now.children", "oncall-clock.n_intervals", values={})


def turns(reader: Reader, days: str = "14") -> Any:
    values = {"oncall-days.value": days}
    return reader.call("oncall-strips.children", "oncall-days.value", values=values)


def runs(reader: Reader, state: str = "") -> Any:
    values = {"oncall-state.value": state}
    return reader.call("oncall-runs.children", "oncall-state.value", values=values)


def press(reader: Reader, step: str, key: int) -> Any:
    """A button of a schedule's card."""
    values = {"oncall-duty": [({"type": "oncall-duty", "step": step, "key": key}, 1)]}
    return reader.call("oncall-now.children", "oncall-duty", values=values)


def arrange(
    reader: Reader,
    step: str,
    key: str = "",
    n: int = 0,
    draft: dict[str, Any] | None = None,
    fields: dict[Any, Any] | None = None,
) -> Any:
    """A button of the lists or forms."""
    values: dict[str, Any] = {
        "oncall-step": [({"type": "oncall-step", "step": step, "key": key, "n": n}, 1)],
        "oncall-draft.data": draft,
        "oncall-field": [
            ({"type": "oncall-field", "name": name, "n": number}, value)
            for (name, number), value in (fields or {}).items()
        ],
    }
    return reader.call("oncall-arrange.children", "oncall-step", values=values)


def trial(reader: Reader, **values: Any) -> Any:
    given = {f"oncall-try-{name}.value": value for name, value in values.items()}
    return reader.call("oncall-trial.children", "oncall-try-severity.value", values=given)


def draft_of(answer: Any) -> Any:
    return answer.json["response"]["oncall-draft"]["data"]

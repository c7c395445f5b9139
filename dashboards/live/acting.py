"""What is done with alerts from their rows and from the drawer: one step, for one or for many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from dashboards import consequences, queries, words
from dashboards.callbacks import Id
from noc.alerts.schemas import MAX_BULK
from noc.alerts.steps import Outcome, take
from noc.alerts.transitions import Step
from noc.alerts.undoing import undo
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.identity.principal import Principal
from noc.incidents.ticketing import Ticketed, open_tickets
from noc.rest.problems import Problem, not_found

AlertKey = Annotated[str, Field(pattern=r"^alert:[0-9]{1,18}$")]
Action = Literal["acknowledge", "take", "assign", "snooze", "ticket", "resolve", "undo"]
Span = Literal["1h", "4h", "morning"]
Outcomes = Literal["CONFIRMED", "FALSE_POSITIVE", "FIXED", "DUPLICATE"]

MORNING = dt.time(8)
"""When the next shift begins: what is snoozed until the morning comes back at this local time."""

_AT_LEAST = dt.timedelta(hours=1)
_HOURS = {"1h": dt.timedelta(hours=1), "4h": dt.timedelta(hours=4)}

_DONE: dict[str, str] = {
    "acknowledge": "acknowledged",
    "take": "taken",
    "assign": "assigned",
    "snooze": "snoozed",
    "resolve": "resolved",
    "undo": "put back",
}


class Wanted(TypedDict):
    """What the reader wants done, and with which alerts."""

    ids: Annotated[list[AlertKey], Field(min_length=1, max_length=MAX_BULK)]
    action: Action
    number: NotRequired[Annotated[int, Field(ge=0, le=10**9)]]
    assignee: NotRequired[Id | None]
    span: NotRequired[Span | None]
    resolution: NotRequired[Outcomes | None]
    changes: NotRequired[Annotated[list[Id], Field(max_length=MAX_BULK)]]


def act(wanted: Wanted) -> dict[str, Any]:
    """Take the step on each alert; what came of it, alert by alert, and all together in words.

    403 without ``noc:operate``. What one alert refuses does not hold up the others: an item is
    ``ok`` or says why not. ``undo`` names the alerts that were changed and the entries of their
    histories, by which the action ``undo`` takes the step back (``changes``).
    """
    principal = check(OPERATE)
    ids = [int(key.removeprefix("alert:")) for key in wanted["ids"]]
    try:
        if wanted["action"] == "ticket":
            items, said = _tickets(ids, principal, utcnow())
        elif wanted["action"] == "undo":
            items, said = _undo(ids, wanted.get("changes", []), principal, utcnow())
        else:
            items, said = _steps(ids, wanted, principal, utcnow())
    except Problem as problem:
        session().rollback()
        why = _why(problem, wanted["action"])
        items, said = [{"id": f"alert:{key}", "ok": False, "words": why} for key in ids], ""
    return {
        "number": wanted.get("number", 0),
        "items": items,
        "words": said or _refusals(items),
        "undo": offer(items),
        "ticket": next((item["ticket"] for item in items if item.get("ticket")), None),
    }


def offer(items: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What the action ``undo`` is to be sent to take all of it back; None where nothing changed."""
    changed = [item for item in items if item.get("change")]
    if not changed:
        return None
    return {
        "ids": [item["id"] for item in changed],
        "changes": [item["change"] for item in changed],
    }


def until(span: Span, zone: str, now: dt.datetime) -> dt.datetime:
    """When a snooze ends: after the hours, or at the next 08:00 there that is an hour away."""
    if span in _HOURS:
        return now + _HOURS[span]
    local = now.astimezone(ZoneInfo(zone))
    day = local.date()
    while (end := dt.datetime.combine(day, MORNING, local.tzinfo)) < now + _AT_LEAST:
        day += dt.timedelta(days=1)
    return end.astimezone(dt.UTC)


def _steps(
    ids: Sequence[int], wanted: Wanted, principal: Principal, now: dt.datetime
) -> tuple[list[dict[str, Any]], str]:
    found: dict[int, dict[str, Any]] = {}
    for step, part in _plan(ids, wanted, principal, now):
        for outcome in take(step, part, site_ids=principal.site_ids):
            # Before the commit: after it each alert would be read anew.
            found[outcome.alert_id] = item_of(outcome, wanted["action"])
        # Each part on its own: locks of a second one, taken in another order, could deadlock.
        session().commit()
    items = [found[key] for key in dict.fromkeys(ids)]
    return items, _summary(items, _DONE[wanted["action"]])


def _plan(
    ids: Sequence[int], wanted: Wanted, principal: Principal, now: dt.datetime
) -> list[tuple[Step, Sequence[int]]]:
    """The steps of the domain, each with its alerts. Only the morning differs between sites."""
    action, user = wanted["action"], principal.user_id
    if action == "acknowledge":
        return [(Step("acknowledge", now, user), ids)]
    if action == "resolve":
        return [(Step("resolve", now, user, resolution=wanted.get("resolution")), ids)]
    if action == "snooze":
        span = wanted.get("span") or "1h"
        zones = queries.work.zones_of_alerts(ids) if span == "morning" else {}
        ends: dict[dt.datetime, list[int]] = {}
        for key in ids:
            ends.setdefault(until(span, zones.get(key, "UTC"), now), []).append(key)
        return [(Step("shelve", now, user, until=end), part) for end, part in ends.items()]
    assignee = user if action == "take" else wanted.get("assignee")
    return [(Step("assign", now, user, assignee_id=assignee), ids)]


def _undo(
    ids: Sequence[int], changes: Sequence[int], principal: Principal, now: dt.datetime
) -> tuple[list[dict[str, Any]], str]:
    if len(changes) != len(ids):
        raise Problem(422, "What is to be taken back does not go with these alerts.")
    wanted = dict(zip(ids, changes, strict=True))
    outcomes = undo(wanted, user_id=principal.user_id, now=now, site_ids=principal.site_ids)
    items = [item_of(outcome, "undo") for outcome in outcomes]
    session().commit()
    back = [outcome.taken_back for outcome in outcomes if outcome.changed]
    said = _summary(items, _DONE["undo"])
    return items, said and said + consequences.and_with_it(back)


def item_of(outcome: Outcome, action: str) -> dict[str, Any]:
    """What came of a step on one alert, as the page is told; to be asked before the commit."""
    key = f"alert:{outcome.alert_id}"
    if outcome.alert is None:
        problem = outcome.problem or not_found("alert")
        return {"id": key, "ok": False, "words": _why(problem, action)}
    return {
        "id": key,
        "ok": True,
        "state": outcome.alert.status,
        "assignee_id": outcome.alert.assignee_id,
        "change": outcome.change_id if action != "undo" else None,
    }


def _tickets(
    ids: Sequence[int], principal: Principal, now: dt.datetime
) -> tuple[list[dict[str, Any]], str]:
    tickets = open_tickets(
        ids, user_id=principal.user_id, now=now, site_ids=principal.site_ids, names=words.ALERT
    )
    session().commit()
    return [_ticketed(one) for one in tickets], _opened(tickets)


def _ticketed(one: Ticketed) -> dict[str, Any]:
    key = f"alert:{one.alert_id}"
    if one.problem is not None:
        return {"id": key, "ok": False, "words": _why(one.problem, "ticket")}
    return {"id": key, "ok": True, "ticket": f"ticket:{one.ticket_id}"}


def _opened(tickets: Sequence[Ticketed]) -> str:
    new = dict.fromkeys(one.number for one in tickets if one.created)
    old = dict.fromkeys(one.number for one in tickets if one.number and not one.created)
    parts = []
    if new:
        parts.append(f"{_listed(new)} opened")
    if old:
        parts.append(f"{_listed(old)} had {'it' if len(tickets) == 1 else 'some'} already")
    refused = sum(one.problem is not None for one in tickets)
    return ", ".join(parts) + (f"; {refused} refused" if parts and refused else "")


def _listed(numbers: Any) -> str:
    listed = list(numbers)
    if len(listed) == 1:
        return f"Ticket {listed[0]}"
    shown = ", ".join(listed[:3])
    return f"Tickets {shown}" + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def _summary(items: Sequence[dict[str, Any]], done: str) -> str:
    """``3 alerts acknowledged, 1 refused``; empty where all are refused."""
    good = sum(item["ok"] for item in items)
    if not good:
        return ""
    said = f"Alert {done}" if len(items) == 1 else f"{words.count(good, 'alert')} {done}"
    return said if good == len(items) else f"{said}, {len(items) - good} refused"


def _refusals(items: Sequence[dict[str, Any]]) -> str:
    reasons = dict.fromkeys(item["words"] for item in items if not item["ok"])
    return " ".join(list(reasons)[:2])


def _why(problem: Problem, action: str) -> str:
    """The problem's words, as somebody in front of the page would say them."""
    status = problem.members.get("current_status")
    if status and action != "undo":
        state = words.say(words.STATE, status).lower()
        return f"It is {state} and cannot be {_DONE[action]}."
    fields = [str(error["reason"]) for error in problem.errors]
    return " ".join([problem.detail, *(f"{field[:1].upper()}{field[1:]}." for field in fields)])

"""Schedules, policies and escalations in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashboards import words
from dashboards.marks import data
from dashboards.queries.on_call import Names
from noc.oncall.models import EscalationPolicy, OnCallSchedule

ENDED = {
    "resolve": "It was resolved by itself",
    "expire": "It was resolved by itself",
    "resolved": "It was resolved",
    "acknowledged": "It was acknowledged",
    "assigned": "It was assigned",
    "shelved": "It was shelved",
    "muted": "It was muted by a window",
    "policy_inactive": "Its policy was switched off",
    "policy_removed": "Its policy was deleted",
}
"""Why an escalation was over without an answer."""

HOW = {
    "acknowledge": "acknowledged",
    "assign": "assigned",
    "shelve": "shelved",
    "resolve": "resolved",
}
"""What somebody did who answered."""


def clock(at: dt.datetime, zone: str) -> html.Time:
    """A moment as weekday, day and time; ``assets/oncall.js`` writes it by the reader's clock,

    with the schedule's on hover.
    """
    return html.Time(local(at, zone), dateTime=at.isoformat(), className="clock", **data(zone=zone))


def until(at: dt.datetime) -> html.Time:
    """How long it is until then, kept by ``assets/oncall.js``."""
    return html.Time(
        at.strftime("%d %b, %H:%M UTC"), dateTime=at.isoformat(), className="until", title=""
    )


def local(at: dt.datetime, zone: str) -> str:
    """ "Mon 16 Nov, 08:00" by the clock of the zone."""
    return at.astimezone(ZoneInfo(zone)).strftime("%a %-d %b, %H:%M")


def listed(parts: Sequence[str]) -> str:
    """ "Ann, Ben and Cleo"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def rotation(schedule: OnCallSchedule) -> str:
    """When turns change, as half a sentence."""
    when = f"at {schedule.handover_time} ({schedule.timezone})"
    if schedule.rotation == "weekly":
        return f"A week each, handover on {(schedule.handover_weekday or '').capitalize()} {when}"
    return f"A day each, handover {when}"


def whom(step: Mapping[str, Any], names: Names) -> str:
    """Whom a step tells: "whoever is on call at Night desk, Maya and the route Pager"."""
    parts = [
        *(f"whoever is on call at {_of(names.schedules, key)}" for key in step["schedules"]),
        *(_of(names.users, key) for key in step["users"]),
        *(f"the route {_of(names.routes, key)}" for key in step["routes"]),
    ]
    return listed(parts) or "nobody"


def next_whom(step: Mapping[str, Any], names: Names) -> str:
    """The same in the fewest words: "Night desk and Maya"."""
    parts = [
        *(_of(names.schedules, key) for key in step["schedules"]),
        *(_of(names.users, key) for key in step["users"]),
        *(_of(names.routes, key) for key in step["routes"]),
    ]
    return listed(parts) or "nobody"


def takes(policy: EscalationPolicy, names: Names) -> str:
    """Which alerts a policy takes: "Critical at every site"."""
    lowest = words.say(words.SEVERITY, policy.min_severity)
    severity = {"CRITICAL": lowest, "INFO": "Every alert"}.get(
        policy.min_severity, f"{lowest} and above"
    )
    where = (
        f"at {listed([_of(names.sites, key) for key in policy.site_ids])}"
        if policy.site_ids
        else "at every site"
    )
    kinds = [words.say(words.ALERT, kind) for kind in policy.alert_types]
    return f"{severity} {where}" + (f", only {listed(kinds)}" if kinds else "")


def course(policy: EscalationPolicy, names: Names) -> str:
    """What a policy does: "after 5 min ...; 10 min later ...; gone through twice"."""
    parts = []
    for number, step in enumerate(policy.steps):
        minutes = span(step["after_minutes"])
        if number:
            when = f"{minutes} later"
        else:
            when = f"after {minutes}" if step["after_minutes"] else "at once"
        parts.append(f"{when} {whom(step, names)}")
    times = {0: "gone through once", 1: "gone through twice"}.get(
        policy.repeats, f"gone through {policy.repeats + 1} times"
    )
    return "; ".join([*parts, times])


def span(minutes: int) -> str:
    """ "45 min", "1 h", "1 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return " ".join(parts)


def standing(run: Mapping[str, Any], names: Names) -> list[Any]:
    """Where an escalation stands, as the pieces of a sentence."""
    if run["state"] == "active":
        return _under_way(run, names)
    took = span(max(round((run["ended_at"] - run["begun_at"]).total_seconds() / 60), 0))
    if run["state"] == "answered":
        who = run["answered_by_name"] or "a program"
        how = HOW.get(run["reason"] or "", "")
        return ["Answered by ", html.Strong(who), f" after {took}", how and f" ({how})"]
    if run["state"] == "exhausted":
        rounds = run["round"]
        times = {1: "once", 2: "twice"}.get(rounds, f"{rounds} times")
        return [html.Strong("Nobody answered"), f": gone through {times}, {took}"]
    return [f"{ENDED.get(run['reason'] or '', 'It was over')}, after {took}"]


def _under_way(run: Mapping[str, Any], names: Names) -> list[Any]:
    policy = run["policy"]
    steps = policy.steps if policy else []
    if run["policy_hidden"]:
        # Its policy has become one of other sites: whom that names is not for this reader.
        return [*_so_far(run, None), ", goes on ", until(run["next_at"])]
    return [*_so_far(run, len(steps)), *_next(run, steps, names)]


def _so_far(run: Mapping[str, Any], steps: int | None) -> list[Any]:
    if run["step"] == 0:
        return ["Nobody told yet"]
    turn = f"Round {run['round']}, step" if run["round"] > 1 else "Step"
    of_all = "" if steps is None else f" of {max(steps, run['step'])}"
    where = f"{turn} {run['step']}{of_all}: "
    if not run["told"]:
        return [where, "there was nobody to tell"]
    at = run["last_told_at"]
    when = [" told ", html.Time(at.isoformat(), dateTime=at.isoformat(), className="when")]
    return [where, html.Strong(listed(run["told"])), *(when if at else [" told"])]


def _next(run: Mapping[str, Any], steps: list[Any], names: Names) -> list[Any]:
    when = until(run["next_at"])
    if not steps:
        return [", ends ", when]
    if run["step"] < len(steps):
        return [", next ", html.Strong(next_whom(steps[run["step"]], names)), " ", when]
    if run["round"] <= run["policy"].repeats:
        again = html.Strong(next_whom(steps[0], names))
        return [", then all of it again: ", again, " ", when]
    return [", nobody is left to tell; given up ", when]


def _of(named: Mapping[int, str], key: int) -> str:
    return named.get(key, "somebody or something deleted")

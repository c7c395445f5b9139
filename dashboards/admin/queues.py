"""What is behind the pages: queues and workers, jobs that failed, the schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from dash import html

from dashboards import marks, states, words
from dashboards.admin import kit
from noc.identity.capabilities import PLATFORM
from noc.identity.principal import required_principal
from noc.runs import backstage

_PART = "jobs"
SHOWN = 20

QUEUES = {
    "scoring": "Scoring punches",
    "escalation": "Audit and escalation",
    "reports": "Notifications",
    "ml_queue": "Training",
    "maintenance": "Upkeep",
}
SCHEDULE = {
    "sweep": "Score what was left unscored",
    "heartbeat": "Look for guards of whom nothing is heard",
    "audit": "Full audit of the last hour",
    "baselines": "Tune thresholds",
    "training": "See whether a training is due",
    "stranded": "Take up work that was left",
    "audits": "Draw random audits",
    "drift": "Watch the model for drift",
    "shelf": "Bring back shelved alerts",
    "mutes": "Bring back muted alerts",
    "acknowledgements": "Let acknowledgements lapse",
    "on_call": "Tell who is next of alerts that nobody answers",
    "expiry": "Let forgotten alerts expire",
    "lateness": "Mark late tickets",
    "outbox": "Send what waits to be sent",
    "deliveries": "Forget old deliveries",
    "profiles": "Learn habits of guards",
    "retention": "Forget old events",
    "score_days": "Pack the scores of days that are over",
    "partitions": "Make room for the coming months",
}
"""What the schedule's entries do, by name."""


def content() -> list[Any]:
    """The three of them, each said to be away where Redis is."""
    return [
        _or_away("Queues and workers", _queues),
        _or_away("Failed jobs", _failed),
        _or_away("Schedule", _schedule),
    ]


def _or_away(title: str, build: Callable[[], Any]) -> Any:
    """Redis may be away: what is kept in the database is shown all the same."""
    try:
        return build()
    except redis.RedisError:
        notice = states.empty(
            "The queue does not answer",
            "What waits there is not lost; it goes on once the queue is back.",
            mark="alert",
        )
        return marks.section(title, notice)


def _queues() -> html.Section:
    depths, workers = backstage.depths(), backstage.workers()
    busy = workers.get("busy", 0)
    aside = html.Span(
        f"{words.count(sum(workers.values()), 'worker')}, {busy} at work"
        if workers
        else "No worker: nothing is done",
        className="muted" if workers else "admin-bad",
    )
    rows = [
        kit.row(
            words.say(QUEUES, one.name),
            ("Waiting", html.Span(f"{one.waiting:,}", className="num")),
            ("Under way", html.Span(f"{one.started:,}", className="num")),
            ("Failed this week", html.Span(f"{one.failed:,}",
                                           className="num admin-bad" if one.failed else "num")),
        )
        for one in depths
    ]  # fmt: skip
    head = ("Queue", "Waiting", "Under way", "Failed this week")
    note = html.P("Of all companies on this installation.", className="muted admin-after")
    return kit.listed(
        "Queues and workers", "queues", head, rows, label="Queues", aside=aside, note=note
    )


def _failed() -> Any:
    principal = required_principal()
    found = backstage.failed(tenant_id=principal.tenant_id, platform=principal.may(PLATFORM))[
        :SHOWN
    ]
    if not found:
        return None
    rows = [
        kit.row(
            kit.two(words.say(QUEUES, one.queue), one.job),
            ("Trouble", html.Code(one.reason)),
            ("When", marks.moment(one.ended_at)),
            ("", kit.button(_PART, "retry", "Try again", one.id)),
        )
        for one in found
    ]
    head = ("Job", "Trouble", "When", "")
    title = f"Failed jobs: {len(found)}"
    return kit.listed(title, "failed", head, rows, label="Failed jobs")


def _schedule() -> html.Section:
    entries = backstage.schedule()
    if not entries:
        why = "The scheduler puts it here when it starts. Without one nothing is done by itself."
        return marks.section("Schedule", states.empty("No schedule", why, mark="clock"))
    rows = [
        kit.row(
            words.say(SCHEDULE, entry.name),
            ("Next", marks.moment(entry.next_at, "UTC")),
            ("Times (UTC)", html.Code(entry.cron)),
        )
        for entry in entries
    ]
    head = ("What", "Next", "Times (UTC)")
    return kit.listed("Schedule", "schedule", head, rows, label="Schedule")

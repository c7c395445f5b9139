"""Jobs and queues: long work with its progress, queues and workers, the schedule, what failed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, dcc, html

from dashboards import callbacks, marks, states, words
from dashboards.admin import kit, queues, sight, steps
from dashboards.admin.said import RUNS
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from dashboards.callbacks import Clicks
from dashboards.model.standing import bar
from dashboards.model.training import stage
from noc.database.base import utcnow
from noc.fraud.retraining import runs
from noc.identity.capabilities import PLATFORM
from noc.identity.principal import required_principal
from noc.rest.problems import not_found
from noc.runs import asking, backstage, queries, schemas
from noc.runs.models import OPEN_STATES

LABEL = "Jobs and queues"
WHAT = "Looking after jobs and queues"

_PART = "jobs"
POLL_MS = 5000
SHOWN = 20

STATES = {
    "queued": "Waits",
    "running": "Under way",
    "succeeded": "Done",
    "refused": "No result",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def content(_: Mapping[str, str]) -> html.Div:
    """What is under way, waits and failed."""
    return _content()


def _content(side: Any = None) -> html.Div:
    """What the clock renews, beside what is being asked."""
    return html.Div(
        [
            dcc.Interval(id="admin-jobs-clock", interval=POLL_MS),
            dcc.Store(id="admin-jobs-tick"),
            kit.content(html.Div(_live(), id="admin-jobs-live", className="stack"), side),
        ]
    )


def register(ui: Dash) -> None:
    """Answer the buttons; follow by the feed's word and a clock."""
    steps.register(ui, _PART, act, dims=False)
    callbacks.register(
        ui,
        follow,
        Output("admin-jobs-live", "children"),
        Input("admin-jobs-clock", "n_intervals"),
        Input("admin-jobs-tick", "data"),
        prevent_initial_call=True,
    )


def follow(_clock: Clicks = None, _tick: Clicks = None) -> Any:
    """Everything as it is now."""
    sight.act(_PART)
    return kit.or_failed("The jobs", "part", _live)


def act(wanted: Pressed, _: Fields) -> Answer:
    """Take the step."""
    if wanted.step == "ask-cancel":
        return Answer(_content(_ask_cancel(wanted.key)))
    step = {"cancel": _cancel, "again": _again, "retry": _retry}.get(wanted.step)
    if step is None:
        return Answer(_content())
    done, refusal = steps.attempt(lambda: step(wanted.key))
    return Answer(_content(_outcome(done, refusal)))


def _outcome(done: str | None, refusal: Refusal | None) -> html.Section:
    return kit.side("Jobs", kit.told(refusal, done=done or ""), part=_PART)


def _cancel(key: str) -> str:
    principal = sight.act(_PART)
    run_id = _id(key)
    run = asking.cancel(run_id, tenant_id=principal.tenant_id, now=utcnow()) if run_id else None
    if run is None:
        raise not_found("job")
    return "It ends within seconds."


def _again(key: str) -> str:
    """Ask for a training with what the failed one was asked with."""
    principal = sight.act(_PART)
    run_id = _id(key)
    run = queries.find_run(run_id, tenant_id=principal.tenant_id) if run_id else None
    if run is None or run["name"] != runs.NAME:
        raise not_found("job")
    asked = run["parameters"]
    _, created = runs.ask(
        tenant_id=principal.tenant_id,
        trigger="manual",
        now=utcnow(),
        requested_by=principal.user_id,
        days=int(asked.get("days", runs.DEFAULT_DAYS)),
        test_size=float(asked.get("test_size", runs.DEFAULT_TEST_SIZE)),
    )
    return "It waits for a worker." if created else "One is under way already."


def _retry(key: str) -> str:
    principal = sight.act(_PART)
    backstage.retry(
        key, tenant_id=principal.tenant_id, platform=principal.may(PLATFORM), now=utcnow()
    )
    return "It waits for a worker."


def _id(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def _ask_cancel(key: str) -> html.Section:
    question = kit.confirm(
        "Cancel this job? What it has done so far is lost; whoever scores goes on scoring.",
        kit.button(_PART, "cancel", "Yes, cancel it", key, look="danger"),
        kit.button(_PART, "close", "Let it go on", "stay"),
    )
    return kit.side("Cancel a job", question, part=_PART)


# -- what it looks like --------------------------------------------------------------------------


def _live() -> list[Any]:
    return [_runs(), *queues.content()]


def _runs() -> html.Section:
    tenant_id = required_principal().tenant_id
    found, _ = queries.list_runs(
        schemas.RunQuery.model_validate({}), tenant_id=tenant_id, limit=SHOWN, after=None
    )
    link = dcc.Link("Start a training", href="/app/model", className="btn")
    if not found:
        why = "Trainings of the fraud model are listed here, with their progress."
        return marks.section(
            "Long work", states.empty("Nothing yet", why, mark="curve"), aside=link
        )
    rows = [
        kit.row(
            kit.two(words.say(RUNS, run["name"]), _asked_by(run)),
            ("State", _state(run)),
            ("Progress", _progress(run)),
            ("Asked for", marks.moment(run["requested_at"])),
            ("", _step(run)),
        )
        for run in found
    ]
    head = ("Work", "State", "Progress", "Asked for", "")
    return kit.listed("Long work", "runs", head, rows, label="Long work", aside=link)


def _asked_by(run: dict[str, Any]) -> str:
    if run["requested_by_name"]:
        return f"asked for by {run['requested_by_name']}"
    return {"schedule": "by the schedule", "demo": "by the simulation"}.get(run["trigger"], "")


def _state(run: dict[str, Any]) -> Any:
    code = run["state"]
    mark = {"succeeded": "resolved", "running": "in_progress", "queued": "new"}.get(code, code)
    look = "admin-bad" if code == "failed" else f"state state-{mark}"
    return html.Span(STATES[code], className=look)


def _progress(run: dict[str, Any]) -> Any:
    if run["state"] not in OPEN_STATES:
        reason = run["reason"] or ""
        return html.Span(reason, title=reason, className="admin-clamp muted")
    return html.Div(
        [
            html.Div(
                [html.Span(stage(run)), html.Span(f"{run['progress']:.0%}", className="num muted")],
                className="split",
            ),
            bar(run["progress"], "How far it is"),
        ],
        className="admin-progress",
    )


def _step(run: dict[str, Any]) -> Any:
    if run["state"] in OPEN_STATES:
        stopping = run["cancel_requested_at"] is not None
        return kit.button(_PART, "ask-cancel", "Cancel", run["job_id"], disabled=stopping)
    if run["state"] == "failed":
        return kit.button(_PART, "again", "Start again", run["job_id"])
    return None

"""Pinning, letting go and resetting a baseline: what will happen is said before it does."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import html

from dashboards import words
from dashboards.baselines.form import button
from dashboards.baselines.hour import scope
from dashboards.detail import parts
from noc.audit import tuning
from noc.audit.anomalies import WORK
from noc.audit.baselines import Baseline
from noc.audit.learning import MIN_SAMPLES
from noc.audit.week import Expected, Week
from noc.database.base import utcnow
from noc.extensions import session
from noc.rest.problems import Problem

LIMITS = (tuning.FLOOR, tuning.CEILING)


def ask(
    step: str, hour: Expected, shown: Week, metric: str, threshold: float | None, reason: str
) -> Any:
    """The question before the step; a problem where something is missing."""
    found = hour.baseline
    if found is None:
        return parts.problem("No baseline judges this hour yet: there is nothing to change.")
    if not reason:
        return parts.problem("Write why first: it is kept with the change.")
    if step == "pin":
        if threshold is None or not LIMITS[0] <= threshold <= LIMITS[1]:
            return parts.problem(f"The threshold lies between {LIMITS[0]} and {LIMITS[1]}.")
        return _question(
            pinning(found, shown, metric, threshold), "pin-sure", f"Yes, pin at {threshold:g}"
        )
    if step == "let-go":
        if found.pinned_threshold is None:
            return parts.problem("Its threshold is not pinned.")
        told = (
            f"{scope(found)}: the threshold is no longer held at {found.pinned_threshold:g}; the "
            "rule and the weekly tuning say what it is."
        )
        return _question(told, "let-go-sure", "Yes, let go")
    return _question(resetting(found), "reset-sure", "Yes, forget and learn anew")


def pinning(found: Baseline, shown: Week, metric: str, threshold: float) -> str:
    """What pinning means, and what it would have meant last week."""
    off = threshold * found.std_dev
    low, high = max(0.0, found.mean - off), found.mean + off
    mine = [
        one
        for one in shown.heard
        if (judge := shown.expected[one.slot].baseline) is not None and judge.id == found.id
    ]
    before = sum(one.unusual for one in mine)
    after = sum(abs(one.z) > threshold and not (one.z > 0 and metric in WORK) for one in mine)
    return (
        f"{scope(found)}: from the next cycle on, values outside {low:,.1f} to {high:,.1f} raise "
        f"an alert. Of the {words.count(len(mine), 'value')} it judged last week that would have "
        f"been {after}, instead of {before}. The weekly tuning leaves a pinned threshold alone. "
        "It can be taken back."
    )


def resetting(found: Baseline) -> str:
    """What forgetting means."""
    return (
        f"{scope(found)}: {words.count(found.sample_count, 'sample')} and the verdicts on its "
        f"alerts are forgotten, and a pinned threshold with them. Until it has {MIN_SAMPLES} "
        "samples again a coarser baseline judges these hours, if there is one. This cannot be "
        "taken back."
    )


def change(
    step: str, baseline_id: int, threshold: float | None, reason: str, user_id: int | None
) -> Any:
    """Take the step, and say what came of it; with a way back where there is one."""
    now = utcnow()
    try:
        said = _take(step, baseline_id, threshold, reason, user_id, now)
        session().commit()
    except Problem as problem:
        session().rollback()
        return parts.problem(problem.detail)
    return said


def _take(
    step: str,
    baseline_id: int,
    threshold: float | None,
    reason: str,
    user_id: int | None,
    now: dt.datetime,
) -> Any:
    if step == "reset-sure":
        tuning.reset(baseline_id, user_id=user_id, reason=reason, now=now)
        return _done("It learns anew from the next hour on.")
    if step == "pin-sure":
        if threshold is None or not LIMITS[0] <= threshold <= LIMITS[1]:
            raise Problem(422, f"The threshold lies between {LIMITS[0]} and {LIMITS[1]}.")
        tuning.pin(baseline_id, threshold, user_id=user_id, reason=reason, now=now)
        return _done(f"Pinned at {threshold:g}.", undo=True)
    if step == "let-go-sure":
        tuning.pin(baseline_id, None, user_id=user_id, reason=reason, now=now)
        return _done("Let go: the rule holds again.", undo=True)
    if step == "undo":
        again = "Taken back"
        tuning.pin(baseline_id, threshold, user_id=user_id, reason=again, now=now)
        held = "as before it is not pinned" if threshold is None else f"pinned at {threshold:g}"
        return _done(f"Taken back: {held}.")
    raise Problem(422, "There is no such step.")


def _question(told: str, step: str, label: str) -> html.Div:
    return html.Div(
        [
            html.P(told),
            html.Div(
                [button(step, label, primary=True), button("no", "Leave it as it is")],
                className="actions",
            ),
        ],
        className="baseline-question",
    )


def _done(said: str, *, undo: bool = False) -> html.Div:
    way_back = button("undo", "Take it back") if undo else None
    return html.Div([html.Span(said), way_back], className="done baseline-done")

"""One hour of the week: the baseline that judges it, and how sure that is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import Dash, Input, Output, html

from dashboards import callbacks, marks, queries, states, words
from dashboards.baselines import changes
from dashboards.baselines import chosen as choosing
from dashboards.baselines.chosen import Chosen
from dashboards.callbacks import Clicks
from dashboards.figures.baseline_week import hour_name
from noc.audit.baselines import Baseline
from noc.audit.learning import MIN_SAMPLES, STABLE_DAYS
from noc.audit.week import Expected
from noc.database.base import utcnow
from noc.fraud.intervals import wilson


def register(ui: Dash) -> None:
    """Read when a choice or a threshold changes."""
    callbacks.register(
        ui,
        show,
        Output("baselines-hour-part", "children"),
        Output("baselines-changes", "children"),
        Output("baselines-one", "data"),
        choosing.wires(Input),
        choosing.CHANGED,
        states.asked_again("baselines-hour"),
    )


def show(chosen: Chosen, _changed: Clicks = None, _again: Clicks = None) -> tuple[Any, Any, Any]:
    """The baseline of the chosen hour, the changes of thresholds, and which one it is."""
    built: Any = states.or_failed("The hour", "baselines-hour", lambda: _show(chosen))
    if isinstance(built, tuple):
        return built
    return html.Div(built, className="panel"), None, None


def _show(chosen: Chosen) -> tuple[Any, Any, Any]:
    site, metric = chosen["site"], choosing.metric(chosen)
    hours = queries.baselines.expected(site, metric) if site else []
    if site is None or not hours:
        return states.not_found("site"), None, None
    zone = queries.reader.zone(site) or "UTC"
    one = hours[choosing.slot(chosen, zone)]
    found = one.baseline
    judged = queries.baselines.judged(found, utcnow()) if found else (0, 0)
    learned = queries.baselines.learned(found.id) if found else {}
    return (
        panel(one, judged, learned, zone, choosing.unit(metric)),
        changes.section(queries.baselines.changes(site, metric), zone),
        {"id": found.id, "held": found.pinned_threshold, "slot": one.slot} if found else None,
    )


def panel(
    hour: Expected, judged: tuple[int, int], learned: dict[str, Any], zone: str | None, unit: str
) -> html.Section:
    """What is usual in the hour, by which baseline, and the way to change its threshold."""
    found = hour.baseline
    title = hour_name(hour.slot)
    if found is None:
        return marks.section(
            title,
            html.P(
                f"Nothing is usual here yet: no baseline of this hour has {MIN_SAMPLES} samples. "
                "Until then nothing in it is unusual.",
                className="pad muted",
            ),
        )
    return marks.section(
        title,
        html.Div(
            [html.P(_band(hour, unit)), marks.facts(facts(hour, found, judged, learned, zone))],
            className="section-body stack-tight",
        ),
        aside=html.Span(words.say(words.BASELINE_LEVEL, found.level), className="muted"),
    )


def _band(hour: Expected, unit: str) -> str:
    if hour.low is None or hour.high is None:
        return "All samples were alike: without a deviation nothing in this hour is unusual."
    return f"Not unusual: {hour.low:,.1f} to {hour.high:,.1f} ({unit[0].lower()}{unit[1:]})."


def facts(
    hour: Expected,
    found: Baseline,
    judged: tuple[int, int],
    learned: dict[str, Any],
    zone: str | None,
) -> list[tuple[str, Any]]:
    """Names and values."""
    return [
        ("Judged by", scope(found)),
        ("Samples", _samples(found)),
        ("Mean", f"{found.mean:,.2f} ± {found.std_dev:,.2f}"),
        ("Threshold", threshold(hour, found)),
        ("False alarms", rate(*judged)),
        ("Stable", _stable(found)),
        ("Learned", _learned(learned, zone)),
    ]


def scope(found: Baseline) -> str:
    """What a baseline holds for, in words."""
    clock = f"{found.slot % 24:02}:00 to {found.slot % 24 + 1:02}:00"
    if found.level == "hour_of_week":
        return f"{words.WEEKDAYS[found.slot // 24]}s, {clock}"
    if found.level == "hour_of_day":
        return f"Every day, {clock}: too few samples of this hour of the week"
    return "All hours together: too few samples of this hour"


def _samples(found: Baseline) -> str:
    return f"{found.sample_count:,}, each one guard's hour"


def threshold(hour: Expected, found: Baseline) -> str:
    """The threshold in force, and why it is this one."""
    told = f"{hour.threshold:.1f} deviations"
    if found.pinned_threshold is not None:
        return f"{told}, pinned"
    if hour.threshold == found.dynamic_threshold:
        return f"{told}, by the weekly tuning"
    if hour.threshold > found.dynamic_threshold:
        return f"{told}: careful, for many of its alerts were false"
    return f"{told}: sensitive, for it has many samples"


def rate(false: int, judged: int) -> str:
    """The share of false positives with its interval, and of how many."""
    if not judged:
        return "Nobody has judged one of its alerts in 30 days"
    low, high = wilson(false / judged, judged)
    return f"{false} of {judged} judged in 30 days: {low:.0%} to {high:.0%} (90% interval)"


def _stable(found: Baseline) -> str:
    if found.is_stable:
        return f"Yes: {MIN_SAMPLES} samples and more, over {STABLE_DAYS} days and more"
    return f"Not yet: that takes {MIN_SAMPLES} samples over {STABLE_DAYS} days"


def _learned(learned: dict[str, Any], zone: str | None) -> Any:
    if not learned.get("first_sample_at"):
        return "Nothing yet"
    first: dt.datetime = learned["first_sample_at"]
    return [f"since {first:%d %b %Y}, last ", marks.moment(learned["last_sample_at"], zone)]

"""One hour of the week: the baseline that judges it, and how sure that is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import marks, words
from dashboards.figures.baseline_week import hour_name
from dashboards.marks import aria
from noc.audit.baselines import Baseline
from noc.audit.learning import MIN_SAMPLES, STABLE_DAYS
from noc.audit.week import Expected
from noc.fraud.intervals import wilson
from noc.identity.capabilities import ADMIN
from noc.identity.principal import required_principal


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


def may_change() -> bool:
    """Whether this reader may change thresholds: an administrator of the whole company."""
    principal = required_principal()
    return principal.may(ADMIN) and principal.site_ids is None


def form() -> html.Section | None:
    """Where an administrator pins, lets go and resets; None for everybody else."""
    if not may_change():
        return None
    return marks.section(
        "Change the threshold of this hour",
        html.Div(
            [
                html.Div(
                    [
                        dmc.NumberInput(
                            id="baselines-threshold",
                            label="Deviations",
                            min=1.5,
                            max=5,
                            step=0.1,
                            decimalScale=2,
                            size="xs",
                            className="baseline-number",
                        ),
                        dmc.TextInput(
                            id="baselines-reason",
                            label="Why",
                            placeholder="Who comes after you will read it",
                            className="baseline-why",
                        ),
                    ],
                    className="baseline-fields",
                ),
                html.Div(
                    [
                        button("pin", "Pin"),
                        button("let-go", "Let go"),
                        html.Span(className="spring"),
                        button("reset", "Forget and learn anew"),
                    ],
                    className="actions",
                ),
                html.Div(id="baselines-confirm", role="status", **aria(live="polite")),
            ],
            className="section-body act",
        ),
    )


def button(step: str, label: str, *, primary: bool = False) -> html.Button:
    """A button that takes a step with the baseline of the chosen hour."""
    return html.Button(
        label,
        id={"type": "baseline-step", "step": step},
        className="btn btn-primary" if primary else "btn",
        n_clicks=0,
        type="button",
    )

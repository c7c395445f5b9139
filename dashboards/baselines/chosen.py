"""What the reader has chosen on the page of baselines: a site, a metric, an hour of the week."""

from __future__ import annotations

from dash import Input, State
from typing_extensions import TypedDict

from dashboards import words
from dashboards.callbacks import Choice, SiteChoice
from dashboards.figures import baseline_week
from noc.audit.models import METRICS
from noc.audit.week import WEEK
from noc.database.base import utcnow

CONTROLS = ("baselines-site", "baselines-metric", "baselines-hour")

CHANGED = Input("baselines-changed", "data")
"""Goes up by one when a threshold was changed: what is shown is read anew."""


class Chosen(TypedDict):
    """What the controls hold."""

    site: SiteChoice
    metric: Choice
    hour: Choice


def wires(wire: type[Input | State]) -> dict[str, Input | State]:
    """The wires of a callback's :class:`Chosen`."""
    return {control.removeprefix("baselines-"): wire(control, "value") for control in CONTROLS}


def metric(chosen: Chosen) -> str:
    """The metric; the first for what is not offered."""
    return wanted if (wanted := chosen["metric"]) in METRICS else METRICS[0]


def slot(chosen: Chosen, zone: str) -> int:
    """The hour of the week; the one it is in the ``zone`` where none is chosen."""
    hour = chosen["hour"]
    if hour and hour.isdecimal() and int(hour) < WEEK:
        return int(hour)
    return baseline_week.now_slot(utcnow(), zone)


def unit(name: str) -> str:
    """What a value of the metric is."""
    return f"{words.say(words.METRIC, name)} of a guard in an hour"

"""What is usual on a site in each hour of the week, and what last week was like."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashboards import theme, words
from noc.audit.anomalies import FAR
from noc.audit.week import WEEK, Expected, Heard, Week
from noc.domain import Severity

HEIGHT = 400

OPACITY = {"hour_of_week": 0.34, "hour_of_day": 0.2, "all": 0.1}
"""The coarser the baseline that judges an hour, the fainter its band."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def figure(
    shown: Week, unit: str, names: dict[int, str], chosen: int | None, scheme: theme.Scheme
) -> go.Figure:
    """Bands of mean +- threshold x deviation from Monday to Sunday, a dot for each guard's hour.

    ``unit`` is what the y axis counts, ``names`` are the guards' by id, ``chosen`` is the hour of
    the week that is marked. Hours that nothing can judge are grey.
    """
    tokens = theme.COLOURS[scheme]
    chart = go.Figure(layout={"template": theme.template(scheme), "height": HEIGHT})
    for level, opacity in OPACITY.items():
        mine = [one for one in shown.expected if one.high is not None and _level(one) == level]
        if mine:
            chart.add_trace(_band(level, mine, unit, opacity, tokens))
    chart.add_trace(_mean(shown.expected, tokens))
    ordinary = [one for one in shown.heard if not one.unusual]
    chart.add_trace(
        _dots("Last week", ordinary, shown, names, unit, {
            "size": 4, "color": tokens["text"], "opacity": 0.42, "symbol": "circle",
        })
    )  # fmt: skip
    severities: tuple[Severity, Severity] = ("MEDIUM", "HIGH")
    for severity in severities:
        odd = [one for one in shown.heard if one.unusual and severity_of(one, shown) == severity]
        if odd:
            name = f"Unusual, {words.say(words.SEVERITY, severity).lower()}"
            chart.add_trace(
                _dots(name, odd, shown, names, unit, {
                    "size": 9, "opacity": 1, "symbol": theme.SEVERITY_SYMBOLS[severity],
                    "color": theme.SEVERITY_COLOURS[scheme][severity],
                    "line": {"width": 1, "color": tokens["surface"]},
                })
            )  # fmt: skip
    chart.update_layout(
        shapes=_frame(shown, chosen, tokens),
        barmode="overlay",
        bargap=0,
        xaxis={
            "range": [0, WEEK], "tickvals": [24 * day + 12 for day in range(7)],
            "ticktext": list(_DAYS), "showgrid": False, "fixedrange": True,
            "title": {"text": f"Hour of the week at the site ({shown.zone})"},
        },
        yaxis={"rangemode": "tozero", "fixedrange": True, "title": {"text": unit}, "nticks": 6},
    )  # fmt: skip
    return chart


def severity_of(one: Heard, shown: Week) -> Severity:
    """As the audit would say: HIGH from 1.5 times the threshold."""
    return "HIGH" if abs(one.z) >= FAR * shown.expected[one.slot].threshold else "MEDIUM"


def levels(shown: Week) -> Counter[str]:
    """How many hours of the week each level judges; ``none`` are those that nothing judges."""
    return Counter(_level(one) if one.high is not None else "none" for one in shown.expected)


def _level(one: Expected) -> str:
    return one.baseline.level if one.baseline else "none"


def _band(
    level: str, hours: list[Expected], unit: str, opacity: float, tokens: dict[str, str]
) -> go.Bar:
    low = [one.low or 0.0 for one in hours]
    high = [one.high or 0.0 for one in hours]
    return go.Bar(
        name=f"Usual, {words.say(words.BASELINE_LEVEL, level).lower()}",
        x=[one.slot + 0.5 for one in hours],
        y=[top - bottom for top, bottom in zip(high, low, strict=True)],
        base=low,
        width=1,
        marker={"color": tokens["accent"], "opacity": opacity, "line": {"width": 0}},
        customdata=[one.slot for one in hours],
        hovertext=[_told(one, unit) for one in hours],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _told(one: Expected, unit: str) -> str:
    found = one.baseline
    if found is None:
        return hour_name(one.slot)
    return (
        f"<b>{hour_name(one.slot)}</b><br>usually {found.mean:,.1f}, not unusual from "
        f"{one.low or 0:,.1f} to {one.high or 0:,.1f}<br>{unit}<br>"
        f"{words.say(words.BASELINE_LEVEL, found.level)}, "
        f"{words.count(found.sample_count, 'sample')}"
    )


def _mean(hours: list[Expected], tokens: dict[str, str]) -> go.Scatter:
    values = [one.baseline.mean if one.baseline else None for one in hours]
    return go.Scatter(
        name="Mean", x=[*(one.slot for one in hours), WEEK], y=[*values, values[-1]],
        mode="lines", line={"width": 1.5, "color": tokens["accent"], "shape": "hv"},
        hoverinfo="skip",
    )  # fmt: skip


def _dots(
    name: str,
    values: list[Heard],
    shown: Week,
    names: dict[int, str],
    unit: str,
    marker: dict[str, object],
) -> go.Scatter:
    zone = ZoneInfo(shown.zone)
    return go.Scatter(
        name=name,
        # Guards of the same hour stand side by side, each at the same place in every hour.
        x=[one.slot + 0.15 + 0.7 * (one.person_id * 7 % 17) / 17 for one in values],
        y=[one.value for one in values],
        mode="markers",
        marker=marker,
        customdata=[one.slot for one in values],
        hovertext=[
            f"<b>{names.get(one.person_id, 'A guard')}</b>, "
            f"{one.hour.astimezone(zone):%a %d %b %H:%M}<br>{one.value:,.0f} ({unit})"
            + (f"<br>{abs(one.z):.1f} deviations {'above' if one.z > 0 else 'below'}"
               if one.unusual else "")
            for one in values
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _frame(shown: Week, chosen: int | None, tokens: dict[str, str]) -> list[dict[str, object]]:
    """What is behind and around the values, all at once: a figure that is given shapes one by one

    checks those that it has anew for each.
    """
    across = {"yref": "paper", "y0": 0, "y1": 1}
    unmeasured = runs([one.slot for one in shown.expected if one.high is None])
    shapes: list[dict[str, object]] = [
        across | {
            "name": "unmeasured", "type": "rect", "x0": first, "x1": last + 1,
            "layer": "below", "line": {"width": 0}, "fillcolor": tokens["unmeasured"],
        }
        for first, last in unmeasured
    ]  # fmt: skip
    shapes += [
        across | {
            "name": "day", "type": "line", "x0": 24 * day, "x1": 24 * day,
            "layer": "below", "line": {"width": 1, "color": tokens["line"]},
        }
        for day in range(1, 7)
    ]  # fmt: skip
    if chosen is not None:
        shapes.append(
            across | {
                "name": "chosen", "type": "rect", "x0": chosen, "x1": chosen + 1,
                "line": {"width": 1.5, "color": tokens["text"]},
            }
        )  # fmt: skip
    return shapes


def runs(slots: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours; ``slots`` in order."""
    found: list[tuple[int, int]] = []
    for slot in slots:
        if found and found[-1][1] == slot - 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def hour_name(slot: int) -> str:
    """ "Monday 06:00" of the hour of the week 6."""
    day, clock = divmod(slot, 24)
    return f"{words.WEEKDAYS[day]} {clock:02}:00"


def now_slot(now: dt.datetime, zone: str) -> int:
    """The hour of the week it is at the site."""
    local = now.astimezone(ZoneInfo(zone))
    return local.weekday() * 24 + local.hour

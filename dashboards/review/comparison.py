"""A punch beside what was usual for the guard in the 90 days before it."""

from __future__ import annotations

from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dash import html

from dashboards import exports, words
from noc.fraud.facts import HABIT_DAYS

ENOUGH = 10
"""Punches before from which on one may be called unlike them."""

FAR = 2.5
"""Standard deviations from the mean beyond which a number is unlike the ones before."""

RARE = 0.05
"""The share of the punches before below which a place, a phone or an hour is unlike them."""

_NUMBERS = (
    ("biometric_quality_score", "Face or finger", "{:.2f}", "{}"),
    ("gps_accuracy", "Accuracy", "{:.0f}", "{} m"),
    ("phone_signal_strength", "Phone signal", "{:.0f}", "{} dBm"),
    ("battery_level", "Battery", "{:.0f}", "{} %"),
)

_CLOCKED = ("in", "out")


class Row(NamedTuple):
    """One line: what, of this punch, usually; whether this one is unlike the ones before."""

    name: str
    here: str
    usual: str
    odd: bool = False


def rows(
    punch: dict[str, Any], before: dict[str, Any], features: dict[str, float | None]
) -> list[Row]:
    """``punch`` and ``before`` of ``noc.fraud.review.surroundings``."""
    clock = punch["occurred_at"].astimezone(ZoneInfo(punch["timezone"]))
    clocked = punch["kind"] in _CLOCKED
    hour = (before["near"], before["same_kind"])
    told = [
        Row(
            "Time of day",
            f"{clock:%H:%M}",
            f"{_of(*hour)} within 2 h" if clocked else "follows the shift",
            clocked and _rare(*hour),
        ),
        Row(
            "Site",
            punch["site_name"],
            _of(before["here"], before["punches"]),
            _rare(before["here"], before["punches"]),
        ),
        _phone(punch, before),
        _distance(punch, features.get("geofence_distance_meters")),
    ]
    numbers = (_number(punch, before, *how) for how in _NUMBERS)
    return told + [row for row in numbers if row is not None]


def table(compared: list[Row], before: dict[str, Any]) -> html.Div:
    """The lines as a table; what is unlike the punches before is bold and says so on hover."""
    head = html.Tr([html.Th(name, scope="col") for name in ("", "This punch", "Usual")])
    body = [
        html.Tr(
            [
                html.Th(row.name, scope="row"),
                html.Td(
                    row.here,
                    className="odd" if row.odd else "",
                    title="Unlike the punches before" if row.odd else "",
                ),
                html.Td(row.usual),
            ]
        )
        for row in compared
    ]
    count = words.count(before["punches"], "punch", "punches")
    return html.Div(
        [
            html.Div(
                [
                    html.H3("This punch and the ones before"),
                    exports.rows("review-compared", "punch-compared"),
                ],
                className="split",
            ),
            html.Table(
                [html.Thead(head), html.Tbody(body)], className="compare", id="review-compared"
            ),
            html.P(
                f"Usual: {count} in and out in the {HABIT_DAYS} days before this one, means with "
                "standard deviations. Bold: unlike nearly all of them.",
                className="muted small",
            ),
        ]
    )


def _phone(punch: dict[str, Any], before: dict[str, Any]) -> Row:
    if punch["device_code"] is None:
        return Row("Phone", "not reported", _of(before["known_phone"], before["punches"]) + " had")
    here = punch["device_code"]
    if punch["owner_id"] not in (None, punch["person_id"]):
        here = f"{here}, {punch['owner_name']}'s"
    usual = (before["this_phone"], before["known_phone"])
    return Row("Phone", here, _of(*usual), _rare(*usual))


def _distance(punch: dict[str, Any], outside: float | None) -> Row:
    fence = (
        "inside the area"
        if punch["geofence_polygon"]
        else f"within {punch['geofence_radius']:.0f} m"
    )
    if punch["lat"] is None or outside is None:
        return Row("Place", "not reported", fence)
    here = "inside the geofence" if outside <= 0 else f"{outside:,.0f} m outside"
    if punch["mock_location"]:
        here += ", faked location reported"
    return Row("Place", here, fence, outside > 0 or bool(punch["mock_location"]))


def _number(
    punch: dict[str, Any], before: dict[str, Any], key: str, name: str, form: str, unit: str
) -> Row | None:
    value, mean, spread = punch[key], before[key], before[f"{key}_sd"]
    if value is None and mean is None:
        return None
    here = unit.format(form.format(value)) if value is not None else "not reported"
    if mean is None:
        return Row(name, here, "none before")
    around = f"{form.format(mean)} ± {form.format(spread)}" if spread else form.format(mean)
    odd = (
        value is not None
        and before[f"{key}_n"] >= ENOUGH
        and bool(spread)
        and abs(value - mean) > FAR * spread
    )
    return Row(name, here, unit.format(around), odd)


def _of(some: int, all_of_them: int) -> str:
    return f"{some} of {all_of_them:,}"


def _rare(some: int, all_of_them: int) -> bool:
    return all_of_them >= ENOUGH and some / all_of_them < RARE

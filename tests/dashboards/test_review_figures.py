"""The charts of a punch and of a person are pure functions of what they are given."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from dashboards.figures import (
    incident_map,
    people_links,
    punch_clock,
    punch_map,
    punch_timeline,
    site_ground,
)
from dashboards.review.comparison import rows

AT = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DEGREE = 111_195.0


def punch(**values: Any) -> dict[str, Any]:
    return {
        "id": 1, "kind": "in", "occurred_at": AT, "lat": 60.0, "lon": 10.0, "gps_accuracy": 20.0,
        "biometric_quality_score": 0.9, "mock_location": False, "phone_signal_strength": -80.0,
        "battery_level": 50.0, "person_id": 1, "device_code": "D1", "owner_id": 1,
        "owner_name": "Meera", "site_name": "Gate", "timezone": "UTC", "site_lat": 60.0,
        "site_lon": 10.0, "geofence_radius": 100.0, "geofence_polygon": None,
    } | values  # fmt: skip


def fix(north: float, minutes: float = 0) -> dict[str, Any]:
    at = AT + dt.timedelta(minutes=minutes)
    return {"occurred_at": at, "lat": 60.0 + north / DEGREE, "lon": 10.0, "accuracy": 5.0}


def test_the_map_is_in_metres_both_ways() -> None:
    east = 200 / (DEGREE * math.cos(math.radians(60)))
    plan = punch_map.plan(punch(lon=10.0 + east), [fix(50)])
    assert plan.punch == pytest.approx((200.0, 0.0), abs=0.5)
    assert plan.fixes[0].place == pytest.approx((0.0, 50.0), abs=0.5)
    chart = punch_map.figure(plan, AT, "UTC", "dark")
    assert chart.layout.yaxis.scaleanchor == "x"
    (circle,) = [shape for shape in chart.layout.shapes if shape.name == "accuracy"]
    assert circle.x1 - circle.x0 == pytest.approx(40)


def test_a_fix_far_away_does_not_shrink_the_site_and_is_counted() -> None:
    plan = punch_map.plan(punch(), [fix(150), fix(9_000)])
    assert plan.reach < 300
    assert plan.outside == 1


def test_a_drawn_area_goes_before_the_circle() -> None:
    side = 300 / DEGREE
    ring = [[10.0, 60.0], [10.0, 60.0 + side], [10.0 + side, 60.0]]
    plan = punch_map.plan(punch(geofence_polygon=ring), [])
    fence = punch_map.figure(plan, AT, "UTC", "light").data[0]
    assert len(fence.x) == 4
    assert plan.reach > 300


def test_a_site_at_the_date_line_is_drawn_the_short_way() -> None:
    plan = punch_map.plan(punch(site_lon=179.9999, lon=-179.9999, site_lat=0.0, lat=0.0), [])
    assert plan.punch is not None
    assert abs(plan.punch[0]) < 50


def test_a_punch_without_a_place_leaves_the_site() -> None:
    chart = punch_map.figure(punch_map.plan(punch(lat=None, lon=None), []), AT, "UTC", "dark")
    assert [trace.name for trace in chart.data] == ["Geofence"]


def test_both_maps_of_a_site_draw_the_same_ground() -> None:
    plan = punch_map.plan(punch(), [fix(50), fix(80, 5)])
    site = {"ring": None, "geofence_radius": 100.0}
    fixes = [
        {"x": one.place[0], "y": one.place[1], "accuracy": 5.0, "person_id": 1, "at": one.at}
        for one in plan.fixes
    ]
    one = punch_map.figure(plan, AT, "UTC", "dark")
    other = incident_map.figure(site, fixes, dt.timedelta(0), "dark")
    for name in ("Geofence", "Fixes"):
        drawn = [
            next(trace for trace in chart.data if trace.name == name) for chart in (one, other)
        ]
        assert drawn[0].x == drawn[1].x
        assert drawn[0].y == drawn[1].y
        assert drawn[0].line == drawn[1].line
    assert "50 m from the centre, accurate to 5 m" in one.data[1].text[0]


def test_the_ring_of_a_fence_is_closed() -> None:
    circle = site_ground.ring(None, 100.0)
    assert circle[0] == circle[-1]
    assert {round(site_ground.far(corner)) for corner in circle} == {100}
    assert site_ground.ring([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], 100.0)[-1] == (0.0, 0.0)


@pytest.mark.parametrize(("most", "length"), [(3, 2), (70, 50), (100, 100), (1300, 1000)])
def test_the_scale_is_a_round_length(most: float, length: float) -> None:
    assert punch_map._round_length(most) == length


def item(lane: str, minutes: float = 0, **values: Any) -> dict[str, Any]:
    at = AT + dt.timedelta(minutes=minutes)
    return {
        "lane": lane, "at": at, "until": None, "what": "in", "person_id": 2, "person_name": "Ana",
        "site_name": "Gate", "ref": "7",
    } | values  # fmt: skip


def timeline(*story: dict[str, Any], now: dt.datetime = AT + 9 * HOUR) -> Any:
    heard = [{"at": AT - HOUR, "signals": 3}]
    since, until = AT - 4 * HOUR, AT + 4 * HOUR
    return punch_timeline.figure(story, heard, AT, since, until, now, "Asia/Tokyo", "dark")


def test_each_kind_of_thing_has_its_line_on_the_sites_clock() -> None:
    chart = timeline(item("guard"), item("phone", -1), item("scan", 30, what="Gate"))
    rows_of = {trace.name: set(trace.y) - {None} for trace in chart.data}
    assert len({row for found in rows_of.values() for row in found}) == len(rows_of) == 4
    (mine,) = [trace for trace in chart.data if trace.name == "Punches"]
    assert mine.x[0].hour == 21
    assert mine.customdata[0][0] == "punch:7"


def test_what_is_not_over_yet_is_grey() -> None:
    assert not [shape for shape in timeline().layout.shapes if shape.name == "not yet"]
    (grey,) = [shape for shape in timeline(now=AT + HOUR).layout.shapes if shape.name == "not yet"]
    assert (grey.x0.hour, grey.x1.hour) == (22, 1)


def test_a_shift_is_cut_at_the_edge_and_one_name_is_written_once() -> None:
    shift = item("shift", -600, until=AT + 600 * dt.timedelta(minutes=1))
    chart = timeline(shift, item("phone", -5), item("phone", 5))
    (duty,) = [trace for trace in chart.data if trace.name == "On duty"]
    assert (duty.x[0].hour, duty.x[1].hour) == (17, 1)
    (others,) = [trace for trace in chart.data if trace.name == "Others, same phone"]
    assert list(others.text) == ["", "Ana"]


def test_silence_is_told_within_the_shift_alone() -> None:
    heard = [{"at": AT + dt.timedelta(minutes=minutes)} for minutes in (-100, 0, 5, 60)]
    found = punch_timeline.silences(heard, [(AT, AT + 2 * HOUR)])
    assert [(a - AT, b - AT) for a, b in found] == [
        (dt.timedelta(minutes=10), HOUR),
        (dt.timedelta(minutes=65), 2 * HOUR),
    ]
    assert punch_timeline.silences(heard, []) == []


BEFORE = {
    "punches": 20, "same_kind": 10, "near": 0, "here": 20, "this_phone": 0, "known_phone": 20,
} | {
    name: value
    for key, mean, spread in (
        ("biometric_quality_score", 0.9, 0.02), ("gps_accuracy", 10.0, 4.0),
        ("phone_signal_strength", -80.0, 5.0), ("battery_level", None, None),
    )
    for name, value in ((key, mean), (f"{key}_sd", spread), (f"{key}_n", 20 if mean else 0))
}  # fmt: skip


def compared(**values: Any) -> dict[str, Any]:
    outside = values.pop("outside", 0.0)
    found = rows(punch(**values), BEFORE, {"geofence_distance_meters": outside})
    return {row.name: row for row in found}


def test_what_is_unlike_the_punches_before_stands_out() -> None:
    found = compared(biometric_quality_score=0.5, owner_id=2, owner_name="Ana", outside=120.0)
    odd = {name for name, row in found.items() if row.odd}
    assert odd == {"Time of day", "Phone", "Place", "Face or finger"}
    assert found["Phone"].here == "D1, Ana's"
    assert found["Place"].here == "120 m outside"
    assert found["Battery"].usual == "none before"


def test_too_few_punches_before_make_nothing_unusual() -> None:
    few = BEFORE | {"same_kind": 3, "known_phone": 3}
    found = rows(punch(), few, {"geofence_distance_meters": 0.0})
    assert not [row for row in found if row.odd]


def test_a_confirmed_presence_has_no_usual_hour() -> None:
    assert not compared(kind="presence")["Time of day"].odd


def test_the_clock_shows_in_above_out_below_and_today() -> None:
    counts = [0] * 24
    told = {
        "in": [*counts[:8], 5, *counts[9:]], "out": [*counts[:17], 4, *counts[18:]], "today": [
            {"punch_id": 9, "kind": "in", "occurred_at": AT, "timezone": "Asia/Tokyo",
             "site_name": "Gate"}],
    }  # fmt: skip
    chart = punch_clock.figure(told, "dark")
    ins, outs, today = chart.data
    assert (ins.y[8], outs.y[17]) == (5, -4)
    assert (today.x[0], today.text[0], today.customdata[0][0]) == (21.0, "21:00", 9)


def _today(*clocks: tuple[str, str]) -> dict[str, Any]:
    punches = [
        {"punch_id": n, "kind": kind, "timezone": "UTC", "site_name": "Gate",
         "occurred_at": AT.replace(hour=int(clock[:2]), minute=int(clock[3:]))}
        for n, (kind, clock) in enumerate(clocks, 1)
    ]  # fmt: skip
    return {"in": [1] * 24, "out": [2] * 24, "today": punches}


@pytest.mark.parametrize(
    ("clocks", "place"),
    [
        ((), (0, "left")),
        ((("in", "00:35"),), (24, "right")),
        ((("in", "00:35"), ("in", "23:00")), (12, "center")),
        # Their times would be.
        ((("in", "00:35"), ("in", "18:30")), (12, "center")),
        ((("in", "00:35"), ("in", "08:00")), (24, "right")),
        ((("out", "00:35"),), (0, "left")),
    ],
)
def test_the_clocks_count_is_not_under_a_punch_of_today(
    clocks: tuple[tuple[str, str], ...], place: tuple[int, str]
) -> None:
    chart = punch_clock.figure(_today(*clocks), "light")
    (count,) = [note for note in chart.layout.annotations if note.text == "in, 24"]
    assert (count.x, count.xanchor) == place


def test_times_of_today_that_lie_close_are_told_on_hover() -> None:
    told = _today(("in", "06:00"), ("out", "07:30"), ("in", "08:00"), ("in", "12:00"))
    today = punch_clock.figure(told, "light").data[-1]
    assert list(today.text) == ["06:00", "07:30", "", "12:00"]
    assert "08:00" in today.hovertext[2]
    # Late ones are written the other way, towards the one before.
    late = punch_clock.figure(_today(("in", "16:00"), ("in", "21:30")), "light").data[-1]
    assert list(late.text) == ["16:00", ""]


def linked(key: int, **values: Any) -> dict[str, Any]:
    return {
        "person_id": key, "name": f"Guard {key}", "phones": [], "shared": 0, "met": 0,
        "together": 0, "usual": None, "unusual": False,
    } | values  # fmt: skip


def test_links_are_lines_to_the_middle_and_points_lead_to_people() -> None:
    people = [
        linked(2, shared=9, phones=["D1"]),
        linked(3, unusual=True, together=8, met=9, usual=0.2),
    ]
    told = {"people": people, "edges": [{"a": 2, "b": 3, "shared": 1}, {"a": 3, "b": 99}]}
    chart = people_links.figure(1, "Meera", told, "dark")
    lines = [trace for trace in chart.data if trace.mode == "lines"]
    assert [line.line.dash for line in lines] == ["solid", "solid", "dash"]
    assert lines[1].line.width > lines[0].line.width
    (points,) = [trace for trace in chart.data if trace.name == "People"]
    assert [one[0] for one in points.customdata] == [2, 3]
    assert "8 of 9" in points.hovertext[1]
    again = people_links.figure(1, "Meera", told, "dark")
    assert chart.to_dict() == again.to_dict()

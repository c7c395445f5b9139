"""Charts are pure functions of what they are given."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import Any

import pytest

from dashboards import theme, words
from dashboards.figures import (
    all_sites_map,
    fraud_heatmap,
    model_features,
    model_quality,
    score_history,
)
from dashboards.habits import sentence
from dashboards.heatmap.board import finding, rank, subtitle
from dashboards.heatmap.measures import share_interval
from dashboards.model import watching
from noc.fraud.rules import DETECTORS
from tests.dashboards.modelled import figure, groups, moved, pr_curve, watched


def site(name: str = "Gate", *, cells: dict[int, tuple[int, float, float]] | None = None) -> Any:
    """A site of the report; ``cells``: hour to (punches, highest score, share)."""
    row: dict[str, Any] = {"site_id": len(name), "site_name": name, "timezone": "UTC"}
    row |= {"threshold": 0.8, "lat": 51.5, "lon": -0.1, "radius": 150.0}
    row |= {name: [0] * 168 for name in ("count", "high", "reviewed", "confirmed")}
    row |= {"mean": [None] * 168, "max": [None] * 168}
    for hour, (count, highest, share) in (cells or {}).items():
        row["count"][hour], row["max"][hour] = count, highest
        row["mean"][hour], row["high"][hour] = highest / 2, round(share * count)
    return row


def report(*sites: Any) -> dict[str, Any]:
    found = {"threshold": 0.8, "sites": list(sites), "days": 30, "dates": None, "zone": None}
    punches = sum(sum(one["count"]) for one in sites)
    return found | {"from": "2026-10-22", "to": "2026-11-21", "punches": punches}


def score(value: float, kind: str | None = None, punch: int = 1) -> dict[str, Any]:
    level = "CRITICAL" if value >= 0.8 else "LOW"
    return {
        "punch_id": punch, "occurred_at": "2026-11-16T20:00:00+00:00", "fraud_score": value,
        "risk_level": level, "kind": "in", "fraud_type": kind,
        "reasons": [{"sentence": "The same phone punched for somebody else."}] if kind else [],
    }  # fmt: skip


def test_a_cell_without_punches_stays_empty_and_is_not_a_zero() -> None:
    chart = fraud_heatmap.figure(report(site(cells={5: (4, 0.0, 0.0)})), "max", "dark")
    row = chart.data[0].z[0]
    assert len(row) == 168
    assert row[5] == 0.0
    assert [value for hour, value in enumerate(row) if hour != 5] == [None] * 167
    assert "not measured" in chart.data[0].customdata[0][6]


def test_the_heatmap_has_one_scale_from_zero_to_one() -> None:
    chart = fraud_heatmap.figure(report(site(cells={0: (9, 0.3, 0.0)})), "mean", "light")
    assert (chart.data[0].zmin, chart.data[0].zmax) == (0, 1)
    assert chart.data[0].z[0][0] == pytest.approx(0.15)


def test_the_heatmap_tells_hour_counts_and_the_interval_of_the_share() -> None:
    chart = fraud_heatmap.figure(report(site(cells={26: (14, 0.93, 3 / 14)})), "max", "dark")
    told = chart.data[0].customdata[0][26]
    assert "Tuesday 02:00 to 03:00" in told
    assert "14 punches, 3 at 0.80 or more (8% to 48%)" in told


def test_sites_stand_in_the_order_of_the_report_from_the_top() -> None:
    chart = fraud_heatmap.figure(report(site("B"), site("AA")), "max", "dark")
    assert list(chart.layout.yaxis.ticktext) == ["B", "AA"]
    assert list(chart.layout.yaxis.range) == [1.5, -0.5]


def test_a_day_is_a_column_and_mondays_are_named() -> None:
    row = site()
    for name in ("count", "high", "reviewed", "confirmed", "mean", "max"):
        row[name] = row[name][:30]
    row["count"][2], row["max"][2], row["mean"][2], row["high"][2] = 3, 0.9, 0.4, 1
    dates = [(dt.date(2026, 10, 24) + dt.timedelta(days=n)).isoformat() for n in range(30)]
    chart = fraud_heatmap.figure(report(row) | {"dates": dates}, "high", "dark")
    assert list(chart.data[0].x) == dates
    assert chart.data[0].z[0][2] == 1
    assert chart.data[0].zmax == 1
    assert "Mon 26 Oct 2026<br>Highest 0.90" in chart.data[0].customdata[0][2]
    assert list(chart.layout.xaxis.ticktext) == ["26 Oct", "2 Nov", "9 Nov", "16 Nov"]
    assert [line.x0 for line in chart.layout.shapes] == [1.5, 8.5, 15.5, 22.5]


def test_what_nobody_reviewed_is_not_genuine_and_few_reviews_are_marked() -> None:
    row = site(cells={0: (9, 0.9, 0.3), 1: (9, 0.9, 0.3), 2: (9, 0.9, 0.3)})
    row["reviewed"][1], row["confirmed"][1] = 2, 1
    row["reviewed"][2], row["confirmed"][2] = 8, 2
    chart = fraud_heatmap.figure(report(row), "confirmed", "dark")
    assert list(chart.data[0].z[0][:4]) == [None, 0.5, 0.25, None]
    told = chart.data[0].customdata[0]
    assert "Nobody has reviewed one" in told[0]
    # Wilson's intervals of 1 of 2 and 2 of 8, worked by hand.
    assert "1 of 2 reviewed were fraud (9% to 91%; few reviews)" in told[1]
    assert "2 of 8 reviewed were fraud (7% to 59%)" in told[2]
    assert list(chart.data[1].x) == ["Mon 01:00"]
    assert finding(report(row), "confirmed") == "3 of 10 reviewed punches were fraud (11% to 60%)"
    assert finding(report(site()), "confirmed").startswith("Nobody has reviewed")


def test_sites_are_ranked_by_what_is_shown() -> None:
    many, high = site("Many", cells={0: (50, 0.9, 0.2)}), site("High", cells={0: (2, 0.95, 0.5)})
    both = [high, many]
    assert [one["site_name"] for one in rank(both, "max")] == ["Many", "High"]
    assert [one["site_name"] for one in rank(both, "share")] == ["High", "Many"]
    assert [one["site_name"] for one in rank(both, "mean")] == ["High", "Many"]


def test_the_clock_is_named() -> None:
    here = report(site("Gate", cells={1: (9, 0.5, 0.0)}))
    assert "each site’s own clock" in subtitle(here)
    assert "(Asia/Kolkata, where most sites are)" in subtitle(here | {"zone": "Asia/Kolkata"})


def test_the_map_has_markers_by_measure_and_geofences_to_scale() -> None:
    busy, idle = site("Busy", cells={3: (16, 0.9, 0.25)}), site("Idle!")
    busy |= {"lat": 60.0, "lon": 10.0, "radius": 1000.0}
    chart = all_sites_map.figure(report(busy, idle), "max", "dark")
    fence, empty, measured = chart.data
    assert list(measured.marker.color) == [0.9]
    assert (list(measured.x), list(measured.y)) == ([10.0], [60.0])
    assert [row[1] for row in empty.customdata] == ["Idle!"]
    assert empty.marker.symbol == "circle-open"
    assert "60.0000° N, 10.0000° E, geofence 1000 m" in measured.hovertext[0]
    # A kilometre is 1000 / 111,320 degrees of latitude, at 60 north twice as many of longitude.
    corners = [(x, y) for x, y in zip(fence.x[:49], fence.y[:49], strict=True)]
    assert max(y for _, y in corners) - 60 == pytest.approx(0.008983, abs=1e-5)
    assert max(x for x, _ in corners) - 10 == pytest.approx(0.017966, abs=1e-5)
    assert chart.layout.yaxis.scaleanchor == "x"


def test_an_interval_of_a_share_is_wilsons() -> None:
    # Wilson's interval of 3 of 14, worked by hand: 0.0757 to 0.4759.
    low, high = share_interval(3, 14)
    assert (low, high) == pytest.approx((0.0757, 0.4759), abs=2e-4)
    assert share_interval(0, 5)[0] == 0
    assert share_interval(5, 5)[1] == 1


@pytest.mark.parametrize(
    ("sites", "said"),
    [
        ([site("Gate", cells={1: (9, 0.5, 0.0)})], "No punch scored 0.80 or more"),
        ([site("Gate", cells={1: (1, 0.9, 1.0)})], "1 punch scored 0.80 or more, at Gate"),
        (
            [site("Gate", cells={1: (4, 0.9, 0.5)}), site("Dock", cells={1: (10, 0.9, 0.3)})],
            "Dock has 3 of the 5 punches that scored 0.80 or more",
        ),
    ],
)
def test_the_heatmaps_title_says_what_it_shows(sites: list[Any], said: str) -> None:
    assert finding(report(*sites)) == said


def test_the_threshold_line_stands_at_the_setting() -> None:
    chart = score_history.figure([score(0.3)], 0.65, "Asia/Kolkata", "dark")
    (line,) = [shape for shape in chart.layout.shapes if shape.name == "threshold"]
    assert (line.y0, line.y1) == (0.65, 0.65)
    assert "ticket 0.65" in [note.text for note in chart.layout.annotations]


def test_scores_stand_on_the_clock_of_the_site() -> None:
    chart = score_history.figure([score(0.3)], 0.8, "Asia/Kolkata", "dark")
    assert chart.data[0].x[0].isoformat() == "2026-11-17T01:30:00"


def test_each_anomaly_type_has_its_own_marker_and_its_reasons_on_hover() -> None:
    scores = [score(0.1, punch=1), score(0.9, "BUDDY_PUNCHING", 2), score(0.85, "MODEL", 3)]
    chart = score_history.figure(scores, 0.8, "UTC", "light")
    symbols = {trace.name: trace.marker.symbol for trace in chart.data}
    assert len(set(symbols.values()) | {"circle"}) == 2
    assert symbols["Shared phone"] == "diamond"
    shared = next(trace for trace in chart.data if trace.name == "Shared phone")
    assert "The same phone punched" in shared.hovertext[0]
    assert shared.customdata[0] == (2,) or list(shared.customdata[0]) == [2]


def test_the_legend_counts_the_types_commonest_first() -> None:
    scores = [score(0.9, kind) for kind in ("MODEL", "BUDDY_PUNCHING", "BUDDY_PUNCHING")]
    assert [text for _, text in score_history.legend(scores)] == [
        "Shared phone 2",
        "Unlike this guard's habits 1",
    ]


def test_every_anomaly_type_that_is_detected_has_a_word_and_a_marker() -> None:
    for kind in [*(detector.anomaly_type for detector in DETECTORS), "MODEL"]:
        assert kind in words.ANOMALY
        assert kind in score_history.SYMBOLS


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ({6: 8, 7: 2}, "8 of 10 punches in came between 06:00 and 07:00."),
        ({23: 5, 0: 5}, "10 of 10 punches in came between 23:00 and 01:00."),
        ({}, "No punches in yet."),
    ],
)
def test_habits_are_told_as_the_shortest_usual_span(hours: dict[int, int], said: str) -> None:
    assert sentence([hours.get(hour, 0) for hour in range(24)]) == said


def test_a_single_punch_has_an_axis_of_days_and_many_are_all_on_theirs() -> None:
    def score(at: str) -> dict[str, Any]:
        return {
            "occurred_at": at, "fraud_score": 0.1, "fraud_type": None, "risk_level": "MINIMAL",
            "punch_id": 1, "kind": "in", "reasons": [],
        }  # fmt: skip

    def axis(*moments: str) -> tuple[dt.datetime, dt.datetime]:
        chart = score_history.figure([score(at) for at in moments], 0.8, "UTC", "dark")
        first, last = chart.layout.xaxis.range
        return first, last

    first, last = axis("2026-11-16T09:00:00+00:00")
    assert last - first == dt.timedelta(days=2)
    first, last = axis("2026-10-16T09:00:00+00:00", "2026-11-16T09:00:00+00:00")
    drawn = [dt.datetime.fromisoformat(f"2026-{month}-16T09:00:00") for month in (10, 11)]
    assert first < drawn[0] < drawn[1] < last
    assert last - first < dt.timedelta(days=34)


def test_precision_and_recall_are_drawn_with_their_band_and_the_threshold() -> None:
    chart = model_quality.precision_recall(pr_curve(), (0.62, 0.83), "dark")
    band, curve, point = chart.data
    assert list(curve.x) == [0.1, 0.8, 1.0]
    assert list(curve.y) == [1.0, 0.74, 0.2]
    assert curve.line.shape == "vh", "to find half the frauds one pays the next point's precision"
    # There along the upper ends and back along the lower ones, where there is a band.
    assert list(band.x) == [0.1, 0.8, 0.8, 0.1]
    assert list(band.y) == [1.0, 0.9, 0.6, 0.8]
    assert (point.x, point.y) == ((0.62,), (0.83,))
    assert "74% of the flags are fraud (60% to 90%)" in curve.hovertext[1]
    assert "From 0.10 on" in curve.hovertext[2]
    assert len(model_quality.precision_recall(pr_curve(), None, "light").data) == 2


def test_calibration_compares_what_was_said_with_what_was_found() -> None:
    chart = model_quality.calibration(groups(), "light")
    (points,) = chart.data
    assert list(points.x) == [0.02, 0.4]
    assert list(points.y) == [0.0, 0.9]
    assert list(points.error_y.array) == pytest.approx([0.03, 0.07])
    assert list(points.error_y.arrayminus) == pytest.approx([0.0, 0.2])
    assert points.marker.size[0] > points.marker.size[1], "more punches, a larger point"
    assert "39 punches given about 40%" in points.hovertext[1]
    (line,) = chart.layout.shapes
    assert (line.x0, line.y0, line.x1, line.y1) == (0, 0, 1, 1)


def test_average_precision_has_intervals_and_says_what_was_not_measured() -> None:
    rows = [("Both", figure(0.8)), ("Model", figure(None)), ("Rules", figure(0.6, 0.2))]
    chart = model_quality.average_precision(rows, "dark")
    (points,) = chart.data
    assert list(points.y) == ["Both", "Rules"]
    assert list(points.error_x.arrayminus) == pytest.approx([0.1, 0.2])
    assert [note.text for note in chart.layout.annotations] == ["0.80", "not measured", "0.60"]
    assert list(chart.layout.yaxis.categoryarray) == ["Both", "Model", "Rules"]
    assert chart.layout.yaxis.range == (2.5, -0.5), "the first on top"


def test_an_interval_is_told_as_far_as_it_is_known() -> None:
    assert model_quality.interval(figure(0.8)) == "0.80 (0.70 to 0.90)"
    assert model_quality.interval({"value": 0.8, "low": None, "high": None}) == "0.80"
    assert model_quality.interval(model_quality.NOTHING) == "not measured"


def test_features_stand_in_the_order_of_what_matters() -> None:
    chart = model_features.importance({"battery_level": 0.2, "gps_accuracy": 0.7}, "dark")
    (bars,) = chart.data
    assert list(bars.y) == ["GPS accuracy", "Battery"]
    assert list(bars.x) == [0.7, 0.2]
    assert [note.text for note in chart.layout.annotations] == ["0.70", "0.20"]


def test_a_feature_that_moves_with_the_verdicts_is_said_to() -> None:
    found = {"historical_fraud_rate": moved(1.65, "watch"), "battery_level": moved(0.2, "watch")}
    chart = model_features.drift(found, "dark")
    assert [note.text for note in chart.layout.annotations] == [
        "1.65 moved with the verdicts",
        "0.20 keep an eye on it",
    ]
    title = watching.furthest(found)
    assert title == "Past fraud rate moved with the verdicts that came, no other far"
    assert (
        watching.furthest({"battery_level": found["battery_level"]}) == "No feature has moved far"
    )


@pytest.mark.parametrize("scheme", theme.SCHEMES)
def test_drift_is_coloured_by_its_meaning_and_says_it_in_words(scheme: theme.Scheme) -> None:
    found = watched() | {"velocity_kmh": moved(None, "too few")}
    chart = model_features.drift(found, scheme)
    (bars,) = chart.data
    severities = theme.SEVERITY_COLOURS[scheme]
    assert list(bars.y) == ["Past fraud rate", "Battery", "GPS accuracy", "Speed since last punch"]
    assert list(bars.marker.color) == [
        severities["HIGH"],
        severities["MEDIUM"],
        theme.COLOURS[scheme]["accent"],
        theme.COLOURS[scheme]["unmeasured"],
    ]
    assert [note.text for note in chart.layout.annotations] == [
        "1.50 moved",
        "0.20 keep an eye on it",
        "0.02",
        "not compared",
    ]
    assert [shape.x0 for shape in chart.layout.shapes] == [0.1, 0.25]


def test_missing_shares_stand_beside_those_of_before() -> None:
    found = watched() | {"velocity_kmh": moved(None, "too few")}
    chart = model_features.missing(found, "dark")
    before, now = chart.data
    assert list(now.y) == ["Past fraud rate", "Battery", "GPS accuracy"]
    assert list(now.x) == [0.06, 0.01, 0.01]
    assert list(before.x) == [0.43, 0.02, 0.02]
    assert "Missing in 6.0%, 43.0% before" in now.hovertext[0]


def test_no_figure_meets_a_half_loaded_pandas() -> None:
    """plotly uses it where it finds it: it is there before there are threads."""
    program = "import sys, wsgi; sys.exit('pandas' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

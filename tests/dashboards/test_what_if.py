"""The what-if on the page about the model, its charts, and what a version is compared with."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask

from dashboards.figures import model_quality
from dashboards.figures import what_if as drawn
from dashboards.model.charts import confused
from dashboards.model.whatif_told import caught_frauds, sentence
from noc.fraud.labels import label_punches
from tests.dashboards.conftest import Reader
from tests.dashboards.modelled import figure, version
from tests.dashboards.scored import scored
from tests.factories import Make
from tests.signed_in import limit_to

NOW = dt.datetime.now(dt.UTC)


def asked(reader: Reader, **given: Any) -> Any:
    values = {"model-span.value": "30", "scheme.data": "dark"}
    values |= {f"model-{name}.value": value for name, value in given.items()}
    return reader.call("model-whatif.children", "model-ask.value", values=values)


def point(at: float, *, a_day: float = 2.0, right: float | None = 0.8, n: int = 10) -> Any:
    return {
        "threshold": at, "tickets_per_day": a_day, "punches_per_day": a_day * 2, "reviewed": n,
        "precision": figure(right), "recall": figure(0.6), "false_alarms_per_day": None,
    }  # fmt: skip


def found(**other: Any) -> dict[str, Any]:
    curve = [point(n / 40, a_day=4 * (1 - n / 40)) for n in range(41)]
    return {
        "asked": point(0.6, a_day=3.0, right=0.5, n=20), "in_force": point(0.8), "curve": curve,
        "budget": None, "within_budget": None, "recall_basis": "random audits",
    } | other  # fmt: skip


@pytest.mark.parametrize("draw", [drawn.work, drawn.found_and_right])
def test_each_curve_is_named_in_sight_and_away_from_the_other(draw: Any) -> None:
    steep = [point(n / 40, a_day=40 * (1 - n / 40) ** 4, right=n / 40) for n in range(41)]
    chart = draw(found(curve=steep), "dark")
    lines = {trace.name: trace for trace in chart.data if trace.name != "band"}
    top = chart.layout.yaxis.range[1]
    named = {note.text: note for note in chart.layout.annotations if note.text in lines}
    assert named.keys() == lines.keys()
    heights = {name: note.y for name, note in named.items()}
    for name, note in named.items():
        assert 0 <= note.y <= top
        (other,) = lines.keys() - {name}
        there = lines[other].y[min(range(41), key=lambda n: abs(lines[other].x[n] - note.x))]
        assert abs(note.y - there) > 0.1 * top, heights
        assert note.yanchor == ("bottom" if note.y > there else "top")


def three_punches(make: Make) -> None:
    """Scores 0.95 (fraud), 0.7 (fraud) and 0.65 (genuine), of three guards."""
    site = make.site()
    verdicts = {}
    for score, fraud in ((0.95, True), (0.7, True), (0.65, False)):
        at = NOW - dt.timedelta(hours=30)
        verdicts[scored(make, make.person(site), site, score=score, at=at).punch] = fraud
    label_punches(
        verdicts,
        tenant_id=make.tenant_id,
        source="review",
        labelled_by=None,
        now=NOW - dt.timedelta(hours=2),
    )


def test_a_lower_threshold_is_told_beside_the_one_in_force(reader: Reader, make: Make) -> None:
    three_punches(make)

    told = asked(reader, ask="threshold", threshold=0.6).text

    assert "From 0.60 on: " in told
    assert "1 more known fraud found in the period" in told
    assert "Now, from 0.80 on" in told
    assert "Asked, from 0.60 on" in told
    assert "reviewed punches, which flatters" in told
    # Wilson's 90 % interval of 2 of 3, and of 1 of 1.
    assert "67% (25% to 92%)" in told
    assert "100% (27% to 100%)" in told


def test_a_budget_names_the_threshold_that_keeps_it(reader: Reader, make: Make) -> None:
    three_punches(make)
    told = asked(reader, ask="budget", threshold=0.8, budget=7).text
    assert "To keep to 7 tickets a week, from 0.95 on" in told
    assert "How many?" in asked(reader, ask="budget", threshold=0.8, budget="").text


def test_without_punches_it_says_so(reader: Reader) -> None:
    told = asked(reader, ask="threshold", threshold=0.6).text
    assert "No scored punches in this period" in told


def test_it_takes_the_right_to_review_and_the_whole_company(
    app: APIFlask, make: Make, viewer: Reader
) -> None:
    limited = Reader(app, make, limit_to(make, make.user("security_manager"), make.site().id))
    for one in (viewer, limited):
        assert asked(one, ask="threshold", threshold=0.6).status_code == 403


def test_the_address_fills_the_controls(reader: Reader) -> None:
    values = {
        "url.pathname": "/app/model",
        "url.search": "?ask=budget&budget=12&threshold=0.35&span=90",
    }
    text = reader.call("page.children", "url.pathname", values=values).text
    assert '"id":"model-budget"' in text
    assert '"value":12.0' in text
    assert '"value":0.35' in text
    assert '"id":"model-by-threshold","className":"whatif-given","hidden":true' in text
    values["url.search"] = "?ask=x&budget=-1&threshold=nan&span=x"
    text = reader.call("page.children", "url.pathname", values=values).text
    assert "model-whatif" in text


def test_the_sentence_says_what_would_be_other() -> None:
    assert caught_frauds(point(0.6, right=0.5, n=20)) == 10
    assert sentence(found()) == (
        "From 0.60 on: 7.0 more tickets a week, and 2 more known frauds found in the period."
    )
    same = found(asked=point(0.8))
    assert sentence(same) == "From 0.80 on, as it is now."
    over = found(budget=1.0, within_budget=False, asked=point(1.0, a_day=1.5))
    assert sentence(over).startswith("No threshold keeps to 7 tickets a week")


def test_false_alarms_have_the_interval_of_the_precision() -> None:
    # 2 tickets a day, 0.8 (0.7 to 0.9) of them right: of 14 a week 2.8 (1.4 to 4.2) are not.
    told = drawn.false_alarms(point(0.8))
    assert (told["low"], told["value"], told["high"]) == pytest.approx((1.4, 2.8, 4.2))


def test_the_charts_mark_now_and_asked_and_draw_bands() -> None:
    for chart in (drawn.work(found(), "dark"), drawn.found_and_right(found(), "light")):
        assert {shape.name: shape.x0 for shape in chart.layout.shapes} == {"now": 0.8, "asked": 0.6}
        assert sum(trace.name == "band" for trace in chart.data) >= 1
    tickets = next(t for t in drawn.work(found(), "dark").data if t.name == "tickets")
    assert tickets.y[0] == pytest.approx(28)
    unknown = found(curve=[point(n / 40, right=None) for n in range(41)])
    alarms = next(t for t in drawn.work(unknown, "dark").data if t.name == "false alarms")
    assert list(alarms.x) == []


def test_the_confusion_is_told_from_precision_and_recall() -> None:
    served = {
        "rows": 189, "positives": 32, "measured_at": 0.4,
        "test": {"precision": figure(30 / 41), "recall": figure(30 / 32)},
    }  # fmt: skip
    assert confused(served) == (30, 2, 11, 146)
    chart = model_quality.confusion(30, 2, 11, 146, "dark")
    flagged, left = chart.data
    assert list(flagged.x) == pytest.approx([30 / 32, 11 / 157])
    assert list(left.x) == pytest.approx([2 / 32, 146 / 157])
    assert "11 of 157 flagged" in flagged.hovertext[1]
    nothing = served | {"test": {"precision": figure(None), "recall": figure(0.0)}}
    assert confused(nothing) == (0, 32, 0, 157)
    blind = served | {"test": {"precision": figure(0.0), "recall": figure(0.0)}}
    assert confused(blind) is None
    assert confused({}) is None


def test_versions_are_drawn_over_time_and_against_the_champion(reader: Reader, make: Make) -> None:
    version(make, "v1", status="active", passed=True)
    version(make, "v2", status="shadow")
    values = {"model-chosen.data": "v2", "scheme.data": "dark"}
    text = reader.call("model-versions.children", "model-chosen.data", values=values).text
    assert "did best on its own last weeks" in text
    assert '"id":"model-chart-versions"' in text
    text = reader.call("model-charts.children", "model-chosen.data", values=values).text
    assert "v2 against who scored" in text
    assert "It flags" in text
    for name in ("served", "ahead", "confusion", "curve", "calibration", "importance"):
        assert f'"data-export-csv":"model-chart-{name}"' in text


def test_differences_stand_about_zero() -> None:
    rows = [("Active model then", {"value": -0.03, "low": -0.08, "high": 0.03})]
    chart = model_quality.ahead(rows, "dark")
    assert chart.layout.xaxis.range[0] == -chart.layout.xaxis.range[1]
    assert chart.layout.annotations[0].text == "-0.03"
    assert [shape.name for shape in chart.layout.shapes] == ["no difference"]

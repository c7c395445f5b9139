"""The page of baselines: the week, the chosen hour, and changing its threshold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session

from dashboards import theme
from dashboards.baselines import changing, hour
from dashboards.figures import baseline_week
from noc.audit.baselines import Baseline
from noc.audit.models import BaselineProfile
from noc.audit.week import WEEK, Expected, Heard, Week
from noc.workforce.models import Site
from tests.dashboards import audited
from tests.dashboards.conftest import Reader
from tests.factories import Make
from tests.signed_in import limit_to

AT = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
SLOT = "30"


@pytest.fixture
def site(make: Make) -> Site:
    """A site with a name."""
    return make.site(name="Harbour Depot")


@pytest.fixture
def base(make: Make, site: Site, session: Session) -> BaselineProfile:
    """What is usual of its phones at all hours."""
    row = audited.baseline(make, site)
    session.commit()
    return row


@pytest.fixture
def admin(app: APIFlask, make: Make) -> Reader:
    """An administrator of ``acme``."""
    return Reader(app, make, make.user("admin", name="Ada"))


def values(site: int, **more: Any) -> dict[str, Any]:
    return {
        "baselines-site.value": str(site),
        "baselines-metric.value": "phone_events_count",
        "baselines-hour.value": SLOT,
    } | {f"baselines-{name}": value for name, value in more.items()}


def drawn(reader: Reader, site: int) -> Any:
    return reader.call("baselines-week.children", "baselines-site.value", values=values(site))


def detailed(reader: Reader, site: int) -> Any:
    return reader.call("baselines-hour-part.children", "baselines-site.value", values=values(site))


def press(reader: Reader, base: BaselineProfile, step: str, **more: Any) -> Any:
    one = {"id": base.id, "held": base.pinned_threshold, "slot": int(SLOT)}
    given = {
        "baseline-step": [({"type": "baseline-step", "step": step}, 1)],
        "baselines-one.data": one,
        "baselines-reason.value": "A quiet site",
        "baselines-threshold.value": 2.0,
    }
    sent = values(base.site_id) | given | {f"baselines-{name}": v for name, v in more.items()}
    return reader.call("baselines-confirm.children", "baseline-step", values=sent)


def pinned(session: Session, base: BaselineProfile) -> float | None:
    session.expire_all()
    return session.get_one(BaselineProfile, (base.tenant_id, base.id)).pinned_threshold


def test_the_week_and_the_hour_say_what_they_rest_on(
    reader: Reader, site: Site, base: BaselineProfile
) -> None:
    week = drawn(reader, site.id).text
    assert "All hours together: 168 hours" in week
    assert "Nobody was heard on duty here last week" in week
    text = detailed(reader, site.id).text
    assert "Tuesday 06:00" in text
    assert "Not unusual: 8.0 to 32.0" in text
    assert "3.0 deviations, by the weekly tuning" in text
    assert "Nobody has judged one of its alerts in 30 days" in text
    assert "No threshold has changed yet" in text


def test_a_site_that_has_not_learned_says_so(reader: Reader, make: Make) -> None:
    bare = make.site()
    assert "Nothing is usual here yet" in drawn(reader, bare.id).text
    assert "no baseline of this hour has 30 samples" in detailed(reader, bare.id).text


def test_a_pin_is_asked_about_made_kept_and_taken_back(
    admin: Reader, base: BaselineProfile, session: Session
) -> None:
    asked = press(admin, base, "pin").text
    assert "values outside 12.0 to 28.0 raise an alert" in asked
    assert "Yes, pin at 2" in asked
    assert pinned(session, base) is None, "it was only asked"

    done = press(admin, base, "pin-sure")
    assert "Pinned at 2." in done.text
    assert "Take it back" in done.text
    before = done.json["response"]["baselines-before"]["data"]
    assert pinned(session, base) == 2.0
    text = detailed(admin, base.site_id).text
    assert "Pinned, 3 to 2 deviations" in text
    assert "by Ada" in text
    assert "A quiet site" in text
    assert "2.0 deviations, pinned" in text

    press(admin, base, "undo", **{"before.data": before})
    assert pinned(session, base) is None
    assert "Taken back" in detailed(admin, base.site_id).text


def test_letting_go_and_forgetting(admin: Reader, base: BaselineProfile, session: Session) -> None:
    assert "is not pinned" in press(admin, base, "let-go").text
    press(admin, base, "pin-sure")
    assert "no longer held at 2" in press(admin, base, "let-go").text
    press(admin, base, "let-go-sure")
    assert pinned(session, base) is None
    assert "100 samples" in press(admin, base, "reset").text
    assert "cannot be taken back" in press(admin, base, "reset").text
    done = press(admin, base, "reset-sure").text
    assert "learns anew" in done
    assert "Take it back" not in done
    session.expire_all()
    assert session.get_one(BaselineProfile, (base.tenant_id, base.id)).sample_count == 0
    assert "Another baseline judges" in press(admin, base, "pin").text


@pytest.mark.parametrize("given", [None, "", 1.4, 5.1])
def test_a_threshold_that_cannot_be_is_said(
    admin: Reader, base: BaselineProfile, session: Session, given: Any
) -> None:
    for step in ("pin", "pin-sure"):
        answer = press(admin, base, step, **{"threshold.value": given})
        assert "lies between 1.5 and 5.0" in answer.text
    assert pinned(session, base) is None


def test_a_reason_is_needed(admin: Reader, base: BaselineProfile) -> None:
    assert "Write why first" in press(admin, base, "pin", **{"reason.value": " "}).text


def test_only_an_administrator_of_the_whole_company_changes_anything(
    app: APIFlask, make: Make, reader: Reader, base: BaselineProfile, session: Session
) -> None:
    partly = Reader(app, make, limit_to(make, make.user("admin"), base.site_id))
    for stranger in (reader, partly):
        page = stranger.call(
            "page.children", "url.pathname", values={"url.pathname": "/app/baselines"}
        )
        assert "baselines-threshold" not in page.text.replace("baselines-threshold.value", "")
        assert press(stranger, base, "pin-sure").status_code == 403
    assert pinned(session, base) is None


def test_whoever_is_limited_to_another_site_sees_nothing(
    app: APIFlask, make: Make, site: Site, base: BaselineProfile
) -> None:
    user = limit_to(make, make.user("operator"), make.site(name="Elsewhere").id)
    stranger = Reader(app, make, user)
    assert "No such site" in drawn(stranger, site.id).text
    assert "No such site" in detailed(stranger, site.id).text
    page = stranger.call("page.children", "url.pathname", values={"url.pathname": "/app/baselines"})
    assert "Harbour Depot" not in page.text


# Figure and words on their data


def judge(level: str = "all", **values: Any) -> Baseline:
    given = {
        "id": 1, "site_id": 1, "metric_type": "phone_events_count", "level": level, "slot": 0,
        "mean": 20.0, "std_dev": 4.0, "sample_count": 100, "is_stable": True,
        "false_positive_rate": 0.0, "dynamic_threshold": 3.0, "pinned_threshold": None,
    }  # fmt: skip
    return Baseline(**(given | values))


def expected(slot: int, found: Baseline | None, threshold: float = 3.0) -> Expected:
    if found is None:
        return Expected(slot, None, threshold, None, None)
    off = threshold * found.std_dev
    return Expected(slot, found, threshold, found.mean - off, found.mean + off)


def heard(slot: int, value: float, z: float) -> Heard:
    at = AT + dt.timedelta(hours=slot)
    return Heard(slot, at, 7, value, z, unusual=abs(z) > 3)


@pytest.mark.parametrize("scheme", theme.SCHEMES)
def test_the_band_the_grey_and_the_values(scheme: theme.Scheme) -> None:
    levels = [judge("hour_of_week"), judge("hour_of_day"), judge(), None]
    hours = [expected(slot, levels[min(slot // 50, 3)]) for slot in range(WEEK)]
    values = [heard(1, 20, 0), heard(2, 34, 3.5), heard(3, 60, 10)]
    shown = Week("UTC", hours, values, AT, AT)
    chart = baseline_week.figure(shown, "Phone events", {7: "Meera"}, 4, scheme)
    traces = {trace.name: trace for trace in chart.data}

    fine = traces["Usual, this hour of the week"]
    coarse = traces["Usual, all hours together"]
    assert len(fine.x) == 50
    assert (fine.base[0], fine.y[0]) == (8.0, 24.0)
    assert fine.marker.opacity > coarse.marker.opacity
    assert len(traces["Last week"].x) == 1
    assert list(traces["Unusual, medium"].y) == [34]
    assert list(traces["Unusual, high"].y) == [60]
    assert traces["Unusual, high"].marker.symbol == theme.SEVERITY_SYMBOLS["HIGH"]
    assert 3 <= traces["Unusual, high"].x[0] < 4
    assert "Meera" in traces["Unusual, high"].hovertext[0]
    grey = [shape for shape in chart.layout.shapes if shape.name == "unmeasured"]
    assert [(shape.x0, shape.x1) for shape in grey] == [(150, WEEK)]
    assert baseline_week.levels(shown)["none"] == 18


def test_runs_join_neighbours() -> None:
    assert baseline_week.runs([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
    assert baseline_week.runs([]) == []


def test_what_a_pin_would_have_meant_is_counted() -> None:
    mine, other = judge(), judge(id=2)
    hours = [expected(slot, mine if slot < 100 else other) for slot in range(WEEK)]
    values = [heard(1, 30, 2.5), heard(2, 34, 3.5), heard(120, 30, 2.5), heard(3, 10, -2.5)]
    told = changing.pinning(mine, Week("UTC", hours, values, AT, AT), "phone_events_count", 2.0)
    assert "Of the 3 values it judged last week that would have been 3, instead of 1." in told
    work = changing.pinning(mine, Week("UTC", hours, values, AT, AT), "tasks_completed_count", 2.0)
    assert "that would have been 1, instead" in work, "more work than usual is no trouble"


@pytest.mark.parametrize(
    ("threshold", "values", "words"),
    [
        (3.0, {}, "by the weekly tuning"),
        (2.0, {"pinned_threshold": 2.0}, "pinned"),
        (4.0, {}, "careful"),
        (2.5, {}, "sensitive"),
    ],
)
def test_the_threshold_says_why_it_is_so(
    threshold: float, values: dict[str, Any], words: str
) -> None:
    found = judge(**values)
    assert words in hour.threshold(expected(0, found, threshold), found)


def test_a_rate_of_few_has_its_interval() -> None:
    assert hour.rate(1, 4) == "1 of 4 judged in 30 days: 6% to 64% (90% interval)"
    assert "Nobody" in hour.rate(0, 0)

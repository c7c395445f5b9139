"""The page of findings: counts, the sentence, the list, and acting on one or many."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session

from dashboards.findings import summary
from noc.audit.models import Finding
from noc.database.base import utcnow
from tests.dashboards import audited
from tests.dashboards.conftest import Reader
from tests.factories import Make
from tests.signed_in import limit_to

NAMES = ("state", "type", "category", "severity", "site", "days")


@pytest.fixture
def found(make: Make, session: Session) -> list[Finding]:
    """Three silent phones and a round walked late, at Harbour Depot."""
    site = make.site(name="Harbour Depot")
    guard = make.person(site, name="Meera Joshi")
    rows = [audited.finding(make, make.person(site), site) for _ in range(2)]
    rows.append(audited.finding(make, guard, site))
    late = {"finding_type": "TOUR_LATE", "category": "COMPLIANCE", "severity": "LOW"}
    rows.append(audited.finding(make, guard, site, **late))
    session.commit()
    return rows


def values(**chosen: str | None) -> dict[str, Any]:
    return {f"findings-{name}.value": value for name, value in chosen.items()}


def listed(reader: Reader, **chosen: str | None) -> Any:
    return reader.call("findings-table.children", "findings-state.value", values=values(**chosen))


def counted(reader: Reader, **chosen: str | None) -> Any:
    return reader.call("findings-summary.children", "findings-state.value", values=values(**chosen))


def act(reader: Reader, ids: list[int], action: str, **more: str | None) -> Any:
    wanted = {"ids": ids, "action": action, "resolution": None, "note": None} | more
    return reader.call(
        "findings-result.data", "findings-wanted.data", values={"findings-wanted.data": wanted}
    )


def result(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer.json["response"]["findings-result"]["data"]
    return told


def test_the_list_is_filtered(reader: Reader, found: list[Finding], make: Make) -> None:
    assert listed(reader).text.count('"id":"finding:') == 4
    assert listed(reader, type="TOUR_LATE").text.count('"id":"finding:') == 1
    assert listed(reader, severity="HIGH", category="DEVICE_HEALTH").text.count("finding:") == 3
    assert "No findings match" in listed(reader, state="RESOLVED").text
    old = utcnow() - dt.timedelta(days=3)
    guard = make.person(name="Old News")
    audited.finding(make, guard, make.site(), at=old)
    assert "Old News" not in listed(reader, days="1").text
    assert "Old News" in listed(reader, days="7").text
    assert listed(reader, type="NONSENSE").status_code == 422


def test_counts_stand_beside_the_filters_and_in_the_matrix(
    reader: Reader, found: list[Finding]
) -> None:
    text = counted(reader, type="TOUR_LATE").text

    assert "4 findings in 7 days, 0% became work for somebody" in text
    assert "nobody has judged any yet" in text
    assert '"1 finding"' in text
    assert "Silent on duty · 3" in text
    assert "Low · 1" in text
    assert "3 findings, silent on duty, Harbour Depot; the worst is high" in text
    assert "Nothing found in 24 h" in counted(reader, days="1", site="99999").text


def test_the_sentence_says_how_sure_it_is() -> None:
    told = {
        "findings": 200, "escalated": 50, "closed_themselves": 100, "judged": 10,
        "false_positives": 2, "acknowledged": 40, "median_seconds_to_acknowledge": 420.0,
    }  # fmt: skip
    title, line = summary.sentence({"all": told}, "in 7 days")
    assert title.children == "200 findings in 7 days, 25% became work for somebody"
    assert line.children == (
        "100 closed themselves when it was over; of 10 that people judged 20% were false alarms "
        "(90% interval 7% to 46%); half of 40 acknowledged were seen within 7 min."
    )


def test_the_worst_and_the_most_come_first_in_the_matrix() -> None:
    cells = [
        {"finding_type": "TOUR_LATE", "site_id": 1, "count": 90, "worst": "LOW"},
        {"finding_type": "POST_ABANDONED", "site_id": 2, "count": 1, "worst": "CRITICAL"},
    ]
    sites = {"1": {"name": "Busy"}, "2": {"name": "Quiet"}}
    shown = str(summary.matrix(cells, sites, "TOUR_LATE", 1))
    assert shown.index("Post abandoned") < shown.index("Round walked late")
    assert shown.index("Busy") < shown.index("Quiet")
    assert summary.matrix([], sites, None, None) is None


def test_one_and_many_are_acknowledged_and_resolved(
    reader: Reader, found: list[Finding], session: Session
) -> None:
    ids = [finding.id for finding in found]

    one = result(act(reader, ids[:1], "acknowledge"))
    assert one == {
        "states": {f"finding:{ids[0]}": "ACKNOWLEDGED"}, "ok": True,
        "words": "1 finding acknowledged", "undo": [],
    }  # fmt: skip
    assert result(act(reader, ids, "resolve"))["words"] == "Choose the outcome first."
    many = result(act(reader, ids, "resolve", resolution="FIXED", note="New batteries"))
    assert many["words"] == "4 findings resolved"
    session.expire_all()
    kept = session.get_one(Finding, (found[0].tenant_id, ids[3]))
    assert (kept.resolution, kept.resolution_note) == ("FIXED", "New batteries")
    again = result(act(reader, ids, "acknowledge"))
    assert again["words"] == "0 findings acknowledged; 4 left: it is resolved already."
    assert not again["ok"]


def test_what_was_resolved_by_mistake_is_taken_back(
    reader: Reader, found: list[Finding], session: Session
) -> None:
    ids = [finding.id for finding in found]
    act(reader, ids[:1], "acknowledge")
    act(reader, ids[3:], "resolve", resolution="CONFIRMED")
    done = result(act(reader, ids, "resolve", resolution="FIXED", note="Wrong row"))
    assert done["undo"] == [f"finding:{key}" for key in ids[:3]], "the last was resolved before"
    back = result(act(reader, ids[:3], "reopen"))
    assert back == {
        "states": {
            f"finding:{ids[0]}": "ACKNOWLEDGED",
            f"finding:{ids[1]}": "NEW",
            f"finding:{ids[2]}": "NEW",
        },
        "ok": True, "words": "3 findings open again", "undo": [],
    }  # fmt: skip
    session.expire_all()
    assert session.get_one(Finding, (found[0].tenant_id, ids[3])).resolution == "CONFIRMED"


def test_people_cannot_say_that_something_closed_itself(
    reader: Reader, found: list[Finding]
) -> None:
    assert not result(act(reader, [found[0].id], "resolve", resolution="EXPIRED"))["ok"]


def test_a_viewer_has_nothing_to_act_with(
    viewer: Reader, found: list[Finding], session: Session
) -> None:
    page = viewer.call(
        "page.children", "url.pathname", values={"url.pathname": "/app/findings"}
    ).text
    assert "findings-bulk" not in page
    table = listed(viewer).text
    assert "FindingAct" not in table
    assert "multiRow" not in table
    assert act(viewer, [found[0].id], "acknowledge").status_code == 403
    assert act(viewer, [found[0].id], "reopen").status_code == 403
    session.expire_all()
    assert session.get_one(Finding, (found[0].tenant_id, found[0].id)).status == "NEW"


def test_whoever_is_limited_to_another_site_sees_and_changes_nothing(
    app: APIFlask, make: Make, found: list[Finding], session: Session
) -> None:
    user = limit_to(make, make.user("operator"), make.site(name="Elsewhere").id)
    stranger = Reader(app, make, user)

    for answer in (listed(stranger), counted(stranger), counted(stranger, site="1")):
        assert "Meera Joshi" not in answer.text
        assert "Harbour Depot" not in answer.text
    assert "Nothing found" in counted(stranger, site=str(found[0].site_id)).text
    told = result(act(stranger, [found[0].id], "acknowledge"))
    assert told["states"] == {}
    session.expire_all()
    assert session.get_one(Finding, (found[0].tenant_id, found[0].id)).status == "NEW"


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        {"ids": []},
        {"ids": ["x"], "action": "acknowledge", "resolution": None, "note": None},
        {"ids": list(range(1, 502)), "action": "acknowledge", "resolution": None, "note": None},
        {"ids": [1], "action": "delete", "resolution": None, "note": None},
    ],
)
def test_what_no_page_sends_is_refused(reader: Reader, wanted: Any) -> None:
    answer = reader.call(
        "findings-result.data", "findings-wanted.data", values={"findings-wanted.data": wanted}
    )
    assert answer.status_code == 422

"""The review queue: what is shown, to whom, and what becomes of what the reader says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session

from noc.fraud import hearing
from noc.fraud.models import PredictionLog
from tests.dashboards.conftest import Reader
from tests.dashboards.scored import Scored, scored
from tests.dashboards.test_pages import drawer, page
from tests.factories import Make
from tests.fraud.review.population import prediction
from tests.signed_in import limit_to


@pytest.fixture
def foul(make: Make) -> Scored:
    """A suspicious punch of Meera at the harbour."""
    site = make.site(name="Harbour Depot", timezone="UTC")
    return scored(make, make.person(site, name="Meera Joshi", code="G120"), site)


@pytest.fixture
def other(app: APIFlask, make: Make) -> Reader:
    """A second reviewer."""
    return Reader(app, make, make.user("security_manager", name="Tomas Reyes"))


def queue(reader: Reader, site: str | None = None) -> Any:
    return reader.call("review-queue.data", "review-site.value", values={"review-site.value": site})


def deal(reader: Reader, make: Make, punch: int) -> Any:
    wanted = {"id": str(prediction(make, punch).id), "why": "highest score", "number": 1}
    return reader.call("review-dealt.data", "review-want.data", values={"review-want.data": wanted})


def dealt(reader: Reader, make: Make, punch: int) -> dict[str, Any]:
    found: dict[str, Any] = deal(reader, make, punch).json["response"]["review-dealt"]["data"]
    return found


def say(reader: Reader, *steps: dict[str, Any]) -> Any:
    data = {"number": 1, "steps": list(steps)}
    return reader.call(
        "review-judged.data", "review-steps.data", values={"review-steps.data": data}
    )


def said(reader: Reader, make: Make, punch: int, verdict: str, **more: Any) -> dict[str, Any]:
    answer = say(reader, {"id": str(prediction(make, punch).id), "verdict": verdict, **more})
    (one,) = answer.json["response"]["review-judged"]["data"]["answers"]
    return dict(one)


def stored(make: Make, session: Session, punch: int) -> PredictionLog:
    session.expire_all()
    return prediction(make, punch)


def test_the_page_needs_the_right_to_review(reader: Reader, viewer: Reader) -> None:
    assert "review-card" in page(reader, "/app/review").text
    refused = page(viewer, "/app/review").text
    assert "security:fraud:review" in refused
    assert "review-card" not in refused
    assert queue(viewer).status_code == 403
    assert say(viewer, {"id": "0" * 32, "verdict": "CONFIRMED"}).status_code == 403


def test_a_link_names_the_punch_to_begin_with(reader: Reader, make: Make, foul: Scored) -> None:
    key = str(prediction(make, foul.punch).id)
    assert f'"data":"{key}"' in page(reader, "/app/review", f"?punch={key}").text
    assert "<script>" not in page(reader, "/app/review", "?punch=<script>").text
    assert f"/app/review?punch={key}" in drawer(reader, f"punch:{foul.punch}").text


def test_the_queue_tells_what_waits_and_how_far_today_has_come(
    reader: Reader, make: Make, foul: Scored
) -> None:
    answer = queue(reader)
    told = answer.json["response"]["review-queue"]["data"]
    assert told["items"] == [{"id": str(prediction(make, foul.punch).id), "why": "highest score"}]
    assert "Unlabelled" in answer.text
    assert "verdicts" in answer.text


def test_an_empty_queue_says_what_will_bring_punches(reader: Reader) -> None:
    told = queue(reader).json["response"]["review-queue"]["data"]
    assert told["items"] == []
    assert "Nothing waits for a verdict" in queue(reader).text


def test_a_card_has_the_evidence_of_one_punch(reader: Reader, make: Make, foul: Scored) -> None:
    hearing.hear(
        foul.punch, "My own phone was stolen.", tenant_id=make.tenant_id, user_id=None,
        now=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    text = deal(reader, make, foul.punch).text
    for part in (
        "Meera Joshi", "Harbour Depot", "The same phone punched for somebody else",
        "This punch and the ones before", "My own phone was stolen.", "A score is not a verdict",
        "review-map", "review-timeline", "The same in words", "Highest score",
    ):  # fmt: skip
        assert part in text, part


def test_a_verdict_is_taken_with_its_note_and_listed_for_undoing(
    reader: Reader, make: Make, foul: Scored, session: Session
) -> None:
    assert said(reader, make, foul.punch, "CONFIRMED", note=" Seen on camera. ")["ok"]
    row = stored(make, session, foul.punch)
    assert (row.actual_fraud_detected, row.label_note) == (True, "Seen on camera.")
    assert "Meera Joshi" in queue(reader).text
    assert '"data-review-undo"' in queue(reader).text

    assert said(reader, make, foul.punch, "BACK", expected="CONFIRMED")["ok"]
    assert stored(make, session, foul.punch).actual_fraud_detected is None


def test_who_is_slower_is_told_who_was_faster_and_changes_nothing(
    reader: Reader, other: Reader, make: Make, foul: Scored, session: Session
) -> None:
    said(other, make, foul.punch, "FALSE_POSITIVE")
    answer = said(reader, make, foul.punch, "CONFIRMED")
    assert not answer["ok"]
    assert "Already labelled genuine by Tomas Reyes" in answer["words"]
    assert stored(make, session, foul.punch).actual_fraud_detected is False
    assert "Tomas Reyes labelled it" in dealt(reader, make, foul.punch)["gone"]


def test_the_same_said_twice_is_no_refusal(reader: Reader, make: Make, foul: Scored) -> None:
    said(reader, make, foul.punch, "CONFIRMED")
    assert said(reader, make, foul.punch, "CONFIRMED")["ok"]
    said(reader, make, foul.punch, "BACK", expected="CONFIRMED")
    assert said(reader, make, foul.punch, "BACK", expected="CONFIRMED")["ok"]


def test_undoing_gives_the_verdict_before_again(
    reader: Reader, make: Make, foul: Scored, session: Session
) -> None:
    said(reader, make, foul.punch, "FALSE_POSITIVE")
    said(reader, make, foul.punch, "CONFIRMED", expected="FALSE_POSITIVE")
    said(reader, make, foul.punch, "BACK", expected="CONFIRMED", to="FALSE_POSITIVE")
    assert stored(make, session, foul.punch).actual_fraud_detected is False


def test_unsure_without_words_keeps_what_the_one_before_wrote(
    reader: Reader, other: Reader, make: Make, foul: Scored, session: Session
) -> None:
    said(other, make, foul.punch, "INCONCLUSIVE", note="The camera was broken.")
    said(reader, make, foul.punch, "INCONCLUSIVE")
    assert stored(make, session, foul.punch).label_note == "The camera was broken."
    assert "The camera was broken." in deal(reader, make, foul.punch).text


def test_two_reviewers_do_not_get_the_same_punch(
    reader: Reader, other: Reader, make: Make, foul: Scored
) -> None:
    assert dealt(reader, make, foul.punch)["gone"] is None
    assert "Maya Fernandes is looking at it" in dealt(other, make, foul.punch)["gone"]
    said(reader, make, foul.punch, "INCONCLUSIVE")
    assert dealt(other, make, foul.punch)["gone"] is None


def test_steps_are_taken_in_their_order_and_one_refused_leaves_the_others(
    reader: Reader, make: Make, foul: Scored, session: Session
) -> None:
    key = str(prediction(make, foul.punch).id)
    answer = say(
        reader,
        {"id": "00000000-0000-0000-0000-000000000001", "verdict": "CONFIRMED"},
        {"id": key, "verdict": "CONFIRMED"},
        {"id": key, "verdict": "BACK", "expected": "CONFIRMED"},
        {"id": key, "verdict": "FALSE_POSITIVE"},
    )
    answers = answer.json["response"]["review-judged"]["data"]["answers"]
    assert [one["ok"] for one in answers] == [False, True, True, True]
    assert stored(make, session, foul.punch).actual_fraud_detected is False


def test_who_is_limited_to_other_sites_gets_nothing(
    app: APIFlask, make: Make, foul: Scored, session: Session
) -> None:
    user = make.user("security_manager")
    reader = Reader(app, make, limit_to(make, user, make.site(name="Elsewhere").id))
    assert queue(reader).json["response"]["review-queue"]["data"]["items"] == []
    assert dealt(reader, make, foul.punch)["missing"]
    assert "Meera" not in deal(reader, make, foul.punch).text
    assert not said(reader, make, foul.punch, "CONFIRMED")["ok"]
    assert stored(make, session, foul.punch).actual_fraud_detected is None


def test_cards_ask_the_database_as_often_however_much_happened(
    reader: Reader,
    make: Make,
    foul: Scored,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    row = prediction(make, foul.punch)
    few = query_count(lambda: deal(reader, make, foul.punch))
    for kind in ("GPS_SPOOFING", "UNUSUAL_TIME", "MODEL"):
        at = row.occurred_at - dt.timedelta(minutes=30)
        site = make.session.get_one(type(make.site()), (make.tenant_id, row.site_id))
        scored(make, make.person(site), site, kind=kind, at=at)
    assert query_count(lambda: deal(reader, make, foul.punch)) == few

"""Verdicts of reviewers: who gave which, which holds, and how one is taken back."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.database.tenancy import tenant_context
from noc.fraud.labels import label_punches
from noc.fraud.models import PredictionLog
from noc.fraud.review import labelling
from noc.fraud.review.audits import draw
from noc.fraud.review.labelling import Outcome, Refused, Said, Seen, label, take_back
from noc.identity import tenants
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.fraud.review.population import YESTERDAY, prediction, punches, shadow


def say(
    make: Make,
    punch: int,
    verdict: Any,
    *,
    note: str | None = None,
    seen: Seen | None = None,
    user_id: int | None = None,
    site_ids: frozenset[int] | None = None,
    hours: float = 0,
) -> Outcome | Refused:
    said = Said(prediction(make, punch).id, verdict, note, seen)
    now = NOW + dt.timedelta(hours=hours)
    who: dict[str, Any] = {"tenant_id": make.tenant_id, "user_id": user_id, "site_ids": site_ids}
    (outcome,) = label([said], **who, now=now)
    return outcome


def refused(outcome: Outcome | Refused) -> Refused:
    assert isinstance(outcome, Refused)
    return outcome


def stored(make: Make, punch: int) -> tuple[Any, ...]:
    row = prediction(make, punch)
    return (
        row.actual_fraud_detected,
        row.label_source,
        row.labelled_at,
        row.labelled_by,
        row.label_note,
    )


NOTHING = (None, None, None, None, None)


@pytest.mark.parametrize(("verdict", "fraud"), [("CONFIRMED", True), ("FALSE_POSITIVE", False)])
def test_a_verdict_says_who_when_and_why(make: Make, verdict: str, fraud: bool) -> None:
    (punch,) = punches(make, [0.7])
    user = make.user()

    outcome = say(make, punch, verdict, note="Seen on camera.", user_id=user.id)

    assert outcome == "labelled"
    assert stored(make, punch) == (fraud, "review", NOW, user.id, "Seen on camera.")


def test_of_a_drawn_punch_the_source_is_audit(make: Make) -> None:
    (punch,) = punches(make, [0.1])
    draw(YESTERDAY, tenant_id=make.tenant_id, now=NOW)

    say(make, punch, "FALSE_POSITIVE")

    assert stored(make, punch)[:2] == (False, "audit")


def test_shadows_get_the_verdict_too_and_lose_it_with_it(make: Make, session: Session) -> None:
    (punch,) = punches(make, [0.7])
    watching = shadow(make, punch)

    say(make, punch, "CONFIRMED", note="Yes.")
    session.refresh(watching)
    assert (watching.actual_fraud_detected, watching.label_note) == (True, "Yes.")

    assert take_back(prediction(make, punch).id, tenant_id=make.tenant_id, site_ids=None)
    session.refresh(watching)
    assert watching.actual_fraud_detected is None
    assert watching.labelled_at is None
    assert stored(make, punch) == NOTHING


def test_inconclusive_gives_no_label_and_clears_none(make: Make) -> None:
    fresh, known = punches(make, [0.7, 0.8])
    say(make, known, "CONFIRMED", note="Seen.")
    before = stored(make, known)

    assert say(make, fresh, "INCONCLUSIVE", note="No camera there.") == "inconclusive"
    assert say(make, known, "INCONCLUSIVE", hours=1) == "inconclusive"

    assert stored(make, fresh) == (None, None, None, None, "No camera there.")
    assert stored(make, known) == before


def test_a_verdict_replaces_what_was_noted_without_one(make: Make) -> None:
    (punch,) = punches(make, [0.7])
    say(make, punch, "INCONCLUSIVE")

    say(make, punch, "FALSE_POSITIVE")

    assert stored(make, punch) == (False, "review", NOW, None, None)


def test_the_latest_verdict_holds_and_the_same_keeps_its_moment(make: Make) -> None:
    (punch,) = punches(make, [0.7])
    assert say(make, punch, "CONFIRMED", note="First.") == "labelled"
    assert say(make, punch, "CONFIRMED", hours=1) == "unchanged"
    assert stored(make, punch) == (True, "review", NOW, None, "First.")
    assert say(make, punch, "CONFIRMED", note="Second.", hours=2) == "unchanged"
    assert stored(make, punch)[2:] == (NOW, None, "Second.")

    assert say(make, punch, "FALSE_POSITIVE", hours=3) == "labelled"
    assert stored(make, punch) == (False, "review", NOW + dt.timedelta(hours=3), None, None)


def test_a_stale_verdict_that_says_what_it_saw_is_refused(make: Make) -> None:
    (punch,) = punches(make, [0.7])
    assert say(make, punch, "CONFIRMED", seen=Seen(None)) == "labelled"

    late = refused(say(make, punch, "FALSE_POSITIVE", seen=Seen(None)))
    assert (late.stale, late.verdict) == (True, "CONFIRMED")
    assert refused(say(make, punch, "INCONCLUSIVE", seen=Seen("FALSE_POSITIVE"))).stale
    assert stored(make, punch)[0] is True

    assert say(make, punch, "FALSE_POSITIVE", seen=Seen("CONFIRMED")) == "labelled"


def test_a_tickets_verdict_that_was_overruled_holds_again_when_the_review_is_taken_back(
    make: Make, session: Session
) -> None:
    (punch,) = punches(make, [0.9])
    resolver = make.user()
    label_punches(
        {punch: True}, tenant_id=make.tenant_id, source="ticket", labelled_by=resolver.id, now=NOW
    )
    by_ticket = stored(make, punch)
    assert by_ticket == (True, "ticket", NOW, resolver.id, None)
    assert say(make, punch, "FALSE_POSITIVE", note="His twin.", hours=1) == "labelled"
    assert say(make, punch, "CONFIRMED", hours=2) == "labelled"
    assert say(make, punch, "FALSE_POSITIVE", hours=3) == "labelled"
    assert stored(make, punch)[0] is False

    assert take_back(prediction(make, punch).id, tenant_id=make.tenant_id, site_ids=None)

    assert stored(make, punch) == by_ticket
    with pytest.raises(Refused, match="comes from elsewhere"):
        take_back(prediction(make, punch).id, tenant_id=make.tenant_id, site_ids=None)


def test_a_ticket_has_the_last_word(make: Make) -> None:
    """What it overruled is kept for whoever takes its resolution back, and for no reviewer."""
    (punch,) = punches(make, [0.9])
    say(make, punch, "FALSE_POSITIVE")
    label_punches(
        {punch: True}, tenant_id=make.tenant_id, source="ticket", labelled_by=None, now=NOW
    )
    say(make, punch, "FALSE_POSITIVE", hours=1)
    label_punches(
        {punch: True}, tenant_id=make.tenant_id, source="ticket", labelled_by=None, now=NOW
    )

    with pytest.raises(Refused, match="comes from elsewhere"):
        take_back(prediction(make, punch).id, tenant_id=make.tenant_id, site_ids=None)
    assert stored(make, punch)[:2] == (True, "ticket")


def test_what_is_not_there_or_out_of_sight_is_missing(make: Make, session: Session) -> None:
    here, there = make.site(), make.site()
    (punch,) = punches(make, [0.7], site=here)
    watching = shadow(make, punch)
    other = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, other.id):
        theirs = Make(session, other.id)
        (foreign,) = punches(theirs, [0.9])
        foreign_id = prediction(theirs, foreign).id

    assert refused(say(make, punch, "CONFIRMED", site_ids=frozenset({there.id}))).missing
    ids = (foreign_id, watching.id, uuid.uuid4())
    outcomes = label(
        [Said(one, "CONFIRMED") for one in ids],
        tenant_id=make.tenant_id,
        user_id=None,
        site_ids=None,
        now=NOW,
    )
    assert [refused(outcome).missing for outcome in outcomes] == [True] * 3
    assert stored(make, punch) == NOTHING
    assert say(make, punch, "CONFIRMED", site_ids=frozenset({here.id})) == "labelled"


def test_a_voided_punch_takes_no_verdict(make: Make, session: Session) -> None:
    (punch,) = punches(make, [0.7])
    session.execute(
        update(AttendanceEvent).where(AttendanceEvent.id == punch).values(voided_at=NOW)
    )
    assert "voided" in str(refused(say(make, punch, "CONFIRMED")))
    with pytest.raises(Refused, match="voided"):
        take_back(prediction(make, punch).id, tenant_id=make.tenant_id, site_ids=None)
    assert stored(make, punch) == NOTHING


def test_of_one_punch_twice_in_a_batch_the_later_holds(make: Make) -> None:
    (punch,) = punches(make, [0.7])
    one = prediction(make, punch).id
    said = [
        Said(one, "CONFIRMED", "a"),
        Said(one, "FALSE_POSITIVE", "b"),
        Said(one, "CONFIRMED", "c", Seen("CONFIRMED")),
    ]

    outcomes = label(said, tenant_id=make.tenant_id, user_id=None, site_ids=None, now=NOW)

    assert outcomes[:2] == ["labelled", "labelled"]
    assert refused(outcomes[2]).stale
    assert stored(make, punch) == (False, "review", NOW, None, "b")


def test_a_verdict_after_an_inconclusive_look_in_one_batch_has_its_own_note(make: Make) -> None:
    (punch,) = punches(make, [0.7])
    watching = shadow(make, punch)
    one = prediction(make, punch).id
    said = [
        Said(one, "INCONCLUSIVE", "Dark."),
        Said(one, "CONFIRMED"),
        Said(watching.id, "FALSE_POSITIVE"),
    ]

    outcomes = label(said, tenant_id=make.tenant_id, user_id=None, site_ids=None, now=NOW)

    assert outcomes[:2] == ["inconclusive", "labelled"]
    assert refused(outcomes[2]).missing
    assert stored(make, punch) == (True, "review", NOW, None, None)


def test_many_verdicts_cost_no_more_statements(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    ids = [prediction(make, punch).id for punch in punches(make, [0.5] * 60)]

    def work(some: list[uuid.UUID], verdict: Any) -> Callable[[], Any]:
        said = [Said(one, verdict, "Seen.") for one in some]
        who: dict[str, Any] = {"tenant_id": make.tenant_id, "user_id": None, "site_ids": None}
        return lambda: label(said, **who, now=NOW)

    one = query_count(work(ids[:1], "CONFIRMED"))
    assert query_count(work(ids[1:], "CONFIRMED")) == one <= 5


class TestTakingBack:
    def test_a_label_from_elsewhere_stays(self, make: Make) -> None:
        (punch,) = punches(make, [0.7])
        label_punches(
            {punch: True}, tenant_id=make.tenant_id, source="ticket", labelled_by=None, now=NOW
        )
        with pytest.raises(Refused, match="ticket"):
            take_back(prediction(make, punch).id, tenant_id=make.tenant_id, site_ids=None)
        assert stored(make, punch)[:2] == (True, "ticket")

    def test_where_there_is_none_nothing_happens(self, make: Make) -> None:
        (punch,) = punches(make, [0.7])
        say(make, punch, "INCONCLUSIVE")
        assert not take_back(prediction(make, punch).id, tenant_id=make.tenant_id, site_ids=None)
        assert stored(make, punch) == NOTHING

    def test_only_the_one_that_was_seen(self, make: Make) -> None:
        (punch,) = punches(make, [0.7])
        say(make, punch, "CONFIRMED")
        one = prediction(make, punch).id
        with pytest.raises(Refused, match="CONFIRMED"):
            take_back(one, tenant_id=make.tenant_id, site_ids=None, seen=Seen("FALSE_POSITIVE"))
        assert take_back(one, tenant_id=make.tenant_id, site_ids=None, seen=Seen("CONFIRMED"))

    def test_out_of_sight_there_is_none(self, make: Make) -> None:
        (punch,) = punches(make, [0.7])
        say(make, punch, "CONFIRMED")
        one = prediction(make, punch).id
        with pytest.raises(Refused) as caught:
            take_back(one, tenant_id=make.tenant_id, site_ids=frozenset({make.site().id}))
        assert caught.value.missing


@pytest.fixture
def crowd(app: APIFlask, services: Services) -> Iterator[Make]:
    with committed_tenant(app, services) as make:
        yield make


def test_of_eight_at_once_who_saw_no_verdict_one_is_taken(
    app: APIFlask, crowd: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*args: Any, **kwargs: Any) -> int:
        # Whoever read without waiting has read before this one writes.
        time.sleep(0.05)
        return label_punches(*args, **kwargs)

    monkeypatch.setattr(labelling, "label_punches", slowly)
    (punch,) = punches(crowd, [0.7])
    shadow(crowd, punch)
    one = prediction(crowd, punch).id
    crowd.session.commit()

    def work(n: int) -> Callable[[], Outcome | Refused]:
        verdict: Any = "CONFIRMED" if n % 2 else "FALSE_POSITIVE"
        said = Said(one, verdict, f"By {n}", Seen(None))
        who: dict[str, Any] = {"tenant_id": crowd.tenant_id, "user_id": None, "site_ids": None}
        return lambda: label([said], **who, now=NOW)[0]

    outcomes = at_once(app, crowd.tenant_id, [work(n) for n in range(8)])

    (winner,) = [n for n, outcome in enumerate(outcomes) if outcome == "labelled"]
    assert sum(isinstance(outcome, Refused) and outcome.stale for outcome in outcomes) == 7
    rows = crowd.session.execute(
        select(PredictionLog.actual_fraud_detected, PredictionLog.label_note)
    ).all()
    assert [tuple(row) for row in rows] == [(bool(winner % 2), f"By {winner}")] * 2


def test_eight_batches_at_once_in_any_order_leave_every_punch_whole(
    app: APIFlask, crowd: Make
) -> None:
    """Nobody deadlocks; note and verdict agree, and shadows say what the served row says."""
    population = punches(crowd, [0.5] * 40)
    for punch in population:
        shadow(crowd, punch)
    ids = [prediction(crowd, punch).id for punch in population]
    crowd.session.commit()

    def work(n: int) -> Callable[[], list[Outcome | Refused]]:
        verdict: Any = "CONFIRMED" if n % 2 else "FALSE_POSITIVE"
        said = [Said(one, verdict, f"By {n}") for one in (ids if n % 3 else ids[::-1])]
        who: dict[str, Any] = {"tenant_id": crowd.tenant_id, "user_id": None, "site_ids": None}
        return lambda: label(said, **who, now=NOW + dt.timedelta(minutes=n))

    at_once(app, crowd.tenant_id, [work(n) for n in range(8)])

    count = func.count
    rows = crowd.session.execute(
        select(PredictionLog.label_note, PredictionLog.actual_fraud_detected, count()).group_by(
            PredictionLog.label_note, PredictionLog.actual_fraud_detected
        )
    ).all()
    assert sum(Counter({row.label_note: row.count for row in rows}).values()) == 80
    assert all(bool(int(note.removeprefix("By ")) % 2) is fraud for note, fraud, _ in rows)
    torn = text(
        "SELECT count(*) FROM fraud_prediction_log s JOIN fraud_prediction_log l"
        " ON l.tenant_id = s.tenant_id AND l.attendance_event_id = s.attendance_event_id"
        " WHERE s.is_shadow AND NOT l.is_shadow AND (s.label_note, s.labelled_at)"
        " IS DISTINCT FROM (l.label_note, l.labelled_at)"
    )
    assert crowd.session.scalar(torn) == 0

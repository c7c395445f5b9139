"""With a model on duty and a shadow beside it: what follows from a punch follows once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apiflask import APIFlask
from sqlalchemy import event, func, select, update

from noc.alerts.models import Alert
from noc.attendance.models import AttendanceEvent
from noc.events.models import EventLog
from noc.extensions import db
from noc.extensions import session as current_session
from noc.fraud.models import AnomalyLog, PredictionLog
from noc.fraud.registry import activation
from noc.fraud.scoring import score_pending, score_punches
from noc.fraud.training import TrainedModel
from noc.tickets.models import Ticket, TicketEvidence
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW as LONG_AGO
from tests.factories import Make
from tests.fraud.registry.conftest import register
from tests.fraud.stories import SHIFT_START, Guard, settled

NOW = SHIFT_START + dt.timedelta(hours=1)
WORKERS = 16


class Killed(BaseException):
    """As a process that dies: nothing in the code may catch it."""


def on_duty_and_shadow(make: Make, trained: TrainedModel) -> None:
    champion = register(make, trained, now=LONG_AGO)
    activation.activate(champion.id, tenant_id=make.tenant_id, now=LONG_AGO)
    register(make, trained, now=LONG_AGO + dt.timedelta(minutes=1))
    make.session.commit()


def unlike_themselves(guard: Guard, minute: int = 0) -> int:
    """A punch on another's phone with another's face, far outside; not committed."""
    other = settled(guard.make, guard.site, days=3)
    at = SHIFT_START + dt.timedelta(minutes=minute)
    return guard.punch(
        at, device_id=other.phone.id, biometric_quality_score=0.3, mock_location=True
    ).id


def count(model: Any, *where: Any) -> int:
    query = select(func.count()).select_from(model).where(*where)
    return current_session().scalar(query) or 0


@contextmanager
def killed_at(statement: int) -> Iterator[list[int]]:
    """The process dies when it sends its n-th statement; how many it sent until then."""
    sent = [0]

    def die(*_: Any) -> None:
        sent[0] += 1
        if sent[0] == statement:
            raise Killed

    event.listen(db.engine, "before_cursor_execute", die)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", die)


def test_sixteen_workers_and_a_model_make_one_ticket_of_a_person_and_type(
    app: APIFlask, services: Services, trained: TrainedModel
) -> None:
    with committed_tenant(app, services) as make:
        on_duty_and_shadow(make, trained)
        guard = settled(make, days=10)
        ids = [unlike_themselves(guard, minute) for minute in range(WORKERS)]
        current_session().commit()

        def score(punch_id: int) -> list[Any]:
            return score_punches([punch_id], tenant_id=make.tenant_id, now=NOW)

        answers = at_once(
            app,
            make.tenant_id,
            [lambda one=one: score(one) for one in ids],  # type: ignore[misc]
        )

        scores = [answer[0] for answer in answers]
        assert {one.model_version for one in scores} == {"v1"}
        assert min(one.fraud_score for one in scores) >= 0.80
        types = {one.fraud_type for one in scores}
        for fraud_type in types:
            tickets = {one.ticket_id for one in scores if one.fraud_type == fraud_type}
            assert len(tickets) == 1
            assert None not in tickets
        assert count(Ticket) == len(types)
        assert len({one.alert_id for one in scores}) == count(Alert) == WORKERS
        linked = {("punch", str(one)) for one in ids}
        found = current_session().execute(select(TicketEvidence.kind, TicketEvidence.ref))
        assert linked <= set(map(tuple, found))
        of_these = PredictionLog.attendance_event_id.in_(ids)
        assert count(PredictionLog, of_these, ~PredictionLog.is_shadow) == WORKERS
        assert count(PredictionLog, of_these, PredictionLog.is_shadow) == WORKERS


def test_sixteen_workers_on_one_punch_leave_one_of_everything(
    app: APIFlask, services: Services, trained: TrainedModel
) -> None:
    with committed_tenant(app, services) as make:
        on_duty_and_shadow(make, trained)
        punch_id = unlike_themselves(settled(make, days=10))
        # What came before is no work for the sweep.
        before = update(AttendanceEvent).where(AttendanceEvent.id != punch_id)
        current_session().execute(before.values(scored_at=NOW))
        current_session().commit()

        def score() -> Any:
            return score_punches([punch_id], tenant_id=make.tenant_id, now=NOW)

        def sweep() -> Any:
            score_pending(tenant_id=make.tenant_id, now=NOW)
            return score()

        answers = at_once(app, make.tenant_id, [score, sweep] * (WORKERS // 2))

        assert all(answer == answers[0] for answer in answers)
        of_it = PredictionLog.attendance_event_id == punch_id
        assert (count(PredictionLog, of_it), count(AnomalyLog)) == (2, 1)
        assert (count(Alert), count(Ticket)) == (1, 1)
        assert count(EventLog, EventLog.event_type == "anomaly_detected") == 1


def test_killed_at_any_statement_nothing_is_left_and_the_next_time_all_of_it(
    app: APIFlask, services: Services, trained: TrainedModel
) -> None:
    with committed_tenant(app, services) as make:
        on_duty_and_shadow(make, trained)
        punch_id = unlike_themselves(settled(make, days=10))
        current_session().commit()
        everything = (PredictionLog, AnomalyLog, Alert, Ticket, EventLog)

        def work() -> None:
            score_punches([punch_id], tenant_id=make.tenant_id, now=NOW)
            current_session().commit()

        steps = 0
        while True:
            with killed_at(steps + 1) as sent:
                try:
                    work()
                    break
                except Killed:
                    current_session().rollback()
            assert sent[0] == steps + 1
            assert [count(model) for model in everything] == [0] * len(everything), steps
            steps += 1

        assert steps > 15, "each statement was the last of one attempt"
        done = [count(model) for model in everything]
        assert done[:4] == [2, 1, 1, 1]
        told = current_session().scalars(select(EventLog.event_type)).all()
        assert sorted(told) == ["alert_created", "anomaly_detected", "ticket_updated"]
        work()
        assert [count(model) for model in everything] == done

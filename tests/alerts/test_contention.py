"""Writers of alerts who get into each other's way."""

from __future__ import annotations

import threading

from apiflask import APIFlask

from noc.alerts import lifecycle
from noc.alerts.process import AlertInput, process_alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.alerts.undoing import undo
from noc.extensions import session
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant, until_somebody_waits
from tests.factories import NOW


def report(key: str) -> AlertInput:
    return AlertInput("DOOR", "HIGH", "Door forced", NOW, dedup_key=key)


def test_whoever_reopens_many_and_whoever_reports_the_same_troubles_do_not_deadlock(
    app: APIFlask, services: Services
) -> None:
    with committed_tenant(app, services) as make:
        over, noted = (process_alert(report(key), now=NOW).id for key in ("a", "b"))
        lifecycle.resolve(over, resolution="FIXED", user_id=None, now=NOW)
        lifecycle.acknowledge(noted, user_id=None, now=NOW)
        session().commit()
        reported = threading.Event()

        def report_both() -> list[str | None]:
            process_alert(report("a"), now=NOW)
            reported.set()
            until_somebody_waits()
            process_alert(report("b"), now=NOW)
            return []

        def reopen_both() -> list[str | None]:
            reported.wait(20)
            outcomes = take(Step("reopen", NOW), [noted, over])
            return [one.alert.status if one.alert else None for one in outcomes]

        answers = at_once(app, make.tenant_id, [report_both, reopen_both])
        assert answers[1] == ["NEW", None], "the other has an open alert by now"


def test_whoever_takes_steps_back_and_whoever_reports_the_same_troubles_do_not_deadlock(
    app: APIFlask, services: Services
) -> None:
    with committed_tenant(app, services) as make:
        over, noted = (process_alert(report(key), now=NOW).id for key in ("a", "b"))
        (resolved,) = take(Step("resolve", NOW, resolution="FIXED"), [over])
        (acknowledged,) = take(Step("acknowledge", NOW), [noted])
        session().commit()
        reported = threading.Event()

        def report_both() -> list[str | None]:
            process_alert(report("a"), now=NOW)
            reported.set()
            until_somebody_waits()
            process_alert(report("b"), now=NOW)
            return []

        def undo_both() -> list[str | None]:
            reported.wait(20)
            steps = {noted: acknowledged.change_id or 0, over: resolved.change_id or 0}
            outcomes = undo(steps, user_id=None, now=NOW)
            return [one.alert.status if one.alert else None for one in outcomes]

        answers = at_once(app, make.tenant_id, [report_both, undo_both])
        assert answers[1] == ["NEW", None], "the other has an open alert by now"

"""Reports become alerts, or add to the one that is open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.alerts import lifecycle
from noc.alerts.models import Alert, AlertChange
from noc.alerts.process import (
    ProcessedAlert,
    UnknownReference,
    default_dedup_key,
    process_alert,
    process_alerts,
)
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.database.tenancy import tenant_context
from noc.extensions import session as current_session
from noc.identity import tenants
from tests.alerts.conftest import Raise, Told, report
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make

MINUTE = dt.timedelta(minutes=1)


def history(session: Session, alert: Alert) -> list[tuple[str, str | None, str]]:
    rows = session.scalars(
        select(AlertChange).where(AlertChange.alert_id == alert.id).order_by(AlertChange.id)
    )
    return [(row.action, row.old_status, row.new_status) for row in rows]


def test_a_first_report_opens_an_alert(session: Session, make: Make, raised: Raise) -> None:
    site = make.site()
    guard = make.person(site)
    alert = raised(
        site_id=site.id,
        person_id=guard.id,
        entity_type="door",
        entity_id="D7",
        metadata={"held": [1, {"seconds": 95.5}]},
    )
    assert (alert.status, alert.severity, alert.suppressed_count) == ("NEW", "MEDIUM", 0)
    assert (alert.occurred_at, alert.last_seen_at) == (NOW, NOW)
    assert (alert.site_id, alert.person_id) == (site.id, guard.id)
    assert (alert.entity_type, alert.entity_id) == ("door", "D7")
    assert alert.detail == {"held": [1, {"seconds": 95.5}]}
    assert history(session, alert) == [("created", None, "NEW")]


def test_the_feed_is_told_of_a_new_alert_with_names(make: Make, raised: Raise, told: Told) -> None:
    site = make.site()
    guard = make.person(site, name="Ravi")
    alert = raised(site_id=site.id, person_id=guard.id)
    assert told() == [
        (
            "alert_created",
            {
                "alert_id": alert.id,
                "alert_type": "DOOR_OPEN",
                "severity": "MEDIUM",
                "message": "The back door stands open",
                "status": "NEW",
                "person_id": guard.id,
                "person_name": "Ravi",
                "muted": False,
                "assignee_id": None,
            },
        )
    ]


def test_a_repeat_adds_to_the_open_alert(raised: Raise) -> None:
    first = raised()
    again = raised(occurred_at=NOW + 3 * MINUTE, message="Still open")
    assert again.id == first.id
    assert again.suppressed_count == 1
    assert (again.occurred_at, again.last_seen_at) == (NOW, NOW + 3 * MINUTE)
    assert again.message == "The back door stands open"


def test_a_report_that_comes_late_does_not_turn_back_when_it_was_last_seen(raised: Raise) -> None:
    raised()
    assert raised(occurred_at=NOW - MINUTE).last_seen_at == NOW


def test_a_worse_repeat_makes_the_alert_worse(session: Session, raised: Raise) -> None:
    raised(metadata={"door": 1})
    alert = raised(severity="CRITICAL", message="The vault stands open", metadata={"door": 2})
    assert (alert.severity, alert.message) == ("CRITICAL", "The vault stands open")
    assert alert.detail == {"door": 2}
    assert history(session, alert) == [("created", None, "NEW"), ("worsened", "NEW", "NEW")]
    change = session.scalars(select(AlertChange).order_by(AlertChange.id.desc())).first()
    assert change is not None
    assert change.detail == {"from": "MEDIUM", "to": "CRITICAL"}


def test_a_milder_repeat_changes_neither_severity_nor_words(raised: Raise) -> None:
    raised()
    alert = raised(severity="INFO", message="Ajar", metadata={"door": 2})
    assert (alert.severity, alert.message) == ("MEDIUM", "The back door stands open")
    assert alert.detail == {}


def test_several_reports_of_one_trouble_in_a_batch_are_one_alert(
    session: Session, make: Make
) -> None:
    batch = [
        report(occurred_at=NOW),
        report(dedup_key="other"),
        report(severity="HIGH", message="Wide open", occurred_at=NOW + MINUTE),
        report(occurred_at=NOW - MINUTE),
    ]
    processed = process_alerts(batch, now=NOW)
    assert [item.created for item in processed] == [True, True, False, False]
    assert processed[0].id == processed[2].id == processed[3].id != processed[1].id
    alert = session.get_one(Alert, (make.tenant_id, processed[0].id))
    assert (alert.suppressed_count, alert.severity, alert.message) == (2, "HIGH", "Wide open")
    assert (alert.occurred_at, alert.last_seen_at) == (NOW - MINUTE, NOW + MINUTE)

    process_alerts(batch, now=NOW)
    assert alert.suppressed_count == 5


def test_no_reports_are_no_alerts(make: Make) -> None:
    assert process_alerts([], now=NOW) == []


def test_after_its_end_a_trouble_that_comes_back_is_a_new_alert(make: Make, raised: Raise) -> None:
    first = raised()
    lifecycle.resolve(first.id, resolution="FIXED", user_id=None, now=NOW)
    second = raised()
    assert second.id != first.id
    assert (second.status, second.suppressed_count) == ("NEW", 0)


def test_a_repeat_leaves_what_people_did_as_it_is(make: Make, raised: Raise) -> None:
    user = make.user()
    alert = raised()
    lifecycle.assign(alert.id, assignee_id=user.id, user_id=user.id, now=NOW)
    again = raised(severity="HIGH")
    assert (again.id, again.status, again.assignee_id) == (alert.id, "ASSIGNED", user.id)


def test_the_feed_hears_of_a_worse_one_of_the_first_repeat_and_then_once_a_minute(
    raised: Raise, told: Told
) -> None:
    raised()
    for seconds in (1, 2, 3, 61, 62, 119, 125):
        raised(occurred_at=NOW + dt.timedelta(seconds=seconds))
    raised(occurred_at=NOW, severity="HIGH")
    types = [event_type for event_type, _ in told()]
    # The first repeat, those of 09:01:01 and 09:02:05, and the worse one.
    assert types == ["alert_created", *["alert_updated"] * 4]
    assert told()[-1][1]["severity"] == "HIGH"


def test_on_the_shelf_an_alert_is_heard_of_only_when_it_gets_worse(
    raised: Raise, told: Told
) -> None:
    alert = raised()
    lifecycle.shelve(alert.id, until=NOW + 60 * MINUTE, user_id=None, now=NOW)
    before = len(told())
    raised(occurred_at=NOW + 5 * MINUTE)
    assert len(told()) == before
    raised(severity="CRITICAL")
    assert told()[-1][1] | {"message": ""} == {
        "alert_id": alert.id,
        "alert_type": "DOOR_OPEN",
        "severity": "CRITICAL",
        "message": "",
        "status": "SHELVED",
        "person_id": None,
        "person_name": None,
        "muted": False,
        "assignee_id": None,
    }


@pytest.mark.parametrize("field", ["site_id", "person_id"])
def test_an_unknown_site_or_person_is_named_and_nothing_is_stored(
    session: Session, make: Make, field: str
) -> None:
    with pytest.raises(UnknownReference, match=f"alert 1: {field} 987654 is not a") as caught:
        process_alerts([report(), report(**{field: 987654})], now=NOW)
    assert (caught.value.index, caught.value.field) == (1, field)
    assert session.scalar(select(func.count()).select_from(Alert)) == 0


def test_another_tenants_site_is_unknown(session: Session, make: Make) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        site_id = Make(session, rival.id).site().id
    with pytest.raises(UnknownReference, match="site_id"):
        process_alert(report(site_id=site_id), now=NOW)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"severity": "SEVERE"}, "severity is one of INFO, LOW"),
        ({"message": ""}, "a type and a message"),
        ({"alert_type": ""}, "a type and a message"),
        ({"occurred_at": NOW.replace(tzinfo=None)}, "time zone"),
    ],
)
def test_a_report_that_makes_no_sense_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        report(**values)


def test_the_number_of_statements_does_not_grow_with_the_batch(
    session: Session, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    site_id = make.site().id
    guard_id = make.person().id

    def process(count: int) -> None:
        batch = [
            report(entity_id=f"{count}-{n}", site_id=site_id, person_id=guard_id)
            for n in range(count)
        ]
        process_alerts([*batch, *batch], now=NOW)
        session.commit()

    # References, alerts with their history, who is told of them and who when nobody answers, the
    # log.
    assert query_count(lambda: process(1000)) == query_count(lambda: process(1)) == 5


TEXT = st.text(min_size=1, max_size=20)
SUBJECT = st.fixed_dictionaries(
    {},
    optional={
        "alert_type": TEXT.filter(lambda word: "|" not in word),
        "entity_type": TEXT,
        "entity_id": TEXT,
        "person_id": st.integers(1, 3),
        "site_id": st.integers(1, 3),
    },
)


@given(SUBJECT, SUBJECT)
def test_different_troubles_never_share_a_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assume(one != other)
    assert default_dedup_key(report(**one)) != default_dedup_key(report(**other))


@given(SUBJECT)
def test_the_same_trouble_has_the_same_key_whatever_is_said_of_it(subject: dict[str, Any]) -> None:
    louder = report(**subject, severity="CRITICAL", message="!", occurred_at=NOW + MINUTE)
    assert default_dedup_key(report(**subject)) == default_dedup_key(louder)


def test_a_key_of_its_own_goes_before_the_default(raised: Raise) -> None:
    first = raised(dedup_key="door-7", entity_id="D7")
    assert first.dedup_key == "door-7"
    assert raised(dedup_key="door-7", entity_id="D8").id == first.id


def test_a_long_subject_still_has_a_short_key() -> None:
    keys = {default_dedup_key(report(entity_id=letter * 5000)) for letter in "ab"}
    assert len(keys) == 2
    assert all(len(key) < 255 and key.startswith("DOOR_OPEN|sha256=") for key in keys)


def test_sixteen_writers_of_one_trouble_make_one_alert(app: APIFlask, services: Services) -> None:
    repeats = 5

    def write() -> list[ProcessedAlert]:
        answers = []
        for _ in range(repeats):
            answers.append(process_alert(report(dedup_key="race"), now=NOW))
            current_session().commit()
        return answers

    with committed_tenant(app, services) as make:
        current_session().commit()
        answers = [item for one in at_once(app, make.tenant_id, [write] * 16) for item in one]
        alerts = current_session().scalars(select(Alert)).all()
        changes = current_session().scalars(select(AlertChange.action)).all()

    assert len(alerts) == 1
    assert {answer.id for answer in answers} == {alerts[0].id}
    assert sum(answer.created for answer in answers) == 1
    assert alerts[0].suppressed_count == 16 * repeats - 1
    assert changes == ["created"]


def test_batches_in_opposite_orders_do_not_deadlock(app: APIFlask, services: Services) -> None:
    keys = [f"key-{n}" for n in range(60)]

    def write(order: list[str]) -> int:
        batch = [report(dedup_key=key) for key in order]
        return sum(item.created for item in process_alerts(batch, now=NOW))

    with committed_tenant(app, services) as make:
        current_session().commit()
        works = [lambda order=order: write(order) for order in [keys, keys[::-1]] * 8]
        created = at_once(app, make.tenant_id, works)
        counts = current_session().scalars(select(Alert.suppressed_count)).all()

    assert sum(created) == 60
    assert counts == [15] * 60


def test_writers_and_resolvers_at_once_never_leave_two_open(
    app: APIFlask, services: Services
) -> None:
    def write() -> int:
        processed = process_alert(report(dedup_key="race"), now=NOW)
        current_session().commit()
        return processed.id

    def write_and_resolve() -> int:
        alert_id = write()
        outcome = current_session().get_one(Alert, (make.tenant_id, alert_id))
        if outcome.status != "RESOLVED":
            take(Step("resolve", NOW, resolution="FIXED"), [alert_id])
        return alert_id

    with committed_tenant(app, services) as make:
        current_session().commit()
        at_once(app, make.tenant_id, [write, write_and_resolve] * 8)
        rows = current_session().scalars(select(Alert)).all()

    assert sum(alert.status != "RESOLVED" for alert in rows) <= 1
    assert sum(alert.suppressed_count + 1 for alert in rows) == 16, "no report was lost"

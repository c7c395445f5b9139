"""Groups of Alertmanager's webhook, written by hand."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from noc.alerts.models import Alert, AlertChange
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.events.models import EventLog
from noc.extensions import session as current_session
from noc.identity import tenants, tokens
from noc.integrations import alertmanager
from noc.integrations.alertmanager import DEFAULT_SEVERITY, SEVERITY_OF, take_group
from noc.integrations.schemas import AlertmanagerIn
from tests.conftest import ApiClient, Services
from tests.crowd import at_once, committed_tenant
from tests.factories import Make
from tests.problems import assert_problem
from tests.signed_in import UserClient

PATH = "integrations/alertmanager/"
DOCUMENT = Path(__file__).parents[2] / "docs" / "alertmanager.md"
ZERO = "0001-01-01T00:00:00Z"
"""Go's zero time: the end of what is not over."""


def alert(fingerprint: str = "9f2c4de1a0b35c77", **values: Any) -> dict[str, Any]:
    """One alert as version 4 has it."""
    fields: dict[str, Any] = {
        "status": "firing",
        "labels": {
            "alertname": "CameraOffline",
            "severity": "critical",
            "instance": "cam-7.example:9100",
        },
        "annotations": {
            "summary": "Camera 7 is offline",
            "description": "No frame for 5 minutes.",
        },
        "startsAt": (utcnow() - dt.timedelta(minutes=7)).isoformat().replace("+00:00", "Z"),
        "endsAt": ZERO,
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
        "fingerprint": fingerprint,
    }
    labels = fields["labels"] | values.pop("labels", {})
    return fields | {"labels": labels} | values


def group(*alerts: Any, **values: Any) -> dict[str, Any]:
    """The group that holds them."""
    fields: dict[str, Any] = {
        "version": "4",
        "groupKey": '{}:{alertname="CameraOffline"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "noc",
        "groupLabels": {"alertname": "CameraOffline"},
        "commonLabels": {"alertname": "CameraOffline"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts),
    }
    return fields | values


def sent(api: ApiClient, *alerts: Any, **values: Any) -> dict[str, Any]:
    answer = api.post(PATH, json=group(*alerts, **values))
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.get_json()["data"]
    return data


def statuses(data: dict[str, Any]) -> list[str]:
    return [item["status"] for item in data["items"]]


def stored(session: Session) -> list[Alert]:
    session.expire_all()
    return list(session.scalars(select(Alert).order_by(Alert.id)))


def test_firing_opens_an_alert(api: ApiClient, make: Make, session: Session) -> None:
    site = make.site(code="DOCK")
    data = sent(api, alert(labels={"site": "DOCK"}))
    (one,) = stored(session)
    assert data["items"] == [{"index": 0, "id": one.id, "status": "stored"}]
    assert (data["stored"], data["rejected"]) == (1, [])
    assert (one.alert_type, one.severity, one.status) == ("CameraOffline", "CRITICAL", "NEW")
    assert one.message == "Camera 7 is offline"
    assert one.site_id == site.id
    assert one.dedup_key == "alertmanager:9f2c4de1a0b35c77"
    assert (one.entity_type, one.entity_id) == ("alertmanager", "9f2c4de1a0b35c77")
    assert one.occurred_at < utcnow() - dt.timedelta(minutes=6)
    assert one.detail["labels"]["instance"] == "cam-7.example:9100"
    assert one.detail["annotations"]["description"] == "No frame for 5 minutes."
    assert one.detail["external_url"] == "http://alertmanager.example:9093"
    (event,) = session.scalars(select(EventLog))
    assert (event.event_type, event.alert_id) == ("alert_created", one.id)


def test_firing_again_joins_the_open_alert(api: ApiClient, make: Make, session: Session) -> None:
    first = alert()
    ids = {sent(api, first)["items"][0]["id"] for _ in range(3)}
    (one,) = stored(session)
    assert ids == {one.id}
    assert one.suppressed_count == 2
    assert statuses(sent(api, first)) == ["duplicate"]


def test_resolved_resolves_it_and_says_so(api: ApiClient, make: Make, session: Session) -> None:
    sent(api, alert())
    over = alert(status="resolved", endsAt=utcnow().isoformat())
    data = sent(api, over, status="resolved")
    (one,) = stored(session)
    assert data["items"] == [{"index": 0, "id": one.id, "status": "resolved"}]
    assert (one.status, one.resolution, one.resolved_by) == ("RESOLVED", "FIXED", None)
    last = session.scalars(select(AlertChange).order_by(AlertChange.id.desc())).first()
    assert last is not None
    assert last.note == "Alertmanager says it is over (receiver noc)."
    # A retry of the same, and a new outbreak.
    assert statuses(sent(api, over)) == ["unknown"]
    assert statuses(sent(api, alert())) == ["stored"]
    assert [one.status for one in stored(session)] == ["RESOLVED", "NEW"]


def test_resolved_of_what_was_never_heard_of_is_fine(
    api: ApiClient, make: Make, session: Session
) -> None:
    data = sent(api, alert(status="resolved"))
    assert data["items"] == [{"index": 0, "id": None, "status": "unknown"}]
    assert data["unknown"] == 1
    assert stored(session) == []


def test_resolved_ends_nothing_of_another_source_or_tenant(
    api: ApiClient, make: Make, session: Session
) -> None:
    own = {"alert_type": "X", "severity": "LOW", "message": "x"}
    api.post("alerts/", json=own | {"dedup_key": "alertmanager:aa", "entity_type": "door"})
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        there = AlertmanagerIn.model_validate(group(alert("bb")))
        take_group(there, now=utcnow())
        session.commit()
    data = sent(api, alert("aa", status="resolved"), alert("bb", status="resolved"))
    assert statuses(data) == ["unknown", "unknown"]
    assert [one.status for one in stored(session)] == ["NEW"]
    with tenant_context(session, rival.id):
        assert [one.status for one in stored(session)] == ["NEW"]


@pytest.mark.parametrize("step", ["acknowledge", "assign", "shelve"])
def test_resolved_ends_it_whatever_people_did_with_it(
    api: ApiClient, app: APIFlask, make: Make, session: Session, step: str
) -> None:
    key = sent(api, alert())["items"][0]["id"]
    body = {"until": (utcnow() + dt.timedelta(hours=1)).isoformat()} if step == "shelve" else {}
    user = UserClient(app, make, make.user("operator"))
    assert user.post(f"alerts/{key}/{step}/", json=body).status_code == 200
    assert statuses(sent(api, alert(status="resolved"))) == ["resolved"]


def test_a_group_is_answered_one_by_one(api: ApiClient, make: Make, session: Session) -> None:
    sent(api, alert("a1"), alert("a2"))
    data = sent(
        api,
        alert("a1", status="resolved"),
        alert("a2"),
        alert("a3"),
        alert("a4", status="resolved"),
        alert("a3"),
    )
    assert statuses(data) == ["resolved", "duplicate", "stored", "unknown", "duplicate"]
    assert [data[word] for word in ("stored", "duplicate", "resolved", "unknown")] == [1, 2, 1, 1]
    assert {one.entity_id: one.status for one in stored(session)} == {
        "a1": "RESOLVED",
        "a2": "NEW",
        "a3": "NEW",
    }


def test_what_is_told_to_be_over_and_on_is_on(api: ApiClient, make: Make, session: Session) -> None:
    sent(api, alert())
    sent(api, alert(), alert(status="resolved"))
    assert [one.status for one in stored(session)] == ["RESOLVED", "NEW"]


BROKEN: list[tuple[Any, str]] = [
    (alert(status="pending"), "status"),
    ({"status": "firing"}, "fingerprint"),
    (alert(""), "fingerprint"),
    (alert("a\x00b"), "fingerprint"),
    (alert(labels={"a": 1}), "labels"),
    (alert(annotations={"summary": "NUL \x00"}), "annotations"),
    (alert(annotations=["x"]), "annotations"),
    (alert(startsAt=5), "startsAt"),
    ("alert", "item"),
    (None, "item"),
]


@pytest.mark.parametrize(("broken", "field"), BROKEN)
def test_a_malformed_alert_is_told_and_the_good_ones_are_kept(
    api: ApiClient, make: Make, session: Session, broken: Any, field: str
) -> None:
    data = sent(api, alert("first"), broken, alert("last"))
    assert statuses(data) == ["stored", "rejected", "stored"]
    (rejected,) = data["rejected"]
    assert (rejected["index"], rejected["field"]) == (1, field)
    assert rejected["reason"]
    assert [one.entity_id for one in stored(session)] == ["first", "last"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"version": "3"}, "version"),
        ({"version": 4}, "version"),
        ({"alerts": None}, "alerts"),
        ({"alerts": {}}, "alerts"),
    ],
)
def test_what_is_no_group_is_refused(
    api: ApiClient, make: Make, values: dict[str, Any], field: str
) -> None:
    assert_problem(api.post(PATH, json=group() | values), 422, **{field: ""})


def test_an_empty_group_is_fine(api: ApiClient, make: Make) -> None:
    assert sent(api)["items"] == []


@pytest.mark.parametrize(
    ("label", "severity"),
    [("critical", "CRITICAL"), (" Warning ", "MEDIUM"), ("none", "INFO"), ("page", "CRITICAL"),
     ("error", "HIGH"), ("", DEFAULT_SEVERITY), ("whatever", DEFAULT_SEVERITY)],
)  # fmt: skip
def test_the_label_says_how_severe(
    api: ApiClient, make: Make, session: Session, label: str, severity: str
) -> None:
    sent(api, alert(labels={"severity": label}))
    assert [one.severity for one in stored(session)] == [severity]


def test_without_a_label_it_is_the_default(api: ApiClient, make: Make, session: Session) -> None:
    one = alert()
    del one["labels"]["severity"]
    sent(api, one)
    assert stored(session)[0].severity == DEFAULT_SEVERITY


def test_a_site_that_is_unknown_is_told_and_the_alert_kept(
    api: ApiClient, make: Make, session: Session
) -> None:
    data = sent(api, alert(labels={"site": "Nowhere"}))
    assert data["items"][0]["unknown_site"] == "Nowhere"
    (one,) = stored(session)
    assert (one.site_id, one.detail["labels"]["site"]) == (None, "Nowhere")


@pytest.mark.parametrize(
    ("starts_at", "believed"),
    [
        ("{past}.123456789Z", True),
        ("{past}+00:00", True),
        (ZERO, False),
        ("2190-01-01T00:00:00Z", False),
        ("9999-12-31T23:59:59-14:00", False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_a_time_that_cannot_be_believed_is_now(
    api: ApiClient, make: Make, session: Session, starts_at: str, believed: bool
) -> None:
    past = utcnow() - dt.timedelta(days=2)
    sent(api, alert(startsAt=starts_at.format(past=f"{past:%Y-%m-%dT%H:%M:%S}")))
    (one,) = stored(session)
    expected = past if believed else utcnow()
    assert abs(one.occurred_at - expected) < dt.timedelta(seconds=20)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Instance down!", "Instance_down_"),
        ("5xx", "ALERT_5xx"),
        ("", "ALERT"),
        ("Ünwell", "ALERT__nwell"),
        ("x" * 300, "x" * 100),
    ],
)
def test_an_alerts_name_becomes_a_type(
    api: ApiClient, make: Make, session: Session, name: str, expected: str
) -> None:
    sent(api, alert(labels={"alertname": name}))
    assert stored(session)[0].alert_type == expected
    listed = api.get("alerts/", query_string={"alert_type": expected})
    assert len(listed.get_json()["data"]) == 1


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"summary": "s", "description": "d"}, "s"),
        ({"summary": " ", "description": "d"}, "d"),
        ({"message": "m"}, "m"),
        ({}, "CameraOffline"),
        ({"summary": "x" * 5000}, "x" * 4000),
    ],
)
def test_annotations_become_the_message(
    api: ApiClient, make: Make, session: Session, annotations: dict[str, str], message: str
) -> None:
    sent(api, alert(annotations=annotations))
    assert stored(session)[0].message == message


def test_too_much_to_keep_is_left_out_and_not_the_alert(
    api: ApiClient, make: Make, session: Session
) -> None:
    sent(api, alert(annotations={"summary": "s", "runbook": "x" * 20_000}))
    (one,) = stored(session)
    assert one.detail["annotations_left_out"] is True
    assert one.detail["labels"]["alertname"] == "CameraOffline"
    assert one.message == "s"


def test_what_the_sender_left_out_is_told(api: ApiClient, make: Make) -> None:
    assert sent(api, alert(), truncatedAlerts=7)["truncated"] == 7


def test_a_large_group_costs_no_more_statements(
    make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    def cost(size: int, prefix: str, status: str) -> int:
        alerts = [alert(f"{prefix}{n}", status=status) for n in range(size)]
        body = AlertmanagerIn.model_validate(group(*alerts))
        return query_count(lambda: take_group(body, now=utcnow()))

    for status in ("firing", "resolved"):
        assert cost(2, "few", status) == cost(1500, "many", status)


def test_while_the_database_is_away_it_is_to_be_sent_again(
    api: ApiClient, make: Make, monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is starting up"))

    with monkeypatch.context() as outage:
        outage.setattr(alertmanager, "process_alerts", away)
        answer = api.post(PATH, json=group(alert()))
    assert_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert stored(session) == []
    assert statuses(sent(api, alert())) == ["stored"]


def test_it_needs_a_token_that_may_report(client: FlaskClient, make: Make) -> None:
    assert_problem(client.post(f"/api/v2/noc/{PATH}", json=group()), 401)
    _, secret = tokens.create(make.tenant_id, "viewer", ["noc:view", "noc:operate"])
    assert_problem(ApiClient(client, secret).post(PATH, json=group()), 403)
    _, secret = tokens.create(make.tenant_id, "monitor", ["noc:ingest"])
    assert ApiClient(client, secret).post(PATH, json=group()).status_code == 200


def test_two_of_a_cluster_that_say_the_same_at_once_make_one_alert(
    app: APIFlask, services: Services
) -> None:
    with committed_tenant(app, services) as make:
        current_session().commit()

        def tell(status: str) -> Callable[[], Any]:
            alerts = [alert(f"f{n}", status=status) for n in range(20)]
            body = AlertmanagerIn.model_validate(group(*alerts))
            return lambda: take_group(body, now=utcnow())

        told = at_once(app, make.tenant_id, [tell("firing")] * 8)
        assert sum(one["stored"] for one in told) == 20
        told = at_once(app, make.tenant_id, [tell("resolved")] * 8)
        assert sum(one["resolved"] for one in told) == 20
        assert sum(one["unknown"] for one in told) == 140
        assert {one.suppressed_count for one in stored(current_session())} == {7}


def test_the_table_of_the_documents_is_the_codes() -> None:
    written: dict[str, str] = {}
    for row in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) == 2 and cells[1].strip("`") in set(SEVERITY_OF.values()):
            for word in re.findall(r"`(\w+)`", cells[0]):
                written[word] = cells[1].strip("`")
    assert written == dict(SEVERITY_OF)
    assert f"anything else, or none: `{DEFAULT_SEVERITY}`" in DOCUMENT.read_text()


def test_a_group_beyond_all_measure_is_taken_in_part(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alertmanager, "MAX_ALERTS", 2)
    group = {"version": "4", "truncatedAlerts": 5, "alerts": [alert(str(n)) for n in range(4)]}
    told = api.post(PATH, json=group).get_json()["data"]
    assert (told["stored"], told["truncated"], len(told["items"])) == (2, 7, 2)


def test_as_many_as_are_taken_can_be_told_to_be_over(api: ApiClient) -> None:
    over = {"status": "resolved", "labels": {}}
    alerts = [over | {"fingerprint": str(n)} for n in range(70_000)]
    answer = api.post(PATH, json={"version": "4", "alerts": alerts})
    assert answer.status_code == 200
    assert answer.get_json()["data"]["unknown"] == alertmanager.MAX_ALERTS

"""What the pages show, and to whom."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dashboards import queries
from dashboards.admin.sight import NEEDS
from noc.alerts.models import Alert
from noc.audit.models import BaselineProfile, Finding
from noc.database import tenancy
from noc.database.base import utcnow
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining import runs
from noc.identity import tenants
from noc.incidents.models import Incident
from noc.oncall.models import (
    AlertEscalation,
    EscalationPolicy,
    OnCallOverride,
    OnCallSchedule,
)
from noc.runs.models import JobRun
from noc.tickets.models import Ticket
from noc.workforce.models import Person
from tests.dashboards import administered, audited, on_call
from tests.dashboards.administered import LISTS, answers_in, listed
from tests.dashboards.conftest import Reader
from tests.dashboards.modelled import version, watch
from tests.dashboards.scored import Scored, scored
from tests.factories import Make
from tests.fraud.review.population import prediction
from tests.signed_in import limit_to

HEATMAP = {"heatmap-days.value": "30", "heatmap-measure.value": "max", "scheme.data": "dark"}


def page(reader: Reader, path: str, search: str = "") -> Any:
    return reader.call(
        "page.children", "url.pathname", values={"url.pathname": path, "url.search": search}
    )


def person_page(reader: Reader, person_id: int) -> Any:
    values = {"person-id.data": person_id, "person-days.value": "30", "scheme.data": "dark"}
    return reader.call("person-scores.children", "person-id.data", values=values)


def alert_list(reader: Reader, **chosen: Any) -> Any:
    values = {f"alerts-{name}.value": value for name, value in chosen.items()}
    return reader.call("alerts-table.children", "alerts-state.value", values=values)


def ticket_list(reader: Reader, view: str = "open") -> Any:
    values = {"tickets-view.value": view}
    return reader.call("tickets-table.children", "tickets-view.value", values=values)


def drawer(reader: Reader, target: str) -> Any:
    values = {"drawer-target.data": {"id": target}}
    return reader.call("detail.children", "drawer-target.data", values=values)


def drill(reader: Reader, site_id: int, hour: int) -> Any:
    values = {"heatmap-at.value": f"{site_id}.{hour}", "heatmap-days.value": "30"}
    return reader.call("heatmap-cell.children", "heatmap-at.value", values=values)


def what_if(reader: Reader) -> Any:
    values = {"model-ask.value": "threshold", "model-threshold.value": 0, "model-span.value": "90"}
    return reader.call("model-whatif.children", "model-ask.value", values=values)


def press(reader: Reader, kind: str, step: str, key: int, **written: Any) -> Any:
    named = {"type": f"{kind}-step", "step": step, "key": key}
    values: dict[str, Any] = {f"{kind}-step": [(named, 1)]}
    for field, value in written.items():
        values[f"{kind}-{field}"] = [({"type": f"{kind}-{field}", "key": key}, value)]
    return reader.call("detail.children", f"{kind}-step", values=values)


def act(reader: Reader, alert_id: int, action: str, **more: Any) -> Any:
    wanted = {"ids": [f"alert:{alert_id}"], "action": action, "number": 1} | more
    return reader.call("feed-result.data", "feed-action.data", values={"feed-action.data": wanted})


@pytest.fixture
def foul(make: Make) -> Scored:
    """A suspicious punch of Meera at the harbour."""
    site = make.site(name="Harbour Depot", timezone="UTC")
    return scored(make, make.person(site, name="Meera Joshi", code="G120"), site)


@pytest.fixture
def foreign(make: Make, session: Session) -> Make:
    """Makes rows of another company."""
    tenant = tenants.create_tenant("other", "Other Company")
    tenancy.name_tenant(session, tenant.id)
    return Make(session, tenant.id)


def test_the_live_page_comes_with_the_last_events_of_the_log(reader: Reader, foul: Scored) -> None:
    text = page(reader, "/app/").text
    assert f'"alert_id":{foul.alert}' in text.replace(" ", "")
    assert "Harbour Depot" in text


def test_the_live_page_counts_what_is_open(reader: Reader, foul: Scored) -> None:
    text = reader.call("kpis.children", "kpi-clock.n_intervals", values={}).text
    for name in ("Open alerts", "Open tickets", "Fraud alerts", "Punches"):
        assert name in text
    assert text.count('"1"') >= 4


def test_the_frame_tells_who_is_signed_in_and_what_they_may(reader: Reader, viewer: Reader) -> None:
    assert "Maya Fernandes" in reader.layout()
    assert "Acme Guarding" in reader.layout()
    assert '"may_operate":true' in reader.layout().replace(" ", "")
    assert '"may_operate":false' in viewer.layout().replace(" ", "")


def test_an_alert_is_acknowledged_from_its_row_and_that_is_undone(
    reader: Reader, make: Make, foul: Scored, session: Session
) -> None:
    answer = act(reader, foul.alert, "acknowledge").json["response"]["feed-result"]["data"]
    (item,) = answer["items"]
    assert (item["ok"], item["state"]) == (True, "ACKNOWLEDGED")
    assert answer["undo"] == {"ids": [item["id"]], "changes": [item["change"]]}
    assert answer["words"] == "Alert acknowledged"
    session.expire_all()
    alert = session.get_one(Alert, (make.tenant_id, foul.alert))
    assert alert.status == "ACKNOWLEDGED"
    assert alert.acknowledged_by is not None
    again = act(reader, foul.alert, "undo", changes=[item["change"]])
    undone = again.json["response"]["feed-result"]["data"]
    assert (undone["items"][0]["state"], undone["words"]) == ("NEW", "Alert put back")
    assert undone["undo"] is None


def test_what_cannot_be_done_is_answered_in_words(reader: Reader, foul: Scored) -> None:
    answer = act(reader, foul.alert, "undo", changes=[987654])
    answer = answer.json["response"]["feed-result"]["data"]
    assert answer["items"][0]["ok"] is False
    assert answer["words"] == "A monitor or a job changed it since: it stays as it is."


def test_the_drawer_of_an_alert_tells_why_and_leads_on(reader: Reader, foul: Scored) -> None:
    text = drawer(reader, f"alert:{foul.alert}").text
    assert "The same phone punched for somebody else 40 s before." in text
    assert "A score is not a verdict" in text
    assert f"ticket:{foul.ticket}" in text
    assert "/app/person/" in text


def test_an_alert_is_resolved_in_the_drawer_with_an_outcome_and_a_note(
    reader: Reader, make: Make, foul: Scored, session: Session
) -> None:
    asked = press(reader, "alert", "resolve", foul.alert, resolution=None, note="")
    assert "Choose the outcome first" in asked.text
    done = press(reader, "alert", "resolve", foul.alert, resolution="FIXED", note="Phone swapped")
    assert "Phone swapped" in done.text
    session.expire_all()
    assert session.get_one(Alert, (make.tenant_id, foul.alert)).resolution == "FIXED"


def test_a_ticket_is_taken_commented_and_resolved_punch_by_punch(
    reader: Reader, make: Make, foul: Scored, session: Session
) -> None:
    assert "Maya Fernandes" in press(reader, "ticket", "mine", foul.ticket, note="").text
    said = press(reader, "ticket", "comment", foul.ticket, note="The guard lent the phone.")
    assert "The guard lent the phone." in said.text
    named = {"type": "ticket-step", "step": "RESOLVED", "key": foul.ticket}
    values = {
        "ticket-step": [(named, 1)],
        "ticket-resolution": [({"type": "ticket-resolution", "key": foul.ticket}, "CONFIRMED")],
        "ticket-note": [({"type": "ticket-note", "key": foul.ticket}, "")],
        "ticket-verdict": [({"type": "ticket-verdict", "punch": foul.punch}, "FALSE_POSITIVE")],
    }
    assert reader.call("detail.children", "ticket-step", values=values).status_code == 200
    session.expire_all()
    ticket = session.get_one(Ticket, (make.tenant_id, foul.ticket))
    assert (ticket.status, ticket.resolution) == ("RESOLVED", "CONFIRMED")
    assert "Found genuine" in drawer(reader, f"punch:{foul.punch}").text


def test_a_move_that_the_workflow_refuses_is_told_and_changes_nothing(
    reader: Reader, make: Make, foul: Scored, session: Session
) -> None:
    answer = press(reader, "ticket", "CLOSED", foul.ticket, note="")
    assert "cannot go from" in answer.text
    session.expire_all()
    assert session.get_one(Ticket, (make.tenant_id, foul.ticket)).status == "NEW"


def test_the_heatmap_leads_to_the_punches_of_a_cell_and_on_to_the_person(
    reader: Reader, make: Make, foul: Scored
) -> None:
    drawn = reader.call("heatmap-body.children", "heatmap-days.value", values=HEATMAP)
    assert "1 punch scored 0.80 or more, at Harbour Depot" in drawn.text
    found = queries_of(foul, make)
    answer = drill(reader, found["site"], found["hour"]).text
    assert "Meera Joshi" in answer
    assert "The same phone punched" in answer
    assert f"/app/person/{found['person']}" in answer


def test_a_grey_cell_is_said_not_to_be_a_zero(reader: Reader, make: Make, foul: Scored) -> None:
    found = queries_of(foul, make)
    assert "not a zero" in drill(reader, found["site"], (found["hour"] + 80) % 168).text


def test_the_person_page_tells_scores_reasons_and_that_they_are_no_verdict(
    reader: Reader, make: Make, foul: Scored
) -> None:
    person = queries_of(foul, make)["person"]
    frame = page(reader, f"/app/person/{person}").text
    assert "Meera Joshi" in frame
    assert "G120" in frame
    drawn = person_page(reader, person).text
    assert "1 of 1 punch scored 0.80 or more" in drawn
    assert "The same phone punched" in drawn
    assert "A score is not a verdict" in drawn
    assert "Habits are learnt each night" in drawn


def test_lists_hold_the_alert_and_the_ticket_in_words(reader: Reader, foul: Scored) -> None:
    alerts = alert_list(reader, state="open").text
    assert "Attendance fraud" in alerts
    assert "1 alert" in alerts
    assert "Attendance fraud: shared phone" in ticket_list(reader).text
    assert "No tickets" in ticket_list(reader, "done").text


def test_empty_pages_say_what_will_fill_them(reader: Reader) -> None:
    assert "All quiet" in page(reader, "/app/").text
    assert "They open by themselves" in alert_list(reader, state="open").text
    assert "Tickets open by themselves" in ticket_list(reader).text
    drawn = reader.call("heatmap-body.children", "heatmap-days.value", values=HEATMAP)
    assert "No scored punches in this period" in drawn.text


def test_an_unknown_address_is_said_to_be_unknown(reader: Reader) -> None:
    assert "No such page" in page(reader, "/app/nothing").text
    assert "No such person" in page(reader, "/app/person/99").text
    assert "No such alert" in drawer(reader, "alert:99").text
    assert "No such" in drawer(reader, "alert:x; DROP").text


def test_a_database_that_does_not_answer_leaves_a_page_with_a_way_to_try_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("canceling statement"))

    monkeypatch.setattr(queries.scores, "heatmap", broken)
    answer = reader.call("heatmap-body.children", "heatmap-days.value", values=HEATMAP)
    assert answer.status_code == 200
    assert "could not be loaded" in answer.text
    assert "Try again" in answer.text


def test_people_are_found_by_part_of_a_name_or_code_in_any_script(
    reader: Reader, make: Make
) -> None:
    site = make.site()
    for name, code in (("Meera Joshi", "G1"), ("Анна Соколова", "G2"), ("100% Sure", "G3")):
        make.person(site, name=name, code=code)

    def found(text: str) -> str:
        return str(
            reader.call(
                "people-list.children", "people-text.value", values={"people-text.value": text}
            ).json
        )

    assert "Meera" in found("eera")
    assert "Анна" in found("соко")
    assert "Анна" in found("g2")
    assert "Meera" not in found("%")
    assert "100% Sure" in found("%")
    assert "Nobody found" in found("nobody at all")


def test_a_viewer_sees_why_scores_are_not_theirs(viewer: Reader, make: Make, foul: Scored) -> None:
    person = queries_of(foul, make)["person"]
    for text in (
        page(viewer, "/app/heatmap").text,
        page(viewer, f"/app/person/{person}").text,
        drawer(viewer, f"alert:{foul.alert}").text,
        drawer(viewer, f"punch:{foul.punch}").text,
    ):
        assert "security:fraud:view" in text
        assert "0.91" not in text


def test_a_viewer_can_neither_read_scores_nor_act_by_calling_directly(
    viewer: Reader, make: Make, foul: Scored, session: Session
) -> None:
    found = queries_of(foul, make)
    heatmap = viewer.call("heatmap-body.children", "heatmap-days.value", values=HEATMAP)
    for answer in (
        heatmap,
        drill(viewer, found["site"], found["hour"]),
        person_page(viewer, found["person"]),
        act(viewer, foul.alert, "acknowledge"),
        press(viewer, "alert", "acknowledge", foul.alert, note="", resolution=None),
        press(viewer, "ticket", "mine", foul.ticket, note=""),
    ):
        assert answer.status_code == 403
        assert answer.content_type == "application/problem+json"
    session.expire_all()
    assert session.get_one(Alert, (make.tenant_id, foul.alert)).status == "NEW"


def on_call_asked(
    admin: Reader, foreign: Make, alert: int, site: int
) -> dict[str, Callable[[], Any]]:
    """Each callback of the page about on call, asked for what the other company has."""
    zoe = foreign.user("operator", name="Zoe Unseen").id
    tenancy.name_tenant(foreign.session, foreign.tenant_id)
    key = on_call.schedule(zoe, name="Secret Vault")
    policy = on_call.policy({"after_minutes": 0, "users": [zoe]}, name="Secret Vault")
    foreign.row(
        AlertEscalation,
        {"alert_id": alert, "policy_id": policy, "begun_at": utcnow(), "next_at": utcnow()},
    )
    fields = {("name", 0): "x", ("users", 0): [str(zoe)], ("add", 0): str(zoe)}
    buttons = [
        ("edit", "schedule", key, None), ("edit", "policy", policy, None),
        ("ask", "schedule", key, None), ("delete", "schedule", key, None),
        ("delete", "policy", policy, None),
        ("save", "", 0, {"kind": "policy", "key": policy}),
        ("save", "", 0, {"kind": "schedule", "key": key, "members": [zoe]}),
        ("add-member", "", 0, {"kind": "schedule", "members": [zoe]}),
    ]  # fmt: skip
    asked: dict[str, Callable[[], Any]] = {
        f"oncall-step {number}": functools.partial(
            on_call.arrange, admin, step, kind, n, draft, fields
        )
        for number, (step, kind, n, draft) in enumerate(buttons)
    }
    for step in ("ask", "4", "handover", "back"):
        asked[f"oncall-duty {step}"] = functools.partial(on_call.press, admin, step, key)
    return asked | {
        "oncall-now.children": lambda: on_call.cards(admin),
        "oncall-strips.children": lambda: on_call.turns(admin),
        "oncall-runs.children": lambda: on_call.runs(admin),
        "oncall-arrange.children": lambda: on_call.arrange(admin, "keep"),
        "oncall-trial.children": lambda: on_call.trial(admin, site=str(site)),
    }


def test_no_callback_shows_or_touches_another_companys_rows(
    app: APIFlask, reader: Reader, make: Make, foreign: Make, session: Session
) -> None:
    site = foreign.site(name="Secret Vault", timezone="UTC")
    theirs = scored(foreign, foreign.person(site, name="Zoe Unseen", code="Z9"), site)
    person = session.get_one(Alert, (foreign.tenant_id, theirs.alert)).person_id or 0
    model = version(foreign, "v7", status="active", note="Secret Vault", passed=True)
    watch(foreign, "v7", detail={"features": {}, "sentence": "Secret Vault"})
    found = audited.finding(foreign, session.get_one(Person, (foreign.tenant_id, person)), site)
    incident = audited.incident(foreign, found)
    base = audited.baseline(foreign, site)
    run, _ = runs.ask(tenant_id=foreign.tenant_id, trigger="manual", now=utcnow(), queued=False)
    unseen = str(prediction(foreign, theirs.punch).id)
    tenancy.name_tenant(session, make.tenant_id)
    admin = Reader(app, make, make.user("admin"))
    tenancy.name_tenant(session, foreign.tenant_id)
    version_of: dict[str, Any] = {"model-chosen.data": "v7", "scheme.data": "dark"}
    incident_of: dict[str, Any] = {"incident-id.data": str(incident.id)}
    answers: dict[str, Callable[[], Any]] = {
        "page.children": lambda: page(reader, f"/app/person/{person}"),
        "kpis.children": lambda: reader.call("kpis.children", "kpi-clock.n_intervals", values={}),
        "feed-result.data": lambda: act(reader, theirs.alert, "acknowledge"),
        "detail.children": lambda: drawer(reader, f"alert:{theirs.alert}"),
        "ticket": lambda: drawer(reader, f"ticket:{theirs.ticket}"),
        "punch": lambda: drawer(reader, f"punch:{theirs.punch}"),
        "alert-step": lambda: press(
            reader, "alert", "acknowledge", theirs.alert, note="", resolution=None
        ),
        "ticket-step": lambda: press(reader, "ticket", "mine", theirs.ticket, note=""),
        "heatmap-body.children": lambda: reader.call(
            "heatmap-body.children", "heatmap-days.value", values=HEATMAP
        ),
        "heatmap-cell.children": lambda: drill(reader, site.id, 0),
        "heatmap-punches.children": lambda: reader.call(
            "heatmap-punches.children",
            "heatmap-more.n_clicks",
            values={
                "heatmap-more.n_clicks": 1,
                "heatmap-cursor.data": [1, 2**60],
                "heatmap-at.value": f"{site.id}.{utcnow().date()}",
                "heatmap-by.value": "day",
            },
        ),
        "person-punches.children": lambda: reader.call(
            "person-punches.children",
            "person-all.n_clicks",
            values={"person-all.n_clicks": 1, "person-id.data": person, "person-days.value": "30"},
        ),
        "person-scores.children": lambda: person_page(reader, person),
        "alerts-table.children": lambda: alert_list(reader, state="all"),
        "alerts-grid.rowTransaction": lambda: reader.call(
            "alerts-grid.rowTransaction",
            "alerts-more.n_clicks",
            values={
                "alerts-cursor.data": ["2100-01-01T00:00:00+00:00", 1],
                "alerts-state.value": "all",
            },
        ),
        "tickets-table.children": lambda: ticket_list(reader, "all"),
        "tickets-grid.rowTransaction": lambda: reader.call(
            "tickets-grid.rowTransaction",
            "tickets-more.n_clicks",
            values={
                "tickets-cursor.data": ["2100-01-01T00:00:00+00:00", 1],
                "tickets-view.value": "all",
            },
        ),
        "tickets-moved.data": lambda: reader.call(
            "tickets-moved.data",
            "tickets-move.data",
            values={"tickets-move.data": {"id": theirs.ticket, "version": 1, "to": "IN_PROGRESS"}},
        ),
        "ticket-undone.data": lambda: reader.call(
            "ticket-undone.data",
            "ticket-undo.data",
            values={"ticket-undo.data": {"id": theirs.ticket, "version": 1}},
        ),
        "tickets-created.data": lambda: reader.call(
            "tickets-created.data",
            "tickets-new-save.n_clicks",
            values={
                "tickets-new-save.n_clicks": 1,
                "tickets-new-title.value": "Look",
                "tickets-new-priority.value": "LOW",
                "tickets-new-category.value": "OTHER",
                "tickets-new-site.value": str(site.id),
                "tickets-new-person.value": str(person),
            },
        ),
        "tickets-new-person.data": lambda: reader.call(
            "tickets-new-person.data",
            "tickets-new-person.searchValue",
            values={"tickets-new-person.searchValue": "Zoe"},
        ),
        "tickets-board": lambda: reader.call(
            "tickets-table.children",
            "tickets-view.value",
            values={"tickets-show.value": "board", "tickets-view.value": "open"},
        ),
        "ticket-assign": lambda: press(
            reader, "ticket", "assign", theirs.ticket, note="", assignee="1"
        ),
        "ticket-merge": lambda: press(
            reader, "ticket", "merge", theirs.ticket, note="", into="T-000001"
        ),
        "overview-body.children": lambda: reader.call(
            "overview-body.children", "overview-clock.n_intervals", values={}
        ),
        "people-list.children": lambda: reader.call(
            "people-list.children", "people-text.value", values={"people-text.value": "Zoe"}
        ),
        "model-standing.children": lambda: reader.call(
            "model-standing.children", "model-changed.data", values={}
        ),
        "model-versions.children": lambda: reader.call(
            "model-versions.children", "model-chosen.data", values=version_of
        ),
        "model-charts.children": lambda: reader.call(
            "model-charts.children", "model-chosen.data", values=version_of
        ),
        "model-whatif.children": lambda: what_if(reader),
        "model-watching.children": lambda: reader.call(
            "model-watching.children", "scheme.data", values=version_of
        ),
        "model-verdict.children": lambda: reader.call(
            "model-verdict.children", "model-chosen.data", values=version_of
        ),
        "model-run.children": lambda: reader.call(
            "model-run.children", "model-tick.data", values={"model-open.data": str(run.id)}
        ),
        "model-step": lambda: admin.call(
            "model-verdict.children",
            "model-step",
            values={
                "model-step": [
                    ({"type": "model-step", "step": "rollback-sure", "key": str(model.id)}, 1)
                ]
            },
        ),
        "model-run-step": lambda: admin.call(
            "model-run.children",
            "model-run-step",
            values={
                "model-run-step": [
                    ({"type": "model-run-step", "step": "cancel", "key": str(run.id)}, 1)
                ]
            },
        ),
        "finder.data": lambda: reader.call(
            "finder.data", "finder.searchValue", values={"finder.searchValue": "Zoe"}
        ),
        "findings-table.children": lambda: reader.call(
            "findings-table.children", "findings-state.value", values={}
        ),
        "findings-summary.children": lambda: reader.call(
            "findings-summary.children",
            "findings-state.value",
            values={"findings-site.value": str(site.id)},
        ),
        "findings-grid.rowTransaction": lambda: reader.call(
            "findings-grid.rowTransaction",
            "findings-more.n_clicks",
            values={"findings-cursor.data": ["2100-01-01T00:00:00+00:00", 1]},
        ),
        "findings-result.data": lambda: reader.call(
            "findings-result.data",
            "findings-wanted.data",
            values={
                "findings-wanted.data": {
                    "ids": [found.id],
                    "action": "acknowledge",
                    "resolution": None,
                    "note": None,
                }
            },
        ),
        "baselines-week.children": lambda: reader.call(
            "baselines-week.children",
            "baselines-site.value",
            values={"baselines-site.value": str(site.id)},
        ),
        "baselines-hour-part.children": lambda: reader.call(
            "baselines-hour-part.children",
            "baselines-site.value",
            values={"baselines-site.value": str(site.id)},
        ),
        "baselines-confirm.children": lambda: admin.call(
            "baselines-confirm.children",
            "baseline-step",
            values={
                "baseline-step": [({"type": "baseline-step", "step": "pin-sure"}, 1)],
                "baselines-site.value": str(site.id),
                "baselines-threshold.value": 2,
                "baselines-reason.value": "Why not",
                "baselines-one.data": {"id": base.id, "held": None, "slot": 1},
            },
        ),
        "incidents-table.children": lambda: reader.call(
            "incidents-table.children", "incidents-state.value", values={}
        ),
        "incidents-grid.rowTransaction": lambda: reader.call(
            "incidents-grid.rowTransaction",
            "incidents-more.n_clicks",
            values={"incidents-cursor.data": ["2100-01-01T00:00:00+00:00", str(incident.id)]},
        ),
        "incident-head.children": lambda: reader.call(
            "incident-head.children", "incident-id.data", values=incident_of
        ),
        "incident-story-part.children": lambda: reader.call(
            "incident-story-part.children", "incident-id.data", values=incident_of
        ),
        "incident-problem.children": lambda: reader.call(
            "incident-problem.children",
            "incident-step",
            values=incident_of
            | {"incident-step": [({"type": "incident-step", "step": "close"}, 1)]},
        ),
        "person-profile.children": lambda: reader.call(
            "person-profile.children", "person-id.data", values={"person-id.data": person}
        ),
        "person-links.children": lambda: reader.call(
            "person-links.children", "person-id.data", values={"person-id.data": person}
        ),
        "person-verdicts.children": lambda: reader.call(
            "person-verdicts.children", "person-id.data", values={"person-id.data": person}
        ),
        "person-said.children": lambda: reader.call(
            "person-said.children",
            "person-write.n_clicks",
            values={
                "person-write.n_clicks": 1,
                "person-id.data": person,
                "person-about.value": str(theirs.punch),
                "person-words.value": "It was me.",
            },
        ),
        "review-queue.data": lambda: reader.call(
            "review-queue.data", "review-site.value", values={"review-site.value": str(site.id)}
        ),
        "review-dealt.data": lambda: reader.call(
            "review-dealt.data", "review-want.data", values={"review-want.data": {"id": unseen}}
        ),
        "review-judged.data": lambda: reader.call(
            "review-judged.data",
            "review-steps.data",
            values={
                "review-steps.data": {
                    "number": 1,
                    "steps": [{"id": unseen, "verdict": "CONFIRMED"}],
                }
            },
        ),
        # The rest of the administration is in test_admin_page.py and test_admin_lists.py.
        "admin-body.children": lambda: admin.call(
            "admin-body.children", "admin-part.data", values={"admin-part.data": "sites"}
        ),
        "admin-jobs-live.children": lambda: admin.call(
            "admin-jobs-live.children", "admin-jobs-tick.data", values={}
        ),
        **{
            f"{answers_in(part)}.children": partial(
                administered.press, admin, part, "open", site.id
            )
            for part in NEEDS
            if part != "trail"
        },
        **{
            f"admin-{name}-table-rows.children": partial(
                listed, admin, name, "e", of=f"{site.id}:2026-11-16"
            )
            for name in ("roster", *chain(*LISTS.values()))
        },
        **on_call_asked(admin, foreign, theirs.alert, site.id),
    }
    on_server = {
        one["output"].strip(".").split("...")[0].split("@")[0]
        for one in reader.dependencies()
        if not one.get("clientside_function")
    }
    without_rows = {"url.pathname"}
    assert on_server - without_rows <= set(answers), "a callback that this test does not know"
    for name, ask in answers.items():
        answer = ask()
        assert answer.status_code in (200, 404), name
        for secret in ("Secret Vault", "Zoe Unseen", "Z9", "The same phone"):
            assert secret not in answer.text, f"{name} tells {secret}"
    session.expire_all()
    tenancy.name_tenant(session, foreign.tenant_id)
    assert session.get_one(Alert, (foreign.tenant_id, theirs.alert)).status == "NEW"
    assert session.get_one(Ticket, (foreign.tenant_id, theirs.ticket)).assignee_id is None
    assert session.get_one(Finding, (foreign.tenant_id, found.id)).status == "NEW"
    kept = session.get_one(BaselineProfile, (foreign.tenant_id, base.id))
    assert kept.pinned_threshold is None
    assert session.get_one(Incident, (foreign.tenant_id, incident.id)).status == "OPEN"
    assert session.get_one(FraudModel, (foreign.tenant_id, model.id)).is_active
    assert session.get_one(JobRun, (foreign.tenant_id, run.id)).cancel_requested_at is None
    assert session.scalars(select(OnCallSchedule.name)).all() == ["Secret Vault"]
    assert session.scalars(select(EscalationPolicy.name)).all() == ["Secret Vault"]
    assert session.scalars(select(OnCallOverride)).all() == []


def test_whoever_is_limited_to_a_site_sees_that_site_alone(app: APIFlask, make: Make) -> None:
    mine, other = make.site(name="Mine", timezone="UTC"), make.site(name="Elsewhere")
    scored(make, make.person(mine, name="Guard Near"), mine)
    theirs = scored(make, make.person(other, name="Guard Far"), other)
    limited = Reader(app, make, limit_to(make, make.user("security_manager"), mine.id))
    for answer in (
        page(limited, "/app/"),
        alert_list(limited, state="all"),
        ticket_list(limited, "all"),
        drawer(limited, f"alert:{theirs.alert}"),
        drawer(limited, f"punch:{theirs.punch}"),
        act(limited, theirs.alert, "acknowledge"),
        limited.call("heatmap-body.children", "heatmap-days.value", values=HEATMAP),
    ):
        assert "Guard Far" not in answer.text
        assert "Elsewhere" not in answer.text
    assert "Guard Near" in alert_list(limited, state="all").text


def test_pages_send_as_many_queries_for_many_rows_as_for_one(
    reader: Reader, make: Make, query_count: Callable[[Callable[[], Any]], int]
) -> None:
    site = make.site(timezone="UTC")
    person = make.person(site)
    asked: list[Callable[[], Any]] = [
        lambda: page(reader, "/app/"),
        lambda: alert_list(reader, state="all"),
        lambda: ticket_list(reader, "all"),
        lambda: page(reader, f"/app/person/{person.id}"),
        lambda: person_page(reader, person.id),
        # Another period each time: the same one would be answered from what is kept.
        lambda: reader.call(
            "heatmap-body.children",
            "heatmap-days.value",
            values=HEATMAP | {"heatmap-days.value": next(periods)},
        ),
    ]
    periods = iter(("7", "30"))
    scored(make, person, site)
    few = [query_count(ask) for ask in asked]
    for kind in ("BUDDY_PUNCHING", "GPS_SPOOFING", "UNUSUAL_TIME", "MODEL"):
        scored(make, person, site, kind=kind)
    assert [query_count(ask) for ask in asked] == few


def queries_of(foul: Scored, make: Make) -> dict[str, int]:
    """Person, site and hour of the week (UTC) of a scored punch."""
    alert = make.session.get_one(Alert, (make.tenant_id, foul.alert))
    at = alert.occurred_at
    return {
        "person": alert.person_id or 0,
        "site": alert.site_id or 0,
        "hour": at.weekday() * 24 + at.hour,
    }


def test_the_layout_is_json_without_secrets(reader: Reader) -> None:
    layout = json.dumps(json.loads(reader.layout()))
    for word in ("password", "secret", "csrf"):
        assert word not in layout.lower()

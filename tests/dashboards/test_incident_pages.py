"""The list of incidents and the page of one: what they show, to whom, and what can be done."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboards import theme
from dashboards.figures import incident_map, incident_timeline
from dashboards.incident import events, replay, side
from noc.audit.story import Story
from noc.incidents.models import Incident
from tests.audit.conftest import AT, MINUTE, Post, cycle, on_post
from tests.dashboards.conftest import Reader
from tests.factories import Make
from tests.signed_in import limit_to

ZONE = "Asia/Kolkata"
SHIFT = dt.timedelta(hours=5, minutes=30)
SITE = {"ring": None, "geofence_radius": 150.0, "timezone": ZONE}


@pytest.fixture
def incident(make: Make, session: Session) -> Incident:
    """A silent guard whose phone is reported gone."""
    post: Post = on_post(make)
    post.hear(50, kind="phone_event", event_type="screen_on")
    post.fixes(40, 45, north=300)
    make.punch(post.person, post.site, occurred_at=AT - 55 * MINUTE)
    post.alert()
    cycle(make)
    session.commit()
    return session.scalars(select(Incident)).one()


def listed(reader: Reader, **values: str | None) -> Any:
    filters = {f"incidents-{name}.value": value for name, value in values.items()}
    return reader.call("incidents-table.children", "incidents-state.value", values=filters)


def shown(reader: Reader, key: uuid.UUID) -> Any:
    return reader.call(
        "incident-head.children", "incident-id.data", values={"incident-id.data": str(key)}
    )


def told(reader: Reader, key: uuid.UUID) -> Any:
    return reader.call(
        "incident-story-part.children", "incident-id.data", values={"incident-id.data": str(key)}
    )


def press(reader: Reader, key: uuid.UUID, step: str, note: str = "") -> Any:
    values = {
        "incident-step": [({"type": "incident-step", "step": step}, 1)],
        "incident-id.data": str(key),
        "incident-note.value": note,
        "incident-done.data": 4,
    }
    return reader.call("incident-problem.children", "incident-step", values=values)


def open_page(reader: Reader, path: str) -> Any:
    return reader.call("page.children", "url.pathname", values={"url.pathname": path})


def test_the_list_counts_and_filters(reader: Reader, incident: Incident) -> None:
    everything = listed(reader)
    assert "1 incident" in everything.text
    assert "Silent on duty" in everything.text
    assert "Not closed · 1" in everything.text
    assert "0 incidents" in listed(reader, state="CLOSED").text
    assert "No incidents match" in listed(reader, severity="CRITICAL", state="all").text
    assert "1 incident" in listed(reader, severity="MEDIUM", site=str(incident.site_id)).text
    assert listed(reader, state="nonsense").status_code == 422


def test_the_next_page_goes_on_after_the_last(
    reader: Reader, incident: Incident, session: Session
) -> None:
    at = (incident.detected_at + MINUTE).isoformat()
    for cursor, rows in ((at, 1), (incident.detected_at.isoformat(), 0)):
        answer = reader.call(
            "incidents-grid.rowTransaction",
            "incidents-more.n_clicks",
            values={"incidents-cursor.data": [cursor, str(uuid.UUID(int=0))]},
        )
        assert len(answer.json["response"]["incidents-grid"]["rowTransaction"]["add"]) == rows


def test_the_page_says_why_and_what_is_in_it(reader: Reader, incident: Incident) -> None:
    text = shown(reader, incident.id).text

    assert "Both are about the same guard." in text
    assert "The alert and the finding overlap." in text
    assert "0.40 of 0.40" in text
    assert "1 finding, 1 alert" in text
    assert "Nobody has written anything yet" in text


def test_the_story_has_its_lanes_its_rows_and_its_map(reader: Reader, incident: Incident) -> None:
    text = told(reader, incident.id).text

    assert "3 phone signals by" in text
    assert "1 punch, 1 finding, 1 alert, 1 ticket" in text
    assert "Silent on duty" in text
    assert "Ticket T-000001 opened" in text
    assert "2 fixes, the furthest 300 m away" in text
    assert '"name":"veil"' in text


def test_only_who_may_see_scores_is_led_to_punches(
    reader: Reader, viewer: Reader, incident: Incident
) -> None:
    assert "punch:" in told(reader, incident.id).text
    assert "punch:" not in told(viewer, incident.id).text


def test_what_people_do_is_shown_as_it_is_after(
    reader: Reader, incident: Incident, session: Session
) -> None:
    key = incident.id
    assert "Write what was looked into first" in press(reader, key, "investigate").text

    answer = press(reader, key, "investigate", "Called the guard.").json["response"]
    assert answer["incident-done"]["data"] == 5, "the parts are read anew"
    text = shown(reader, key).text
    assert "Called the guard." in text
    assert "by Maya Fernandes" in text
    assert "Investigating" in text

    press(reader, key, "root-cause", "An empty battery.")
    assert "An empty battery." in shown(reader, key).text
    press(reader, key, "close")
    assert "Closed: what comes later opens another incident." in shown(reader, key).text
    assert "reopen it first" in press(reader, key, "investigate", "Late").text
    press(reader, key, "reopen")
    session.expire_all()
    assert session.get_one(Incident, (incident.tenant_id, key)).status == "INVESTIGATING"


def test_a_viewer_has_no_form_and_cannot_act(
    viewer: Reader, incident: Incident, session: Session
) -> None:
    key = incident.id
    page = open_page(viewer, f"/app/incident/{key}").text

    assert "incident-note" not in page
    assert "incident-step" not in shown(viewer, key).text
    assert press(viewer, key, "close").status_code == 403
    session.expire_all()
    assert session.get_one(Incident, (incident.tenant_id, key)).status == "OPEN"


def test_addresses_hold_a_uuid_and_nothing_else(reader: Reader, incident: Incident) -> None:
    assert str(incident.id) in open_page(reader, f"/app/incident/{incident.id}").text
    assert "No such incident" in open_page(reader, f"/app/incident/{uuid.uuid4()}").text
    assert "No such page" in open_page(reader, "/app/incident/12").text


def test_whoever_is_limited_to_another_site_sees_nothing(
    app: APIFlask, make: Make, incident: Incident, session: Session
) -> None:
    user = limit_to(make, make.user("operator"), make.site().id)
    stranger = Reader(app, make, user)
    key = incident.id

    assert "0 incidents" in listed(stranger, state="all").text
    assert "No such incident" in open_page(stranger, f"/app/incident/{key}").text
    assert "No such incident" in shown(stranger, key).text
    assert "No such incident" in told(stranger, key).text
    assert "Silent" not in press(stranger, key, "close").text
    session.expire_all()
    assert session.get_one(Incident, (incident.tenant_id, key)).status == "OPEN"


def test_the_drawer_leads_to_the_page(reader: Reader, incident: Incident) -> None:
    target = {"drawer-target.data": {"id": f"incident:{incident.id}"}}
    text = reader.call("detail.children", "drawer-target.data", values=target).text
    assert f"/app/incident/{incident.id}" in text


# Figures and words on their data


def event(minutes: float, lane: str = "alerts", **values: Any) -> events.Event:
    at = AT + minutes * MINUTE
    return events.Event(lane, "Phone offline", "", at, values.pop("known_at", at), **values)


def story(**values: Any) -> Story:
    lists = ("alerts", "findings", "punches", "tickets", "steps", "signals", "fixes")
    empty: dict[str, Any] = {name: [] for name in lists}
    given = {"start": AT, "end": AT + 60 * MINUTE, "site": SITE, "bin_minutes": 5, "fixes_of": 0}
    return Story(**(empty | given | values))


def heard(slot: int, n: int, minutes: float) -> dict[str, Any]:
    return {"slot": slot, "known_slot": slot, "n": n, "known_at": AT + minutes * MINUTE}


def test_the_time_line_draws_each_lane_on_the_clock_of_the_site() -> None:
    found = [
        event(10, severity="CRITICAL", since=AT, until=AT + 20 * MINUTE),
        event(10.1, linked=False, severity="LOW"),
        event(30, "people"),
    ]
    shown = story(signals=[heard(0, 4, 4), heard(0, 2, 50), heard(11, 3, 59)])
    chart = incident_timeline.figure(shown, found, (AT, AT + 20 * MINUTE), SHIFT, ZONE, "dark")
    traces = {trace.name: trace for trace in chart.data}

    density = traces["Phone signals"]
    assert list(density.customdata) == [6, *[0] * 10, 3, 0]
    assert density.y[0] == pytest.approx(0.8)
    alerts = traces["Alerts"]
    assert alerts.x[0] == AT + SHIFT + 10 * MINUTE
    assert list(alerts.marker.symbol) == ["diamond", "circle"]
    assert alerts.marker.opacity[1] < alerts.marker.opacity[0]
    assert alerts.y[0] != alerts.y[1], "marks that would touch stand apart"
    assert list(traces["Alerts, how long"].x) == [AT + SHIFT, AT + SHIFT + 20 * MINUTE, None]
    assert "Punches" not in traces
    names = [shape.name for shape in chart.layout.shapes]
    assert {"window", "veil", "now"} <= set(names)
    assert "Alerts 2" in chart.layout.yaxis.ticktext
    assert ZONE in chart.layout.xaxis.title.text


@pytest.mark.parametrize("scheme", theme.SCHEMES)
def test_the_map_is_in_metres_and_a_fix_far_away_does_not_shrink_the_site(
    scheme: theme.Scheme,
) -> None:
    fixes = [
        {"x": 30.0, "y": 40.0, "accuracy": 8.0, "person_id": 1, "at": AT},
        {"x": 90_000.0, "y": 0.0, "accuracy": None, "person_id": 1, "at": AT},
    ]
    chart = incident_map.figure(SITE, fixes, SHIFT, scheme)
    traces = {trace.name: trace for trace in chart.data}

    assert max(traces["Geofence"].x) == 150.0
    assert chart.layout.yaxis.scaleanchor == "x"
    assert chart.layout.yaxis.scaleratio == 1
    assert chart.layout.xaxis.range[1] == 1500
    assert list(traces["Last fix"].x) == [90_000.0]
    assert "50 m from the centre, accurate to 8 m" in traces["Fixes"].text[0]
    told = incident_map.sentence(SITE, fixes)
    assert told == ("2 fixes, the furthest 90.0 km away. 1 fix lies beyond the edge of the map.")
    assert "no place" in incident_map.sentence(SITE, [])


def test_a_polygon_is_the_geofence_where_there_is_one() -> None:
    corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 20.0)]
    assert incident_map.ring(SITE | {"ring": corners}) == [*corners, corners[0]]
    assert incident_map.reach(SITE | {"ring": corners}, []) == 25.0


def test_the_dots_of_several_people_are_no_trail() -> None:
    fixes = [
        {"x": 0.0, "y": 0.0, "accuracy": None, "person_id": person, "at": AT} for person in (1, 2)
    ]
    chart = incident_map.figure(SITE, fixes, SHIFT, "dark")
    assert next(trace for trace in chart.data if trace.name == "Fixes").mode == "markers"


def test_the_script_is_told_when_each_thing_was_known() -> None:
    late = event(10, known_at=AT + 40 * MINUTE)
    data = replay.for_script(story(signals=[heard(3, 2, 45)]), [late], SHIFT)
    start = AT.timestamp() * 1000
    assert data["known"] == [start + 40 * 60_000]
    assert data["signals"] == [[3, start + 45 * 60_000, 2, start + 20 * 60_000]]
    assert data["bins"] == 13


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("time", 0.40, "overlap"),
        ("time", 0.20, "8 min apart; more than 15"),
        ("entity", 0.35, "same guard"),
        ("entity", 0.21, "Only the site"),
        ("severity", 0.25, "The mean of both is critical."),
        ("severity", 0.0938, "Their mean: low to medium."),
    ],
)
def test_the_parts_of_the_score_are_words(part: str, value: float, words: str) -> None:
    assert words in side.meaning(part, value, 15)


def test_titles_for_machines_become_words() -> None:
    ticket = {"title": "[AUTO] DEVICE_SILENT: Harbour", "category": "SECURITY_AUDIT"}
    assert events.ticket_title(ticket) == "Silent on duty: Harbour"
    fraud = {"title": "[FRAUD ALERT] Meera - BUDDY_PUNCHING", "category": "SECURITY_FRAUD"}
    assert events.ticket_title(fraud) == "Meera: shared phone"
    assert events.ticket_title({"title": "Gate", "category": "OTHER"}) == "Gate"

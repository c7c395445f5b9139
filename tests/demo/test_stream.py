"""The stream, against the real application behind a real socket."""

from __future__ import annotations

import datetime as dt
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select, update
from werkzeug.serving import BaseWSGIServer, make_server

from noc.alerts.models import Alert
from noc.attendance.models import AttendanceEvent
from noc.database.tenancy import tenant_context
from noc.demo import marks, story
from noc.demo.branches import TOKEN_NAME, extend_roster, open_branches
from noc.demo.client import Client, Refused, Unauthorised, Unavailable
from noc.demo.life import Life
from noc.demo.storing import read_ids
from noc.demo.stream import Stream
from noc.demo.world import build_companies
from noc.extensions import session
from noc.fraud.scoring import score_pending
from noc.identity.models import ApiToken
from noc.telemetry.models import PhoneEvent
from noc.tickets.models import Ticket
from noc.workforce.models import Shift
from tests.demo.conftest import NOW, Start

Small = list[marks.Simulated]
OPENING_SECONDS = 45.0


class Server:
    """The application on a port of this machine, which can go away and come back."""

    def __init__(self, app: APIFlask) -> None:
        self._app = app
        self._server: BaseWSGIServer | None = None
        self.port = 0

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self.port, self._app, threaded=True)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server(demo: APIFlask) -> Iterator[Server]:
    server = Server(demo)
    server.start()
    yield server
    server.stop()


class Running:
    """A stream in a thread of its own, whose clock runs so fast that the opening is soon told."""

    def __init__(self, app: APIFlask, url: str, speed: float = 15.0) -> None:
        began, real = time.time() - OPENING_SECONDS - 5, time.monotonic()
        self.clock = lambda: min(began + speed * (time.monotonic() - real), time.time())
        self.stop = threading.Event()
        self.stream = Stream(app, url, rate=20.0, clock=self.clock)
        self._thread = threading.Thread(target=self.stream.run, args=(self.stop,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def running(demo: APIFlask, server: Server, new_world: Small) -> Iterator[Running]:
    running = Running(demo, server.url)
    yield running
    running.end()


def await_true(condition: Any, seconds: float = 60.0) -> None:
    """Until ``condition()`` holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        session().rollback()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    session().rollback()


def live_rows(small_world: Small, model: Any) -> dict[str, list[Any]]:
    """What has come in since the seed, by tenant."""
    found = {}
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            moment = model.created_at if model in (Alert, Ticket) else model.received_at
            rows = session().scalars(select(model).where(moment > NOW + dt.timedelta(hours=1)))
            found[one.tenant.slug] = list(rows)
            session().expunge_all()
        session().rollback()
    return found


def test_the_opening_story_tells_each_company_what_was_promised(
    running: Running, new_world: Small
) -> None:
    await_true(lambda: is_told(new_world))
    await_true(lambda: any(live_rows(new_world, PhoneEvent).values()))
    running.end()
    punches = live_rows(new_world, AttendanceEvent)
    assert {punch.source for rows in punches.values() for punch in rows} == {"api"}
    alerts = live_rows(new_world, Alert)
    sos = [alert for rows in alerts.values() for alert in rows if alert.alert_type == "SOS"]
    assert {alert.severity for alert in sos} == {"CRITICAL"}


def test_the_product_makes_alerts_and_a_ticket_in_each_company_of_the_story(
    running: Running, new_world: Small
) -> None:
    await_true(lambda: is_told(new_world))
    running.end()
    for one in new_world:
        with tenant_context(session(), one.tenant.id):
            score_pending(tenant_id=one.tenant.id, now=dt.datetime.now(dt.UTC))
            session().commit()
    for model in (Alert, Ticket):
        assert all(live_rows(new_world, model).values())


def is_told(world: Small) -> bool:
    """Whether all of the opening has come in."""
    kinds = [alert.alert_type for rows in live_rows(world, Alert).values() for alert in rows]
    punches = live_rows(world, AttendanceEvent)
    mocked = [punch for rows in punches.values() for punch in rows if punch.mock_location]
    return (
        kinds.count("DEVICE_OFFLINE") >= 2
        and "SOS" in kinds
        and len(mocked) >= 2
        and all(buddies(punches[slug]) for slug in ("sentinel", "harbor"))
        and all(two_sites_at_once(punches[slug]) for slug in ("northwatch", "harbor"))
    )


def buddies(punches: list[AttendanceEvent]) -> bool:
    """Two people on one phone within seconds, the second one's face not recognised."""
    return any(
        one.device_id == two.device_id
        and one.person_id != two.person_id
        and 0 < (two.occurred_at - one.occurred_at).total_seconds() < 30
        and (two.biometric_quality_score or 1) < 0.5
        for one in punches
        for two in punches
    )


def two_sites_at_once(punches: list[AttendanceEvent]) -> bool:
    return any(
        one.person_id == two.person_id
        and one.site_id != two.site_id
        and 0 < (two.occurred_at - one.occurred_at).total_seconds() < 30
        for one in punches
        for two in punches
    )


def test_the_stream_waits_for_the_product_and_outlives_its_restart(
    demo: APIFlask, server: Server, new_world: Small
) -> None:
    server.stop()
    running = Running(demo, server.url)
    try:
        time.sleep(0.5)
        assert not any(live_rows(new_world, AttendanceEvent).values())
        server.start()
        await_true(lambda: any(live_rows(new_world, AttendanceEvent).values()))
        server.stop()
        time.sleep(1.0)
        server.start()
        alerts = lambda: live_rows(new_world, Alert)  # noqa: E731
        await_true(lambda: sum(len(rows) for rows in alerts().values()) >= 4)
    finally:
        running.end()


def test_a_new_seed_under_a_running_stream_is_taken_up(running: Running, new_world: Small) -> None:
    await_true(lambda: any(live_rows(new_world, AttendanceEvent).values()))
    revoked = dt.datetime.now(dt.UTC)
    for one in new_world:
        with tenant_context(session(), one.tenant.id):
            session().execute(update(ApiToken).values(revoked_at=revoked))
            session().commit()

    def has_new_token() -> bool:
        with tenant_context(session(), new_world[0].tenant.id):
            return bool(
                session().scalar(
                    select(ApiToken.id).where(
                        ApiToken.name == TOKEN_NAME, ApiToken.revoked_at.is_(None)
                    )
                )
            )

    await_true(has_new_token)


def test_sigterm_ends_the_stream_with_success(small_world: Small, start_noc: Start) -> None:
    process = start_noc("demo", "stream", "--url", "http://127.0.0.1:9")
    assert process.stdout is not None
    for line in process.stdout:
        if "demo_stream_waiting" in line:
            break
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0


def test_each_start_of_the_stream_ends_the_tokens_of_the_one_before(
    demo: APIFlask, small_world: Small
) -> None:
    for _ in range(2):
        open_branches(demo, "http://127.0.0.1:9", time.time())
    with tenant_context(session(), small_world[0].tenant.id):
        good = session().scalars(
            select(ApiToken).where(ApiToken.name == TOKEN_NAME, ApiToken.revoked_at.is_(None))
        )
        assert len(good.all()) == 1


def test_people_at_the_desks_see_to_what_the_stream_brought(
    demo: APIFlask, server: Server, new_world: Small
) -> None:
    began = time.time()
    branch = open_branches(demo, server.url, began)[0]
    body = story.mock_gps(branch.life, branch.life.company.rng("test"), began)[0].body
    answer = branch.client.post("attendance/events/?score=now", body)
    branch.desk.learn(answer["items"][0]["id"], fraud=True)
    for later in (300, 500, 2500, 2800):
        branch.desk.work(began + later)
    branch.client.close()
    tenant = branch.simulated.tenant.id
    with tenant_context(session(), tenant):
        punch = str(answer["items"][0]["id"])
        alert = session().scalars(select(Alert).where(Alert.entity_id == punch)).one()
        assert (alert.status, alert.resolution) == ("RESOLVED", "CONFIRMED")
        ticket = (
            session()
            .scalars(
                select(Ticket)
                .where(Ticket.person_id == body["person_id"])
                .order_by(Ticket.id.desc())
            )
            .first()
        )
        assert ticket is not None
        if ticket.id % 8:
            assert (ticket.status, ticket.resolution) == ("RESOLVED", "CONFIRMED")


def test_the_stream_makes_the_roster_longer_as_days_go_by(
    demo: APIFlask, small_world: Small
) -> None:
    one = small_world[0]
    company = build_companies(one.scale)[0]
    later = (NOW + dt.timedelta(days=90)).timestamp()
    with tenant_context(session(), one.tenant.id):
        ids = read_ids(company, one.tenant.id)
        first = extend_roster(company, ids, later)
        again = extend_roster(company, ids, later)
        codes = session().scalars(select(Shift.code)).all()
    assert first >= 8
    assert again == 0
    assert len(codes) == len(set(codes))


def test_what_the_live_day_sends_is_what_the_seed_would_have_stored(new_world: Small) -> None:
    one = new_world[0]
    company = build_companies(one.scale)[0]
    with tenant_context(session(), one.tenant.id):
        life = Life(company, read_ids(company, one.tenant.id))
        stored = set(session().scalars(select(AttendanceEvent.external_id)))
    end = NOW.timestamp()
    sent = [item for item in life.between(end - 86_400, end, 0.0) if item.route == "punch"]
    known = [item for item in sent if item.body["external_id"] in stored]
    assert len(known) > 10
    # The rest are the confirmations of each hour, which only the stream has.
    assert {item.body["kind"] for item in sent if item not in known} == {"presence"}


def test_heartbeats_fill_up_to_the_rate_that_was_asked_for(small_world: Small) -> None:
    one = small_world[0]
    company = build_companies(one.scale)[0]
    with tenant_context(session(), one.tenant.id):
        life = Life(company, read_ids(company, one.tenant.id))
    moment = NOW.timestamp()
    assert life.on_duty(moment)
    quiet, busy = (len(life.between(moment, moment + 600, rate)) for rate in (0.0, 0.03))
    assert quiet < 18 <= busy <= 19


def test_a_silent_phone_sends_nothing(small_world: Small) -> None:
    one = small_world[0]
    company = build_companies(one.scale)[0]
    with tenant_context(session(), one.tenant.id):
        ids = read_ids(company, one.tenant.id)
    life, moment = Life(company, ids), NOW.timestamp()
    (alert,) = story.silent_guard(life, company.rng("test"), moment)
    (guard,) = life.silent
    assert alert.body["person_id"] == ids.guards[guard]
    signals = [i for i in life.between(moment, moment + 1200, 5.0) if i.route == "signal"]
    assert signals
    assert int(ids.guards[guard]) not in {
        item.body["person_id"] for item in signals if item.body["kind"] != "checkpoint_scan"
    }


def test_a_client_tells_apart_who_is_to_blame(
    demo: APIFlask, server: Server, small_world: Small
) -> None:
    client = open_branches(demo, server.url, time.time())[0].client
    with pytest.raises(Refused, match="person_id"):
        client.post("attendance/events/", {"site_id": 1, "kind": "in"})
    with pytest.raises(Unauthorised):
        Client(server.url, "noc_wrong").get("alerts/")
    server.stop()
    with pytest.raises(Unavailable):
        Client(server.url, "noc_any").get("alerts/")
    with pytest.raises(ValueError, match="not an address"):
        Client("somewhere", "noc_any")

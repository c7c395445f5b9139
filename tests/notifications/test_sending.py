"""What arrives at the other side."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from noc.database.base import utcnow
from noc.identity.models import Tenant
from noc.monitoring import metrics
from noc.notifications import routes
from tests.factories import Make
from tests.notifications.conftest import Configure, Desk, Inbox, Receiver

GUIDE = Path(__file__).parents[2] / "docs" / "notifications.md"

pytestmark = pytest.mark.usefixtures("reachable")


def test_a_webhook_is_told_what_the_feed_tells_and_can_check_who_says_so(
    desk: Desk, make: Make, receiver: Receiver, configure: Configure
) -> None:
    configure(public_url="https://noc.acme.example/")
    site = make.site(name="Harbour Gate")
    route = desk.route(f"{receiver.url}/in?key=1")
    desk.alert("HIGH", site_id=site.id, message="Door forced")

    assert desk.send(route) == ["sent"]

    (request,) = receiver.received
    (delivery,) = desk.deliveries(route)
    body = json.loads(request.body)
    assert request.path == "/in?key=1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-noc-delivery"] == str(delivery.id) == body["delivery_id"]
    assert body["text"] == "HIGH alert at Harbour Gate: Door forced"
    alert_id = body["event"]["alert_id"]
    assert body["link"] == f"https://noc.acme.example/app/alerts?open=alert:{alert_id}"
    assert (body["kind"], body["severity"], body["test"]) == ("alert_opened", "HIGH", False)
    event = body["event"]
    assert (event["type"], event["seq"], event["event_id"]) == (
        "alert_created", 1, str(delivery.event_id),
    )  # fmt: skip
    assert (event["site_name"], event["message"]) == ("Harbour Gate", "Door forced")
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("sent", 1, None)

    moment, _, digest = request.headers["x-noc-signature"].partition(",v1=")
    assert abs(int(moment.removeprefix("t=")) - time.time()) < 10
    signed = moment.removeprefix("t=").encode() + b"." + request.body
    assert route.signing_secret is not None
    assert digest == hmac.new(route.signing_secret.encode(), signed, hashlib.sha256).hexdigest()


def test_the_check_in_the_guide_accepts_ours_and_refuses_others(
    desk: Desk, receiver: Receiver
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "guide"}
    exec(code, names)
    genuine = names["genuine"]
    route = desk.route(receiver.url)
    desk.alert()
    desk.send(route)
    (request,) = receiver.received
    header = request.headers["x-noc-signature"]
    assert genuine(route.signing_secret, header, request.body)
    assert not genuine("another", header, request.body)
    assert not genuine(route.signing_secret, header, request.body + b" ")
    assert not genuine(route.signing_secret, header, request.body, now=time.time() + 600)
    assert not genuine(route.signing_secret, "nonsense", request.body)
    assert not genuine(route.signing_secret, "", request.body)


def test_slack_is_told_a_sentence_that_cannot_be_markup(
    desk: Desk, receiver: Receiver, configure: Configure
) -> None:
    configure(public_url="https://noc.acme.example")
    route = desk.route(f"{receiver.url}/services/T0/B0/secret", channel="slack")
    desk.alert("CRITICAL", message="<!channel> a & b\nsecond line")

    assert desk.send(route) == ["sent"]
    (request,) = receiver.received
    (delivery,) = desk.deliveries(route)
    seen = f"https://noc.acme.example/app/alerts?open=alert:{delivery.payload['alert_id']}"
    assert json.loads(request.body) == {
        "text": f"CRITICAL alert: &lt;!channel&gt; a &amp; b second line <{seen}|Look>"
    }
    assert "x-noc-signature" not in request.headers


def test_a_mail_tells_where_and_when_by_the_sites_clock(
    desk: Desk, make: Make, smtp: str, inbox: Inbox, configure: Configure
) -> None:
    configure(smtp_url=smtp, public_url="https://noc.acme.example")
    site = make.site(name="Harbour Gate", timezone="Asia/Kolkata")
    addresses = ["Chief@acme.example", "deputy@acme.example"]
    route = desk.route(channel="email", addresses=addresses)
    desk.alert("HIGH", site_id=site.id, message="Door\r\nBcc: x@y.example")

    assert desk.send(route) == ["sent"]
    ((recipients, message),) = inbox.taken
    (delivery,) = desk.deliveries(route)
    assert recipients == ["chief@acme.example", "deputy@acme.example"]
    subject = " ".join(str(message["Subject"]).split())
    assert subject == "[Acme Guarding] HIGH alert at Harbour Gate: Door Bcc: x@y.example"
    assert message["Bcc"] is None
    assert message["X-NOC-Delivery"] == str(delivery.id)
    body = str(message.get_payload())
    ago = dt.timedelta(hours=5, minutes=30)
    local = (delivery.created_at + ago).strftime("%Y-%m-%d %H:%M")
    assert "Site: Harbour Gate" in body
    assert f"Time: {local} (Asia/Kolkata)" in body
    seen = f"https://noc.acme.example/app/alerts?open=alert:{delivery.payload['alert_id']}"
    assert seen in body.splitlines()


def test_a_mail_that_is_not_taken_is_tried_again(
    desk: Desk, smtp: str, inbox: Inbox, configure: Configure
) -> None:
    configure(smtp_url=smtp)
    inbox.refuses = True
    route = desk.route(channel="email", addresses=["chief@acme.example"])
    desk.alert()

    assert desk.send(route) == ["again"]
    (delivery,) = desk.deliveries(route)
    assert delivery.last_error == "the mail server did not take it (SMTPDataError)"
    inbox.refuses = False
    assert desk.send(route, after=40) == ["sent"]


def test_whom_the_mail_server_refuses_for_now_is_tried_again_and_nobody_else(
    desk: Desk, smtp: str, inbox: Inbox, configure: Configure
) -> None:
    configure(smtp_url=smtp)
    chief, deputy, desk_mail = (f"{name}@acme.example" for name in ("chief", "deputy", "desk"))
    inbox.refuses_for_now = {deputy, desk_mail}
    route = desk.route(channel="email", addresses=[chief, deputy, desk_mail])
    desk.alert()
    assert desk.send(route) == ["again"]
    (delivery,) = desk.deliveries(route)
    assert delivery.last_error == "the mail server refused 2 of 3, 2 of them for now"
    assert route.held_until is None, "the server works: it keeps nothing else waiting"

    inbox.refuses = True
    inbox.refuses_for_now = set()
    assert desk.send(route, after=40) == ["again"]
    inbox.refuses = False
    routes.change(route.id, {"addresses": [chief, deputy]}, now=utcnow())
    assert desk.send(route, after=150) == ["sent"]
    assert [recipients for recipients, _ in inbox.taken] == [[chief], [deputy]]


def test_who_was_left_and_is_no_longer_on_the_route_is_sent_nothing(
    desk: Desk, smtp: str, inbox: Inbox, configure: Configure
) -> None:
    configure(smtp_url=smtp)
    inbox.refuses_for_now = {"b@acme.example"}
    route = desk.route(channel="email", addresses=["a@acme.example", "b@acme.example"])
    desk.alert()
    assert desk.send(route) == ["again"]
    routes.change(route.id, {"addresses": ["a@acme.example"]}, now=utcnow())
    assert desk.send(route, after=40) == ["sent"]
    assert len(inbox.taken) == 1


def test_without_a_mail_server_mail_is_dead_and_says_why(desk: Desk) -> None:
    route = desk.route(channel="email", addresses=["chief@acme.example"])
    desk.alert()
    assert desk.send(route) == ["dead"]
    assert desk.deliveries(route)[0].last_error == "no SMTP_URL is set"


# -- the demo -------------------------------------------------------------------------------


def test_a_simulated_company_sends_nothing_that_leaves_the_machine(
    desk: Desk, session: Session, receiver: Receiver, smtp: str, inbox: Inbox, configure: Configure
) -> None:
    configure(smtp_url=smtp)
    here = desk.route(receiver.url)
    away = desk.route("http://192.0.2.1/x", channel="slack")
    mail = desk.route(channel="email", addresses=["chief@acme.example"])
    session.execute(update(Tenant).values(simulated={"complete": True}))
    desk.alert()

    assert [desk.send(route) for route in (here, away, mail)] == [["sent"], ["dead"], ["dead"]]
    assert len(receiver.received) == 1
    assert not inbox.taken
    assert desk.deliveries(away)[0].attempts == 1


def test_it_is_counted(desk: Desk, receiver: Receiver) -> None:
    route = desk.route(receiver.url)
    queued = metrics.NOTIFICATIONS_QUEUED.labels("alert_opened")._value
    counted = [metrics.NOTIFICATIONS.labels("webhook", word)._value for word in ("sent", "dead")]
    before = [queued.get(), *(one.get() for one in counted)]
    desk.alert()
    desk.alert()
    receiver.answers = [(200, {}), (410, {})]
    desk.send(route)
    after = [queued.get(), *(one.get() for one in counted)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 1]

"""Routes of a person: made by admins, taken only by what is addressed, sent as any other."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import update

from noc.database.base import utcnow
from noc.identity.models import User
from noc.notifications import deliveries, routes
from noc.notifications.models import NotificationRoute
from tests.conftest import ApiClient
from tests.factories import Make
from tests.notifications.conftest import Configure, Inbox, configure, inbox, smtp
from tests.oncall.conftest import NOW, Room
from tests.problems import assert_problem

__all__ = ["configure", "inbox", "smtp"]

ROUTES = "notifications/routes/"


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def send(room: Room, route: NotificationRoute) -> str | None:
    now = utcnow() + dt.timedelta(seconds=1)
    done = deliveries.send_next(route.id, tenant_id=room.make.tenant_id, now=now)
    room.session.commit()
    return done.outcome if done else None


def own_mail(room: Room) -> NotificationRoute:
    return room.session.query(NotificationRoute).one()


def test_a_person_is_mailed_at_the_address_they_have_when_it_is_sent(
    room: Room, make: Make, inbox: Inbox, smtp: str, configure: Configure
) -> None:
    configure(smtp_url=smtp, public_url="https://noc.example")
    ann = make.user("operator", name="Ann", email="old@acme.example")
    site = make.site(name="Harbour Gate")
    room.policy({"after_minutes": 0, "users": [ann.id]})
    alert = room.alert("HIGH", site_id=site.id)
    assert room.work(0) == ["told"]
    ann.email = "new@acme.example"
    room.session.commit()
    assert send(room, own_mail(room)) == "sent"
    ((recipients, mail),) = inbox.taken
    assert recipients == ["new@acme.example"]
    text = str(mail.get_payload(decode=True), "utf-8")
    assert "HIGH alert waits for an answer at Harbour Gate, step 1: Door forced" in text
    assert f"https://noc.example/app/alerts?open=alert:{alert}" in text.splitlines()


def test_whoever_is_disabled_meanwhile_is_sent_nothing(
    room: Room, make: Make, inbox: Inbox, smtp: str, configure: Configure
) -> None:
    configure(smtp_url=smtp)
    ann = make.user("operator").id
    room.policy({"after_minutes": 0, "users": [ann]})
    room.alert()
    room.work(0)
    room.session.execute(update(User).where(User.id == ann).values(active=False))
    assert send(room, own_mail(room)) == "dead"
    assert inbox.taken == []


def test_a_personal_route_is_made_and_listed(api: ApiClient, make: Make) -> None:
    ann = make.user("operator").id
    body = {"name": "Phone", "user_id": ann, "channel": "webhook", "url": "https://p.example/x"}
    made = data(api.post(ROUTES, json=body), 201)
    assert (made["user_id"], "signing_secret" in made) == (ann, True)
    data(api.post(ROUTES, json=body), 201)
    mail = {"name": "Mail", "user_id": ann, "channel": "email"}
    data(api.post(ROUTES, json=mail), 201)
    assert_problem(api.post(ROUTES, json=mail), 422, addresses="their own address already")
    assert len(data(api.get(f"{ROUTES}?user_id={ann}"))) == 3
    common = {"name": "Phone", "channel": "slack", "url": "https://p.example/x"}
    assert data(api.post(ROUTES, json=common), 201)["user_id"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": 987654321}, "user_id"),
        ({"site_ids": None}, "site_ids"),
        ({"kinds": ["alert_opened"]}, "kinds"),
        ({"min_severity": "HIGH"}, "min_severity"),
    ],
)
def test_a_personal_route_chooses_nothing(
    api: ApiClient, make: Make, change: dict[str, Any], field: str
) -> None:
    if field == "site_ids":
        change = {"site_ids": [make.site().id]}
    body = {"name": "Mail", "user_id": make.user("operator").id, "channel": "email"}
    assert_problem(api.post(ROUTES, json=body | change), 422, **{field: ""})
    if field != "user_id":
        key = data(api.post(ROUTES, json=body), 201)["id"]
        assert_problem(api.put(f"{ROUTES}{key}/", json=change), 422, **{field: ""})


def test_a_personal_route_is_nobody_elses_step(api: ApiClient, make: Make) -> None:
    ann = make.user("operator").id
    route = routes.create({"name": "Mail", "user_id": ann, "channel": "email"}, now=NOW)
    body = {
        "name": "P",
        "position": 1,
        "min_severity": "HIGH",
        "steps": [{"after_minutes": 0, "routes": [route.id]}],
    }
    response = api.post("on-call/policies/", json=body)
    assert_problem(response, 422, **{"steps.0.routes": "nobody's own"})

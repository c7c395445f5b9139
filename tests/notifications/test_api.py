"""Routes and deliveries over REST: who may, what is shown, what is refused."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from noc.database.tenancy import tenant_context
from noc.extensions import queue
from noc.identity import tenants, tokens
from noc.identity.capabilities import INGEST, OPERATE, VIEW
from noc.monitoring.logs import mask_secrets
from noc.notifications.models import NotificationRoute
from tests.conftest import ApiClient
from tests.factories import Make
from tests.notifications.conftest import Desk, Receiver
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

URL = "https://hooks.acme.example/in/geheim?key=geheim"
HOOK: dict[str, Any] = {"name": "Night desk", "channel": "webhook", "url": URL}
ROUTES = "notifications/routes/"
DELIVERIES = "notifications/deliveries/"


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def delete(client: FlaskClient, api: ApiClient, path: str) -> Any:
    return client.delete(f"/api/v2/noc/{path}", headers=api.headers)


def test_a_route_is_made_shown_changed_and_deleted(
    api: ApiClient, client: FlaskClient, make: Make
) -> None:
    site_id = make.site().id
    made = data(
        api.post(
            ROUTES,
            json=HOOK | {"site_ids": [site_id], "min_severity": "HIGH", "kinds": ["alert_opened"]},
        ),
        201,
    )
    path = f"{ROUTES}{made['id']}/"
    shown = {name: value for name, value in made.items() if name != "signing_secret"}
    assert data(api.get(path)) == shown
    assert data(api.get(ROUTES)) == [shown]
    assert shown["url"] == "https://hooks.acme.example/***"
    assert (shown["site_ids"], shown["kinds"]) == ([site_id], ["alert_opened"])

    changed = data(api.put(path, json={"active": False, "site_ids": []}))
    assert changed == shown | {
        "active": False, "site_ids": [], "updated_at": changed["updated_at"],
    }  # fmt: skip
    assert data(api.get(f"{ROUTES}?active=true")) == []
    assert data(api.get(f"{ROUTES}?channel=webhook&active=false")) == [changed]
    assert data(api.get(f"{ROUTES}?search=night&active=false")) == [changed]
    assert data(api.get(f"{ROUTES}?search=day")) == []
    assert_problem(api.get(f"{ROUTES}?search="), 422, search="")

    assert data(delete(client, api, path)) == {"id": made["id"], "deleted": True}
    assert_problem(api.get(path), 404)
    assert_problem(delete(client, api, path), 404)


def test_a_secret_is_told_once_and_nowhere_else(
    api: ApiClient,
    client: FlaskClient,
    desk: Desk,
    receiver: Receiver,
    session: Session,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = data(api.post(ROUTES, json=HOOK), 201)
        path, secret = f"{ROUTES}{made['id']}/", made["signing_secret"]
        renewed = data(api.post(f"{path}secret/"))["signing_secret"]
        route = session.get_one(NotificationRoute, (desk.make.tenant_id, made["id"]))
        desk.alert()
        desk.send(route)
        answers = [
            api.get(path), api.get(ROUTES), api.put(path, json={"name": "Day desk"}),
            api.post(f"{path}test/"), api.get(DELIVERIES), api.post(f"{path}replay/"),
            api.get(f"{DELIVERIES}{desk.deliveries(route)[0].id}/"),
            api.put(path, json={"url": "ftp://geheim"}), delete(client, api, path),
        ]  # fmt: skip
    assert secret != renewed
    assert len(secret) >= 43
    for told in (*(one.text for one in answers), caplog.text):
        assert secret not in told
        assert renewed not in told
        assert "geheim" not in told
    assert secret not in str(mask_secrets(None, "", {"error": f"what {secret} said"}))


def test_only_a_webhook_is_signed(api: ApiClient) -> None:
    slack = data(api.post(ROUTES, json=HOOK | {"channel": "slack"}), 201)
    mail = {"name": "Mail", "channel": "email", "addresses": ["A@acme.example", "a@acme.example"]}
    mailed = data(api.post(ROUTES, json=mail), 201)
    assert "signing_secret" not in slack | mailed
    assert mailed["addresses"] == ["a@acme.example"]
    refused = api.post(f"{ROUTES}{slack['id']}/secret/")
    assert_problem(refused, 422, channel="webhook")


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"url": None}, "url", "is needed"),
        ({"url": "ftp://x/"}, "url", "must begin with"),
        ({"addresses": ["a@acme.example"]}, "addresses", "is not for"),
        ({"channel": "email"}, "addresses", "is needed"),
        ({"channel": "pager"}, "channel", "Input should be"),
        ({"channel": "email", "url": None, "addresses": ["nobody"]}, "addresses", "not an e-mail"),
        (
            {"channel": "email", "url": None, "addresses": ["a,b@acme.example"]},
            "addresses",
            "not one e-mail",
        ),
        ({"site_ids": [10**12]}, "site_ids", "there is no site"),
        ({"kinds": ["gossip"]}, "kinds.0", "Input should be"),
        ({"min_severity": "GRAVE"}, "min_severity", "Input should be"),
        ({"name": " "}, "name", "blank"),
        ({"active": "yes"}, "active", "boolean"),
        ({"signing_secret": "mine"}, "signing_secret", "Extra"),
    ],
)
def test_what_cannot_be_a_route_is_refused_with_its_field(
    api: ApiClient, change: dict[str, Any], field: str, reason: str
) -> None:
    assert_problem(api.post(ROUTES, json=HOOK | change), 422, **{field: reason})
    assert data(api.get(ROUTES)) == []


def test_a_change_is_held_to_the_same(api: ApiClient) -> None:
    made = data(api.post(ROUTES, json=HOOK), 201)
    other = data(api.post(ROUTES, json=HOOK | {"name": "Other"}), 201)
    path = f"{ROUTES}{made['id']}/"
    for change, field in (
        ({"name": "Other"}, "name"), ({"name": None}, "name"), ({"url": ""}, "url"),
        ({"url": None}, "url"), ({"addresses": ["a@acme.example"]}, "addresses"),
        ({"site_ids": [10**12]}, "site_ids"), ({"channel": "slack"}, "channel"),
    ):  # fmt: skip
        assert_problem(api.put(path, json=change), 422, **{field: ""})
    assert_problem(api.post(ROUTES, json=HOOK), 422, name="another route has this name")
    assert data(api.put(path, json={})) | {"updated_at": ""} == {
        name: value for name, value in made.items() if name != "signing_secret"
    } | {"updated_at": ""}
    assert other["id"] != made["id"]


@pytest.mark.usefixtures("reachable")
def test_a_route_can_be_tried_before_it_is_active(
    api: ApiClient, desk: Desk, receiver: Receiver, session: Session
) -> None:
    made = data(api.post(ROUTES, json=HOOK | {"url": receiver.url, "active": False}), 201)
    route = session.get_one(NotificationRoute, (desk.make.tenant_id, made["id"]))
    desk.alert()
    delivery_id = data(api.post(f"{ROUTES}{route.id}/test/"), 202)["delivery_id"]
    assert [job.args for job in queue("reports").jobs] == [[desk.make.tenant_id]]

    assert desk.send(route) == ["sent"]
    (request,) = receiver.received
    body = json.loads(request.body)
    assert (body["test"], body["kind"], body["event"]["type"]) == (True, "test", "test")
    assert body["text"] == "Test message of the route Night desk: nothing has happened"
    delivery = data(api.get(f"{DELIVERIES}{delivery_id}/"))
    assert (delivery["state"], delivery["kind"]) == ("sent", "test")


@pytest.mark.usefixtures("reachable")
def test_dead_letters_are_listed_and_sent_anew(
    api: ApiClient, desk: Desk, receiver: Receiver
) -> None:
    route, other = desk.route(receiver.url), desk.route(receiver.url, min_severity="CRITICAL")
    for _ in range(3):
        desk.alert()
    receiver.answers = [(410, {}), (410, {})]
    assert desk.send(route) == ["dead", "dead", "sent"]

    dead = data(api.get(f"{DELIVERIES}?state=dead"))
    assert [one["last_error"] for one in dead] == ["answered 410"] * 2
    assert {one["next_attempt_at"] for one in dead} == {None}
    assert data(api.get(f"{DELIVERIES}?route_id={other.id}")) == []
    named = {"state": "dead", "search": route.name[1:].upper()}
    assert data(api.get(DELIVERIES, query_string=named)) == dead
    assert data(api.get(DELIVERIES, query_string={"search": "_%"})) == []

    first = api.get(f"{DELIVERIES}?state=dead&limit=1").get_json()
    second = api.get(
        DELIVERIES,
        query_string={"state": "dead", "cursor": first["pagination"]["next_cursor"]},
    ).get_json()
    assert first["data"] + second["data"] == dead
    assert second["pagination"]["next_cursor"] is None

    path = f"{DELIVERIES}{dead[0]['id']}/replay/"
    assert data(api.post(path), 202)["state"] == "pending"
    assert_problem(api.post(path), 409)
    assert desk.send(route) == ["sent"]
    assert_problem(api.post(path), 409)
    assert data(api.post(f"{ROUTES}{route.id}/replay/"), 202) == {"replayed": 1}
    assert desk.send(route) == ["sent"]
    assert data(api.get(f"{DELIVERIES}?state=dead")) == []


def everything(route_id: int, delivery_id: uuid.UUID) -> list[tuple[str, str, Any]]:
    return [
        ("get", ROUTES, None),
        ("post", ROUTES, HOOK),
        ("get", f"{ROUTES}{route_id}/", None),
        ("put", f"{ROUTES}{route_id}/", {"active": False}),
        ("delete", f"{ROUTES}{route_id}/", None),
        ("post", f"{ROUTES}{route_id}/secret/", {}),
        ("post", f"{ROUTES}{route_id}/test/", {}),
        ("post", f"{ROUTES}{route_id}/replay/", {}),
        ("get", DELIVERIES, None),
        ("get", f"{DELIVERIES}{delivery_id}/", None),
        ("post", f"{DELIVERIES}{delivery_id}/replay/", {}),
    ]


def test_only_admins_of_the_whole_tenant_may(
    app: APIFlask, client: FlaskClient, make: Make, desk: Desk
) -> None:
    route = desk.route(URL)
    desk.alert()
    delivery_id = desk.deliveries(route)[0].id
    limited = UserClient(app, make, limit_to(make, make.user("admin"), make.site().id))
    manager = UserClient(app, make, make.user("security_manager"))
    _, secret = tokens.create(make.tenant_id, "monitor", {VIEW, OPERATE, INGEST})
    for user in (limited._client, manager._client, client):
        headers = {"Authorization": f"Bearer {secret}"} if user is client else {}
        for method, path, body in everything(route.id, delivery_id):
            response = user.open(
                f"/api/v2/noc/{path}",
                method=method,
                json=body,
                headers={"X-CSRFToken": "csrf-of-the-test", **headers},
            )
            assert_problem(response, 403)
            assert "Night desk" not in response.text
    assert len(desk.deliveries(route)) == 1


def test_another_tenants_routes_and_deliveries_do_not_exist(
    api: ApiClient, client: FlaskClient, make: Make, session: Session
) -> None:
    rival = tenants.create_tenant("rival", "Rival Guarding")
    with tenant_context(session, rival.id):
        theirs = Desk(Make(session, rival.id), session)
        route = theirs.route(URL)
        theirs.alert()
        route_id, delivery_id = route.id, theirs.deliveries(route)[0].id
    for method, path, body in everything(route_id, delivery_id):
        if path.strip("/").rpartition("/")[2] in ("routes", "deliveries"):
            continue
        response = client.open(f"/api/v2/noc/{path}", method=method, json=body, headers=api.headers)
        assert_problem(response, 404)
    assert data(api.get(ROUTES)) == data(api.get(DELIVERIES)) == []
    with tenant_context(session, rival.id):
        assert session.scalar(text("SELECT count(*) FROM notification_delivery")) == 1

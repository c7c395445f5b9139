"""The application with its pages, and people who read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from dashboards import mount
from noc import create_app
from noc.database import tenancy
from noc.extensions import db
from noc.identity import tenants
from noc.identity.models import User
from noc.settings import Settings
from tests.conftest import SeparateClient
from tests.factories import Make
from tests.signed_in import CSRF, UserClient


@pytest.fixture(scope="session")
def app(config: Settings) -> Iterator[APIFlask]:
    """The application with the dashboards on top, as ``wsgi`` composes it."""
    app = create_app(config)
    app.config["TESTING"] = True
    app.test_client_class = SeparateClient
    mount(app)
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


class Answer:
    """What a callback answered; ``text`` is what it shows, without JSON's escapes."""

    def __init__(self, response: Any) -> None:
        self.status_code: int = response.status_code
        self.content_type: str = response.content_type
        self.json: Any = response.json if response.data else None
        self.text = json.dumps(self.json, ensure_ascii=False, separators=(",", ":"))


class Reader(UserClient):
    """Somebody signed in who looks at pages and presses buttons."""

    def __init__(self, app: APIFlask, make: Make, user: User) -> None:
        super().__init__(app, make, user)
        self.http = self._client

    def dependencies(self) -> list[dict[str, Any]]:
        """Every callback, as the browser is told."""
        return list(self.http.get("/app/_dash-dependencies").json)

    def layout(self) -> str:
        """The frame's layout as text."""
        return str(self.http.get("/app/_dash-layout").text)

    def post(self, path: str, **kwargs: Any) -> Any:
        """POST below ``/app/`` as the pages' scripts do."""
        headers = {"X-CSRFToken": CSRF} | kwargs.pop("headers", {})
        return self.http.post(f"/app/{path}", headers=headers, **kwargs)

    def call(self, output: str, changed: str, **kwargs: Any) -> Any:
        """What the callback answers whose outputs begin with ``output`` when ``changed`` changes.

        ``values`` by ``component.property``; a pattern's values by its type, as a list of
        (id, value).
        """
        body = self.request(output, changed, **kwargs)
        return Answer(self.post("_dash-update-component", json=body))

    def request(
        self, output: str, changed: str, values: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The body that the browser would send."""
        (found,) = [
            one
            for one in self.dependencies()
            if _first(one["output"]).startswith(output)
            and any(
                f"{item['id']}.{item['property']}" == changed or changed in item["id"]
                for item in one["inputs"]
            )
        ]
        values = values or {}
        return {
            "output": found["output"],
            "outputs": _outputs(found["output"]),
            "inputs": [_filled(item, values) for item in found["inputs"]],
            "state": [_filled(item, values) for item in found.get("state", [])],
            "changedPropIds": [_changed(changed, values)],
        }


def _first(output: str) -> str:
    return output.strip(".").split("...")[0]


def _outputs(output: str) -> Any:
    def one(text: str) -> dict[str, str]:
        name, _, prop = text.rpartition(".")
        return {"id": name, "property": prop}

    if output.startswith(".."):
        return [one(text) for text in output[2:-2].split("...")]
    return one(output)


def _filled(item: dict[str, Any], values: dict[str, Any]) -> Any:
    if not item["id"].startswith("{"):
        key = f"{item['id']}.{item['property']}"
        return {"id": item["id"], "property": item["property"], "value": values.get(key)}
    kind = json.loads(item["id"])["type"]
    return [
        {"id": key, "property": item["property"], "value": key if item["property"] == "id" else v}
        for key, v in values.get(kind, [])
    ]


def _changed(changed: str, values: dict[str, Any]) -> str:
    if "." in changed:
        return changed
    key, _ = values[changed][0]
    return json.dumps(key, sort_keys=True, separators=(",", ":")) + ".n_clicks"


@pytest.fixture
def reader(app: APIFlask, make: Make) -> Reader:
    """A security manager of ``acme``."""
    return Reader(app, make, make.user("security_manager", name="Maya Fernandes"))


@pytest.fixture
def viewer(app: APIFlask, make: Make) -> Reader:
    """A viewer of ``acme``: sees the feed, neither scores nor buttons."""
    return Reader(app, make, make.user("viewer", name="Vera Lind"))


@pytest.fixture
def me(make: Make) -> User:
    """An admin of ``acme``."""
    return make.user("admin", name="Ada Lovelace")


@pytest.fixture
def admin(app: APIFlask, make: Make, me: User) -> Reader:
    """The admin, signed in."""
    return Reader(app, make, me)


@pytest.fixture
def foreign(session: Session, make: Make) -> Make:
    """Makes rows of another company."""
    other = tenants.create_tenant("other", "Other Ltd")
    tenancy.name_tenant(session, other.id)
    return Make(session, other.id)

"""A user's browser, signed in."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any

from apiflask import APIFlask

from noc.identity.models import User, UserSession, UserSite
from tests.factories import Make

CSRF = "csrf-of-the-test"


class UserClient:
    """Calls below ``/api/v2/noc/`` with a user's session, as the pages' scripts make them."""

    def __init__(self, app: APIFlask, make: Make, user: User) -> None:
        secret = secrets.token_urlsafe(16)
        make.row(
            UserSession,
            {
                "secret_hash": hashlib.sha256(secret.encode()).digest(),
                "user_id": user.id,
                "expires_at": dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
            },
        )
        self._client = app.test_client()
        with self._client.session_transaction() as cookie:
            cookie.update(tenant=make.tenant_id, secret=secret, csrf=CSRF)
        self._client.set_cookie("noc_csrf", CSRF)

    def get(self, path: str, **kwargs: Any) -> Any:
        """GET below the API's prefix."""
        return self._client.get(f"/api/v2/noc/{path}", **kwargs)

    def post(self, path: str, **kwargs: Any) -> Any:
        """POST below the API's prefix."""
        headers = {"X-CSRFToken": CSRF, **kwargs.pop("headers", {})}
        return self._client.post(f"/api/v2/noc/{path}", headers=headers, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Any:
        """PUT below the API's prefix."""
        return self._client.put(f"/api/v2/noc/{path}", headers={"X-CSRFToken": CSRF}, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Any:
        """DELETE below the API's prefix."""
        return self._client.delete(f"/api/v2/noc/{path}", headers={"X-CSRFToken": CSRF}, **kwargs)


def limit_to(make: Make, user: User, *site_ids: int) -> User:
    """The user, who from now on sees these sites alone."""
    for site_id in site_ids:
        make.row(UserSite, {"user_id": user.id, "site_id": site_id})
    return user

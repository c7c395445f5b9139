"""People who sign in."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from noc.identity.models import User
from noc.identity.users import create_user
from tests.factories import Make

PASSWORD = "correct horse battery"


@pytest.fixture
def operator(make: Make) -> User:
    """Olga, an operator who can sign in."""
    return create_user(make.tenant_id, "olga@acme.example", "Olga", "operator", PASSWORD)


def sign_in(
    client: FlaskClient, email: str = "olga@acme.example", password: str = PASSWORD, **more: str
) -> Any:
    """Send the sign-in form."""
    return client.post("/login", data={"email": email, "password": password, **more})


def csrf(client: FlaskClient) -> dict[str, str]:
    """The header that a page's script sends along."""
    kept = client.get_cookie("noc_csrf")
    return {"X-CSRFToken": kept.value if kept else ""}

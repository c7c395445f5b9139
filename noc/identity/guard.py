"""The one guard of REST, feed and dashboards: who is it, which tenant, may they."""

from __future__ import annotations

import functools
import hmac
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask, g, redirect, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from noc.database.tenancy import current_tenant, name_tenant
from noc.extensions import session
from noc.identity import sessions, tokens
from noc.identity.capabilities import VIEW
from noc.identity.principal import Principal, current_principal, required_principal
from noc.rest.problems import Problem

P = ParamSpec("P")
R = TypeVar("R")

CSRF_COOKIE = "noc_csrf"
CSRF_HEADER = "X-CSRFToken"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_GUARDED = ("/api/v2/", "/app/", "/ws/")


def init_app(app: Flask) -> None:
    """Authenticate each request below the guarded paths, before any view, Dash's included."""
    app.before_request(_guard)
    app.teardown_request(_forget_tenant)
    app.after_request(_give_csrf_cookie)


def require(capability: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view run only for a principal that holds ``capability``: else 401 or 403."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            check(capability)
            return view(*args, **kwargs)

        return guarded

    return decorate


def check(capability: str) -> Principal:
    """The principal, if it holds ``capability``; 401 or 403 otherwise."""
    principal = required_principal()
    if not principal.may(capability):
        raise Problem(403, f"This needs the capability {capability}.", capability=capability)
    return principal


def _guard() -> Response | None:
    g.tenant_before = current_tenant()
    g.pop("principal", None)
    name_tenant(session(), None)
    path = request.path if request.path.endswith("/") else f"{request.path}/"
    if not path.startswith(_GUARDED):
        return None
    principal = _authenticate()
    if principal is not None:
        g.principal = principal
        name_tenant(session(), principal.tenant_id)
    if path.startswith("/app/"):
        return _guard_dashboards()
    return None


def _authenticate() -> Principal | None:
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, secret = header.partition(" ")
        principal = tokens.find(secret.strip()) if scheme.lower() == "bearer" else None
        if principal is None:
            raise Problem(
                401,
                "The token is unknown, expired or revoked.",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        return principal
    principal = sessions.find(cookie)
    if principal is not None and request.method not in _SAFE and not _csrf_ok():
        raise Problem(403, f"A signed-in session must send the header {CSRF_HEADER}.")
    return principal


def _guard_dashboards() -> Response | None:
    principal = current_principal()
    if principal is None:
        # A page leads to the sign-in; a call of the page's script is told, and the script leads.
        if request.method == "GET" and "/_" not in request.path:
            return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?")))
        required_principal()
    check(VIEW)
    return None


def _csrf_ok() -> bool:
    sent, kept = request.headers.get(CSRF_HEADER, ""), request.cookies.get(CSRF_COOKIE, "")
    expected = str(cookie.get("csrf", ""))
    return bool(expected) and all(
        hmac.compare_digest(value.encode(), expected.encode()) for value in (sent, kept)
    )


def new_csrf() -> str:
    """A token that ties state-changing requests to the sign-in."""
    return secrets.token_urlsafe(24)


def _give_csrf_cookie(response: Response) -> Response:
    """Give the page's script the token it must send back; the session cookie stays HttpOnly."""
    token = cookie.get("csrf")
    if token and request.cookies.get(CSRF_COOKIE) != token:
        response.set_cookie(
            CSRF_COOKIE,
            str(token),
            secure=request.is_secure,
            httponly=False,
            samesite="Lax",
        )
    return response


def _forget_tenant(_: BaseException | None) -> None:
    name_tenant(session(), g.pop("tenant_before", None))

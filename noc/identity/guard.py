"""The one guard of REST, feed and dashboards: who is it, which tenant, may they."""

from __future__ import annotations

import functools
import hmac
import re
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from flask import Flask, current_app, g, redirect, request, url_for
from flask import session as cookie
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from werkzeug.wrappers import Response

from noc.database.tenancy import current_tenant, name_tenant
from noc.extensions import session
from noc.identity import sessions, tokens
from noc.identity.capabilities import VIEW
from noc.identity.principal import Principal, current_principal, required_principal
from noc.rest.problems import Problem

log = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

CSRF_COOKIE = "noc_csrf"
CSRF_HEADER = "X-CSRFToken"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_GUARDED = ("/api/v2/", "/app/", "/ws/")

_FOR_ANYBODY = re.compile("/assets-public/|/app/_dash-component-suites/[^/]+/[^/]")
"""Style and script without data, which the sign-in page has fetched ahead.

They are answered without a look at the session: a browser keeps them, whoever signs in or out. What
names no file of a library is a page to Dash, and guarded as one.
"""


class _Cookies(SecureCookieSessionInterface):
    """Flask's sessions, which no file for anybody renews: it may be kept for a year, by proxies
    too, and would vary by a cookie that is another one each second."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        return not _for_anybody() and super().should_set_cookie(app, session)


def init_app(app: Flask) -> None:
    """Authenticate each request below the guarded paths, before any view, Dash's included."""
    app.session_interface = _Cookies()
    app.before_request(_guard)
    app.teardown_request(_forget_tenant)
    app.after_request(_give_csrf_cookie)


def require(capability: str, *alternatives: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view run only for a principal that holds one of the capabilities: else 401 or 403.

    The API's description reads them off the view.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            check(capability, *alternatives)
            return view(*args, **kwargs)

        guarded.noc_capabilities = (capability, *alternatives)  # type: ignore[attr-defined]
        return guarded

    return decorate


def check(capability: str, *alternatives: str) -> Principal:
    """The principal, if it holds one of the capabilities; 401 or 403 otherwise."""
    principal = required_principal()
    if not any(principal.may(held) for held in (capability, *alternatives)):
        wanted = " or ".join((capability, *alternatives))
        raise Problem(403, f"This needs the capability {wanted}.", capability=capability)
    return principal


def check_whole_tenant() -> Principal:
    """The principal, if no limit to some sites is set on it: 403 otherwise.

    What concerns the whole tenant is not theirs who may see a part of it: a token or a user
    they made would see the rest for them.
    """
    principal = required_principal()
    if principal.site_ids is not None:
        raise Problem(403, "This concerns the whole tenant; this user is limited to some sites.")
    return principal


def _guard() -> Response | None:
    g.tenant_before = current_tenant()
    g.pop("principal", None)
    name_tenant(session(), None)
    path = request.path if request.path.endswith("/") else f"{request.path}/"
    if not path.startswith(_GUARDED) or _for_anybody():
        return None
    principal = _authenticate()
    if principal is not None:
        g.principal = principal
        name_tenant(session(), principal.tenant_id)
    if path.startswith("/app/"):
        return _guard_dashboards()
    return None


def _for_anybody() -> bool:
    return _FOR_ANYBODY.match(request.path) is not None


def _authenticate() -> Principal | None:
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, secret = header.partition(" ")
        principal = tokens.find(secret.strip()) if scheme.lower() == "bearer" else None
        if principal is None:
            log.warning("token_refused", remote=request.remote_addr)
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
    """Whether the request carries the token that only a page of ours can know."""
    sent, expected = request.headers.get(CSRF_HEADER, ""), str(cookie.get("csrf", ""))
    return bool(expected) and hmac.compare_digest(sent.encode(), expected.encode())


def new_csrf() -> str:
    """A token that ties state-changing requests to the sign-in."""
    return secrets.token_urlsafe(24)


def _give_csrf_cookie(response: Response) -> Response:
    """Give the page's script the token it must send back; the session cookie stays HttpOnly."""
    if _for_anybody():
        return response
    token, kept = cookie.get("csrf"), request.cookies.get(CSRF_COOKIE)
    if token and kept != token:
        response.set_cookie(
            CSRF_COOKIE,
            str(token),
            secure=current_app.config["SESSION_COOKIE_SECURE"] or request.is_secure,
            httponly=False,
            samesite="Lax",
        )
    elif kept and not token:
        response.delete_cookie(CSRF_COOKIE)
    return response


def _forget_tenant(_: BaseException | None) -> None:
    """End what the view left open; name again whom the context worked for before."""
    if "tenant_before" in g:
        session().rollback()
        name_tenant(session(), g.pop("tenant_before"))

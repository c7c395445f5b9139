"""The sign-in page and its form, and signing out."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from apiflask import APIBlueprint
from flask import g, redirect, render_template, request
from flask import session as cookie
from werkzeug.wrappers import Response

from noc.extensions import limiter
from noc.identity import sessions

log = structlog.get_logger(__name__)

bp = APIBlueprint("sign_in", __name__, enable_openapi=False, template_folder="templates")

HOME = "/app/"


@bp.get("/")
def home() -> Response:
    """The product begins at the live feed."""
    return redirect(HOME)


@bp.get("/login")
def form() -> str | Response:
    """The form; who is signed in already goes on to where they wanted."""
    if sessions.find(cookie) is not None:
        return redirect(_next())
    return _page()


@bp.post("/login")
@limiter.limit("10 per minute; 100 per hour")
def submit() -> Response | tuple[str, int]:
    """Sign in and go on; a wrong address and a wrong password answer alike."""
    email = request.form.get("email", "")
    principal = sessions.sign_in(cookie, email, request.form.get("password", ""))
    if principal is None:
        log.warning("sign_in_refused", remote=request.remote_addr)
        return _page(email=email, error="This address and password do not go together."), 401
    cookie.permanent = True
    g.principal = principal
    log.info("signed_in", tenant_id=principal.tenant_id, user_id=principal.user_id)
    return redirect(_next(), code=303)


@bp.post("/logout")
def sign_out() -> Response:
    """End the sign-in, here and in the database. The cookie's SameSite keeps strangers out."""
    sessions.sign_out(cookie)
    return redirect("/login", code=303)


def _page(email: str = "", error: str = "") -> str:
    return render_template("login.html", email=email, error=error, next=_next())


def _next() -> str:
    """Where to go afterwards: a path of our own, never another host."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if safe and not parts.netloc and not parts.scheme else HOME

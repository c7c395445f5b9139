"""The sign-in page and its form, and signing out."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from apiflask import APIBlueprint
from flask import Response, g, make_response, redirect, render_template, request
from flask import session as cookie
from flask.sansio.blueprints import BlueprintSetupState
from flask_limiter import RequestLimit
from werkzeug.wrappers import Response as BaseResponse

from noc.extensions import limiter, settings
from noc.identity import links, sessions
from noc.identity.principal import Principal
from noc.monitoring import metrics
from noc.rest.problems import Problem

log = structlog.get_logger(__name__)

bp = APIBlueprint("sign_in", __name__, enable_openapi=False, template_folder="templates")

HOME = "/app/"

PER_ADDRESS = "10 per minute; 100 per hour"
"""Refused sign-ins from one network address."""

PER_USER = "20 per 15 minutes"
"""Refused sign-ins as one user, from wherever they come."""


@bp.record_once
def _without_pages(state: BlueprintSetupState) -> None:
    """The form is there without the pages too, which tell by their own where its look is found."""
    state.app.jinja_env.globals.update(public_file="/assets-public/{}".format, fetch_ahead={})


def _refused(response: Response) -> bool:
    """Only what was refused counts: an office behind one address may sign in in the morning."""
    return response.status_code == 401


def _named_user() -> str:
    return request.form.get("email", "").strip().lower()[:254]


def _too_many(limit: RequestLimit) -> Response:
    metrics.RATE_LIMITED.labels("sign_in").inc()
    log.warning("sign_in_limited", remote=request.remote_addr)
    error = "Too many attempts. Wait a few minutes, then try again."
    return make_response(_page(email=request.form.get("email", ""), error=error), 429)


@bp.get("/")
def home() -> BaseResponse:
    """The product begins at the live feed."""
    return redirect(HOME)


@bp.get("/login")
def form() -> str | BaseResponse:
    """The form; who is signed in already, or brings a one-time link, goes on."""
    if link := request.args.get("link"):
        return _by_link(link)
    if sessions.find(cookie) is not None:
        return redirect(_next())
    return _page()


@bp.post("/login")
@limiter.limit(PER_ADDRESS, deduct_when=_refused, on_breach=_too_many)
@limiter.limit(PER_USER, key_func=_named_user, deduct_when=_refused, on_breach=_too_many)
def submit() -> BaseResponse | tuple[str, int]:
    """Sign in and go on; a wrong address and a wrong password answer alike."""
    _refuse_strangers()
    email = request.form.get("email", "")
    principal = sessions.sign_in(cookie, email, request.form.get("password", ""))
    if principal is None:
        log.warning("sign_in_refused", remote=request.remote_addr)
        return _page(email=email, error="This address and password do not go together."), 401
    return _welcome(principal)


@bp.post("/logout")
def sign_out() -> BaseResponse:
    """End the sign-in, here and in the database."""
    _refuse_strangers()
    sessions.sign_out(cookie)
    return redirect("/login", code=303)


def _by_link(link: str) -> BaseResponse:
    principal = links.redeem(cookie, link)
    if principal is None:
        log.warning("sign_in_link_refused", remote=request.remote_addr)
        error = "This link was used already or is too old. Sign in, or ask for another."
        return make_response(_page(error=error), 401)
    return _welcome(principal)


def _welcome(principal: Principal) -> BaseResponse:
    cookie.permanent = True
    g.principal = principal
    log.info("signed_in", tenant_id=principal.tenant_id, user_id=principal.user_id)
    return redirect(_next(), code=303)


def _refuse_strangers() -> None:
    """403 for a form that another site's page sent: it could sign somebody in as its author.

    Browsers say where a form comes from (``Sec-Fetch-Site``, before that ``Origin``); a program
    that says neither has no sign-in of somebody else's to abuse.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        known = site in ("same-origin", "none")
    else:
        own = (request.host_url.rstrip("/"), *settings().allowed_origins)
        known = origin is None or origin in own
    if not known:
        raise Problem(403, "The form was sent from another site.")


def _page(email: str = "", error: str = "") -> str:
    return render_template("login.html", email=email, error=error, next=_next())


def _next() -> str:
    """Where to go afterwards: a path of our own, never another host."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    # Browsers drop control characters and read a backslash as a slash.
    plain = wanted.isprintable() and "\\" not in wanted and " " not in wanted
    own = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if plain and own and not parts.netloc and not parts.scheme else HOME

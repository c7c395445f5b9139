"""Builds the application from its parts. Each part binds itself; nothing else happens here."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

import noc.models  # noqa: F401  (every table is known before the first mapper is configured)
from noc import extensions, wiring
from noc.identity import guard
from noc.monitoring import logs, requests
from noc.rest import encoding, errors, headers, openapi, routing
from noc.settings import Settings, load_settings

MIGRATIONS = Path(__file__).parent.parent / "migrations"

BLUEPRINTS = (
    "noc.monitoring.health",
    "noc.rest.api_docs",
    "noc.identity.sign_in",
    "noc.identity.api",
    "noc.identity.trail_api",
    "noc.workforce.api",
    "noc.attendance.api",
    "noc.telemetry.api",
    "noc.events.api",
    "noc.events.feed",
    "noc.alerts.api",
    "noc.alerts.suppression.api",
    "noc.integrations.api",
    "noc.tickets.api",
    "noc.fraud.api",
    "noc.fraud.review.api",
    "noc.fraud.retraining.api",
    "noc.fraud.watching.api",
    "noc.runs.api",
    "noc.incidents.api",
    "noc.audit.api",
    "noc.notifications.api",
    "noc.oncall.api",
)
"""Modules whose ``bp`` is registered."""


def build(config: Settings | None = None) -> APIFlask:
    """Compose the application: see :func:`noc.create_app`."""
    config = config or load_settings()
    app = APIFlask("noc", spec_path=None, docs_path=None)
    app.config.update(_flask_config(config))
    logs.init_app(app, config)
    errors.init_app(app)
    encoding.init_app(app)
    extensions.init_app(app, config)
    requests.init_app(app)
    headers.init_app(app)
    routing.init_app(app)
    guard.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).bp)
    openapi.init_app(app)
    wiring.connect()
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    return app


def _flask_config(config: Settings) -> dict[str, Any]:
    return {
        "NOC_SETTINGS": config,
        "NOC_MIGRATIONS": str(MIGRATIONS),
        "SECRET_KEY": config.secret_key or None,
        "SQLALCHEMY_DATABASE_URI": config.database_url or "postgresql+psycopg:///noc",
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": config.database_pool_size,
            "max_overflow": config.database_pool_size,
            "pool_pre_ping": True,
            # A failing statement is logged; the hashes and addresses it was given are not.
            "hide_parameters": True,
            "connect_args": {
                "connect_timeout": 10,
                "application_name": "noc",
                # A prepared statement would keep the plans of a nearly empty table until it is
                # analysed: scans of all of it, once an import has filled it. Planning anew costs
                # far less.
                "options": "-c timezone=UTC -c statement_timeout=60000"
                " -c plan_cache_mode=force_custom_plan",
            },
        },
        "MAX_CONTENT_LENGTH": config.max_body_bytes,
        "PERMANENT_SESSION_LIFETIME": dt.timedelta(hours=config.session_hours),
        "SESSION_COOKIE_NAME": "noc_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.session_cookie_secure,
        "RATELIMIT_STORAGE_URI": _limiter_storage(config.redis_url),
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_STORAGE_OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
        "SOCK_SERVER_OPTIONS": {"ping_interval": 25, "max_message_size": 16384},
    }


def _limiter_storage(redis_url: str) -> str:
    """The limiter's spelling of a Redis address: a Unix socket is ``redis+unix://`` there."""
    if redis_url.startswith("unix://"):
        return "redis+" + redis_url
    return redis_url or "memory://"

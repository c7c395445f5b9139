"""Each request has an id, a log line and its place in the metrics."""

from __future__ import annotations

import re
import time

import structlog
from flask import Flask, Response, g, request

from noc.database.base import new_uuid
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def init_app(app: Flask) -> None:
    """Number, time and count every request."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _ID.match(given) else new_uuid().hex
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    started = g.get("started")
    if started is None:
        return response
    seconds = time.perf_counter() - started
    response.headers["X-Request-ID"] = g.request_id
    endpoint = request.url_rule.rule if request.url_rule else "unmatched"
    status = str(response.status_code)
    if request.path.startswith("/api/"):
        metrics.API_REQUESTS.labels(endpoint, status).inc()
        metrics.API_LATENCY.labels(endpoint).observe(seconds)
        if "/noc/telemetry/" in endpoint:
            metrics.TELEMETRY_REQUESTS.labels(endpoint, status).inc()
            metrics.TELEMETRY_LATENCY.labels(endpoint).observe(seconds)
    if request.path not in _QUIET:
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
    return response

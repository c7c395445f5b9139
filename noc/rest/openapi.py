"""The OpenAPI document of the REST interface at ``/api/openapi.json``, and a page of it."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask
from flask import Response, jsonify

API_PREFIX = "/api/v2/noc"


def init_app(app: APIFlask) -> None:
    """Describe the API and serve the description."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        SPEC_FORMAT="json",
        INFO={
            "title": "NOC Intelligence",
            "version": "2",
            "description": "Punches and signals in; scores, alerts and tickets out.",
        },
        SECURITY_SCHEMES={
            "bearer": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "noc_session"},
        },
    )
    app.spec_processor(_only_api)
    app.add_url_rule("/api/openapi.json", "openapi", lambda: _document(app))


def _document(app: APIFlask) -> Response:
    return jsonify(app.spec)


def _only_api(spec: Any) -> Any:
    spec["paths"] = {
        path: item for path, item in spec["paths"].items() if path.startswith(API_PREFIX)
    }
    return spec

"""The OpenAPI 3.1 document of the REST interface, at ``/api/openapi.json``.

A view states what the document says of it where it is written: its docstring (the first line is
the summary), ``bp.doc``, ``bp.input`` for what the library parses and :func:`describe` for what
the view parses itself, and ``require`` for the capability.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from apiflask import APIFlask
from flask import Response, current_app, jsonify
from pydantic import BaseModel, TypeAdapter
from werkzeug.routing import Rule

from noc.rest.body import may_be_left_out
from noc.rest.problems import MEDIA_TYPE

API_PREFIX = "/api/v2/noc"

V = TypeVar("V", bound=Callable[..., Any])

_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_REFERENCE = "#/components/schemas/{model}"

_PROBLEMS = {
    "400": ("Malformed", "The body is not what its media type says."),
    "401": ("Unknown", "No token or session, or one that is not valid any more."),
    "403": ("Forbidden", "The capability is missing, or a session sent no X-CSRFToken."),
    "404": ("NotFound", "There is no such thing in this tenant."),
    "409": ("Conflict", "The thing is in a state that does not allow it."),
    "413": ("TooLarge", "The body or the batch is too large; nothing of it was taken."),
    "422": ("Invalid", "The request was not accepted; `errors` name each field and the reason."),
    "503": ("Busy", "Too busy or not ready; ask again after `Retry-After` seconds."),
}

_TEXT = {"type": "string"}

_SCHEMAS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "request_id": {**_TEXT, "description": "Finds the request in the log."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "reason"],
                    "properties": {"field": _TEXT, "reason": _TEXT},
                },
            },
        },
    },
    "Pagination": {
        "type": "object",
        "required": ["next_cursor", "limit"],
        "properties": {
            "next_cursor": {
                "type": ["string", "null"],
                "description": "`cursor` of the next page; null on the last.",
            },
            "limit": {"type": "integer"},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Described:
    """What a view parses itself; ``body`` is any type that pydantic can describe."""

    body: Any = None
    query: type[BaseModel] | None = None
    media_types: tuple[str, ...] = ("application/json",)


def describe(
    *,
    body: Any = None,
    query: type[BaseModel] | None = None,
    media_types: tuple[str, ...] = ("application/json",),
) -> Callable[[V], V]:
    """State in the document what the view takes, where it does the parsing itself."""

    def decorate(view: V) -> V:
        view.noc_described = Described(body, query, media_types)  # type: ignore[attr-defined]
        return view

    return decorate


def init_app(app: APIFlask) -> None:
    """Describe the API and serve the description."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        SPEC_FORMAT="json",
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        AUTO_OPERATION_ID=True,
        SERVERS=[{"url": "/"}],
        INFO={
            "title": "NOC Intelligence",
            "version": "2",
            "description": "Punches and signals in; scores, alerts and tickets out.",
        },
        SECURITY_SCHEMES={
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API token: `Authorization: Bearer noc_...`.",
            },
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "noc_session",
                "description": "A signed-in browser. Whatever changes something also sends the "
                "cookie `noc_csrf` as the header `X-CSRFToken`.",
            },
        },
    )
    app.spec_processor(_complete)
    app.add_url_rule("/api/openapi.json", "openapi", _serve)


def document() -> dict[str, Any]:
    """The document of the current app; made once."""
    known: dict[str, Any] = current_app.extensions
    if "noc_openapi" not in known:
        app: APIFlask = current_app._get_current_object()  # type: ignore[attr-defined]
        known["noc_openapi"] = app.spec
    spec: dict[str, Any] = known["noc_openapi"]
    return spec


def _serve() -> Response:
    return jsonify(document())


def _complete(spec: Any) -> Any:
    spec["paths"] = {
        path: item for path, item in spec["paths"].items() if path.startswith(API_PREFIX)
    }
    parts = spec.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas.pop("HTTPError", None)
    schemas.update(_SCHEMAS)
    parts["responses"] = {
        name: _problem_response(description) for name, description in _PROBLEMS.values()
    }
    for path, method, view in _operations():
        operation = spec["paths"].get(path, {}).get(method)
        if operation is not None:
            operation["summary"] = operation["summary"].removesuffix(".")
            _describe_input(operation, getattr(view, "noc_described", Described()), schemas)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = not may_be_left_out(view, method)
            _state_capability(operation, getattr(view, "noc_capabilities", ()))
            _state_answers(operation)
    used = {tag for item in spec["paths"].values() for op in item.values() for tag in op["tags"]}
    spec["tags"] = [{"name": tag} for tag in sorted(used)]
    return spec


def _operations() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    rule: Rule
    for rule in current_app.url_map.iter_rules():
        path = _CONVERTER.sub(r"{\1}", rule.rule)
        for method in rule.methods or ():
            yield path, method.lower(), current_app.view_functions[rule.endpoint]


def _describe_input(operation: Any, told: Described, schemas: dict[str, Any]) -> None:
    if told.query is not None:
        schema = _schema_of(told.query, schemas)
        required = schema.get("required", [])
        operation.setdefault("parameters", []).extend(
            {"name": name, "in": "query", "required": name in required, "schema": field}
            for name, field in schema["properties"].items()
        )
    if told.body is not None:
        content = {"schema": _schema_of(told.body, schemas)}
        operation["requestBody"] = {"content": dict.fromkeys(told.media_types, content)}


def _schema_of(described: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = TypeAdapter(described).json_schema(ref_template=_REFERENCE)
    schemas.update(schema.pop("$defs", {}))
    return schema


def _state_capability(operation: Any, capabilities: tuple[str, ...]) -> None:
    operation["security"] = [{"bearer": []}, {"session": []}]
    if capabilities:
        operation["x-capabilities"] = list(capabilities)
        needs = "Needs the capability " + " or ".join(f"`{name}`" for name in capabilities) + "."
        told = operation.get("description", "")
        operation["description"] = f"{told}\n\n{needs}".strip()


def _state_answers(operation: Any) -> None:
    responses = operation["responses"]
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    expected = {"401", "503"}
    if operation.get("x-capabilities"):
        expected.add("403")
    if "path" in places:
        expected.add("404")
    if "query" in places or "requestBody" in operation:
        expected.add("422")
    if "requestBody" in operation:
        expected |= {"400", "413"}
    for status in expected:
        responses.setdefault(status, {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"})
    for status, response in responses.items():
        if "$ref" in response:
            continue
        if status >= "400":
            response["content"] = _problem_content()
        elif status != "204":
            response["content"] = {"application/json": {"schema": _envelope(operation, response)}}


def _envelope(operation: Any, response: Any) -> dict[str, Any]:
    data = response.get("content", {}).get("application/json", {}).get("schema", {})
    properties: dict[str, Any] = {
        "status": {"const": "success"},
        "data": data,
        "cached": {"type": "boolean"},
    }
    if any(parameter.get("name") == "cursor" for parameter in operation.get("parameters", [])):
        properties["pagination"] = {"$ref": _REFERENCE.format(model="Pagination")}
    return {"type": "object", "required": list(properties), "properties": properties}


def _problem_response(description: str) -> dict[str, Any]:
    return {"description": description, "content": _problem_content()}


def _problem_content() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}

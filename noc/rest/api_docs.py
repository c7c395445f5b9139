"""The OpenAPI document as one page that reads by itself, at ``/api/docs``.

Rendered here, without scripts and without anything from elsewhere: it opens behind any firewall
and prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from apiflask import APIBlueprint
from flask import Response, make_response, render_template
from markupsafe import Markup, escape

from noc.rest.openapi import API_PREFIX, document

bp = APIBlueprint("api_docs", __name__, enable_openapi=False, template_folder="templates")

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)

_CODE = re.compile(r"`([^`]+)`")


@bp.get("/api/docs")
def page() -> Response:
    """The page; it says nothing that needs a sign-in."""
    spec = document()
    html = render_template(
        "api_docs.html",
        spec=spec,
        groups=_groups(spec),
        prefix=API_PREFIX,
        fields=lambda schema: list(_fields(schema, spec)),
        kind=_kind,
        prose=_prose,
        problem=lambda response: _resolved(response, spec)["description"],
    )
    response = make_response(html)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def _groups(spec: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Operations by tag, tags by name, operations by path."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in sorted(spec["paths"].items()):
        for method, operation in item.items():
            entry = {"path": path, "method": method, "operation": operation}
            groups.setdefault(operation["tags"][0], []).append(entry)
    return sorted(groups.items())


def _fields(schema: dict[str, Any], spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields of an object, or of the objects in an array or a choice."""
    schema = _resolved(schema, spec)
    for inner in (schema.get("items"), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if inner:
            yield from _fields(inner, spec)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        choices = [one for one in field.get("anyOf", ()) if "description" in one]
        yield {
            "name": name,
            "kind": "one of these" if choices else _kind(field),
            "required": name in required,
            "description": field.get("description", ""),
            "default": field.get("default"),
        }
        for choice in choices:
            yield {
                "name": choice["title"],
                "kind": _kind(choice),
                "required": False,
                "description": choice["description"],
                "default": choice.get("default"),
            }


def _resolved(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        _, section, place, name = schema["$ref"].split("/")
        schema = spec[section][place][name]
    return schema


def _prose(words: str | None) -> Markup:
    """Text with its `code` marked as such."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(words or ""))))


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words: ``number, 0 to 1``, ``"in" or "out"``, ``list of integer``."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(
            _kind(one) for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
        )
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if schema.get("type") == "array":
        inner = schema.get("items") or {}
        return f"list of {_kind(inner)}" if inner else "list"
    return _simple(schema)


def _simple(schema: dict[str, Any]) -> str:
    declared = schema.get("type", "any JSON")
    words = " or ".join(declared) if isinstance(declared, list) else str(declared)
    if schema.get("format") == "date-time":
        words = "time (ISO 8601)"
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if most is not None and most < 2**53:
        return f"{words}, {least} to {most}" if least is not None else f"{words}, up to {most}"
    return words

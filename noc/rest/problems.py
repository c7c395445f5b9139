"""Errors as RFC 9457 ``application/problem+json``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from pydantic import ValidationError

MEDIA_TYPE = "application/problem+json"

_NO_OBJECT = re.compile(r"Input should be (an object|a valid dictionary( or .*)?)$")


class Problem(Exception):
    """Ends a request with a problem. ``errors`` are ``{"field", "reason"}`` items.

    >>> raise Problem(422, "The punch was not accepted", errors=[{"field": "lat", "reason": "..."}])
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = members

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        return body | self.members

    def response(self) -> Response:
        """The HTTP response."""
        response = jsonify(self.body())
        response.status_code = self.status
        response.headers.update(self.headers)
        response.content_type = MEDIA_TYPE
        return response


def not_found(what: str) -> Problem:
    """404: there is no such thing in this tenant. Another tenant's id gives the same answer."""
    return Problem(404, f"There is no such {what}.")


def not_json(reason: str) -> Problem:
    """400: the body, or nothing at all where one was needed, is not JSON."""
    return Problem(400, "The body is not JSON.", errors=[{"field": "body", "reason": reason}])


def field_errors(error: ValidationError) -> list[dict[str, Any]]:
    """Each error of a pydantic validation as field (dotted path) and reason."""
    return [
        {
            "field": ".".join(str(part) for part in item["loc"]) or "body",
            "reason": plain(str(item["msg"])),
        }
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def plain(message: str) -> str:
    """The words of a pydantic error without those that speak of Python."""
    if _NO_OBJECT.match(message):
        return "must be a JSON object"
    return message.removeprefix("Value error, ")

"""Request bodies: what may be left out, and which values can be stored at all."""

from __future__ import annotations

import io
import json
from typing import Annotated, Any

from flask import current_app, request
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from noc.rest import text
from noc.rest.keyset import BIGGEST_ID
from noc.rest.problems import Problem, field_errors

MAX_METADATA_BYTES = 16 * 1024
"""Open-ended detail is for reading by people; a larger one is a misplaced payload."""

_MAX_DEPTH = 20


def allow_empty_body() -> None:
    """Let a POST without a body mean ``{}``, where every field of the body is optional."""
    view = current_app.view_functions.get(request.endpoint or "")
    chunked = "Transfer-Encoding" in request.headers
    if may_be_left_out(view, request.method) and not request.content_length and not chunked:
        request.environ["wsgi.input"] = io.BytesIO(b"{}")
        request.environ["CONTENT_LENGTH"] = "2"


def may_be_left_out(view: Any, method: str) -> bool:
    """Whether a view takes a body none of whose fields is required.

    Only of a POST: a PUT of nothing would be a slip.
    """
    model = getattr(view, "_spec", {}).get("body")
    if method.upper() != "POST" or model is None:
        return False
    return not any(field.is_required() for field in model.model_fields.values())


def checked_code(code: str) -> str:
    """``code`` of a path; problem 422 with the reason where it cannot be one."""
    try:
        return _CODE.validate_python(code)
    except ValidationError as error:
        errors = [{"field": "code", "reason": field_errors(error)[0]["reason"]}]
        raise Problem(422, "The code cannot be one.", errors=errors) from error


def _storable(value: str) -> str:
    # PostgreSQL's text holds every character but this one.
    if "\x00" in value:
        raise ValueError("must not contain the character NUL")
    return value


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    _check_depth(value, _MAX_DEPTH)
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode") from error
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"must not be larger than {MAX_METADATA_BYTES} bytes as JSON")
    return value


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise ValueError(f"must not be nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name, item in value.items():
            _storable(name)
            _check_depth(item, left - 1)
    elif isinstance(value, list):
        for item in value:
            _check_depth(item, left - 1)
    elif isinstance(value, str):
        _storable(value)


Id = Annotated[int, Field(strict=True, gt=0, le=BIGGEST_ID)]
"""An id in a body."""

Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(text.line)]
"""A short text: a title, a name."""

Identifier = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(text.identifier)]
"""A name that a sender gives to what it sends, to be recognised again."""

Code = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(text.code)]
"""The code by which the customer's own systems know a row; it stands in paths."""

Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(text.name)]
"""What people call it; blanks around it are dropped."""

Prose = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(text.lines)]
"""A longer text: a message, a note."""

Metadata = Annotated[dict[str, Any], AfterValidator(_bounded)]
"""Open-ended detail that PostgreSQL's JSONB can hold."""

_CODE: TypeAdapter[str] = TypeAdapter(Code)

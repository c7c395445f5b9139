"""Every error leaves as problem+json, with the request's id; bodies never tell internals."""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, current_app, g
from psycopg import errors as pg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from noc.monitoring import metrics
from noc.rest.problems import Problem, field_errors, plain

_KEPT_HEADERS: tuple[str, ...] = ("Allow", "Retry-After")

log = structlog.get_logger(__name__)


def init_app(app: APIFlask) -> None:
    """Register the handlers."""
    app.error_processor(_apiflask_error)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(ValidationError, _validation)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _busy)
    app.register_error_handler(Exception, _unexpected)


def _problem(problem: Problem) -> Response:
    request_id = g.get("request_id")
    if request_id:
        problem.members.setdefault("request_id", request_id)
    return problem.response()


def _validation(error: ValidationError) -> Response:
    return _problem(Problem(422, "The request was not accepted.", errors=field_errors(error)))


def _http(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    headers = error.get_response().headers
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    status = error.code or 500
    if 300 <= status < 400:
        return current_app.make_response(error.get_response())
    return _problem(Problem(status, error.description or "", headers=kept))


def _apiflask_error(error: HTTPError) -> Any:
    details: dict[str, Any] = error.detail if isinstance(error.detail, dict) else {}
    errors = [
        {"field": _named(place, field), "reason": plain(str(reason))}
        for place, fields in details.items()
        for field, reason in _flat(fields)
    ]
    message = "The request was not accepted." if errors else error.message or ""
    problem = Problem(error.status_code, message, errors=errors)
    response = _problem(problem)
    return response, response.status_code, {"Content-Type": response.content_type}


def _flat(fields: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(fields, dict):
        return [
            pair
            for name, value in fields.items()
            for pair in _flat(value, f"{prefix}.{name}" if prefix else str(name))
        ]
    if isinstance(fields, list):
        return [(prefix, reason) for reason in fields]
    return [(prefix, fields)]


def _named(place: str, field: str) -> str:
    # The library's words for what no single field is to blame for.
    return ("body" if place == "json" else place) if field in ("", "_schema") else field


_CONTENDED = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)

_REFUSALS: tuple[tuple[type[Exception], tuple[int, str]], ...] = (
    (psycopg.DataError, (422, "A value cannot be stored: it is out of range or malformed.")),
    (pg.UniqueViolation, (409, "This exists already.")),
    (pg.ForeignKeyViolation, (422, "The request names something that is not there.")),
    (pg.CheckViolation, (422, "The values do not go together.")),
)


def _database(error: DBAPIError) -> Response:
    original = error.orig
    if isinstance(original, pg.InsufficientPrivilege):
        # Row-level security refused the row: to this tenant the thing does not exist.
        return _problem(Problem(404, "There is no such thing here."))
    if isinstance(original, _CONTENDED):
        return _contended(original)
    if isinstance(error, OperationalError):
        return _busy(error)
    refusal = next((answer for kind, answer in _REFUSALS if isinstance(original, kind)), None)
    if refusal is None:
        return _unexpected(error)
    # Views check what they are sent; what only the database could see is told, and looked into.
    log.warning("refused_by_database", error=str(original).splitlines()[0])
    return _problem(Problem(*refusal))


def _contended(error: Exception) -> Response:
    """Two requests waited for each other; the database let the other one go on."""
    metrics.FAILURES.labels("contention").inc()
    log.warning("request_contended", error=str(error).splitlines()[0])
    words = "Somebody else is changing the same things at this moment: try again."
    return _problem(Problem(503, words, headers={"Retry-After": "1"}))


def _busy(error: Exception) -> Response:
    metrics.FAILURES.labels("database").inc()
    log.error("database_unavailable", error=str(error).splitlines()[0])
    return _problem(
        Problem(503, "The database cannot be reached; try again.", headers={"Retry-After": "2"})
    )


def _unexpected(error: Exception) -> Response:
    metrics.FAILURES.labels("request").inc()
    log.exception("request_failed", error_type=type(error).__name__)
    return _problem(Problem(500, "Something went wrong here. The request id finds it in the log."))

"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import redis
import structlog
from alembic.script import ScriptDirectory
from apiflask import APIBlueprint
from flask import Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from noc.extensions import redis_client, session, settings
from noc.monitoring.queues import QueueCollector

log = structlog.get_logger(__name__)

bp = APIBlueprint("monitoring", __name__, enable_openapi=False)


@bp.get("/healthz")
def healthz() -> Response:
    """The process is alive. Touches nothing else."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> Response:
    """Database, Redis and migrations are as this release needs them: 200, else 503."""
    checks = {
        "database": _state(_database),
        "redis": _state(_redis),
        "migrations": _state(_migrations),
    }
    ready = all(state == "ok" for state in checks.values())
    response = jsonify(status="ok" if ready else "unavailable", checks=checks)
    response.status_code = 200 if ready else 503
    return response


@bp.get("/metrics")
def metrics() -> Response:
    """Prometheus text, summed over all processes of the host."""
    registry = CollectorRegistry()
    folder = settings().prometheus_multiproc_dir
    if folder and Path(folder).is_dir():
        multiprocess.MultiProcessCollector(  # type: ignore[no-untyped-call]
            registry, path=folder
        )
    else:
        registry.register(PROCESS_REGISTRY)
    registry.register(QueueCollector(current_app._get_current_object()))  # type: ignore[attr-defined]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _state(probe: Callable[[], None]) -> str:
    try:
        probe()
    except (SQLAlchemyError, redis.RedisError, LookupError) as error:
        told = str(error).partition("\n")[0] or type(error).__name__
        log.warning("not_ready", what=probe.__name__.strip("_"), error=told)
        return told[:200] if isinstance(error, LookupError) else "unreachable"
    return "ok"


def _database() -> None:
    session().execute(text("SELECT 1"))


def _redis() -> None:
    redis_client().ping()


def _migrations() -> None:
    try:
        present = session().scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError as error:
        raise LookupError("the database is empty: run 'noc db upgrade'") from error
    wanted = _head(current_app.config["NOC_MIGRATIONS"])
    if present != wanted:
        raise LookupError(f"at {present}, this release needs {wanted}: run 'noc db upgrade'")


@functools.cache
def _head(folder: str) -> str | None:
    return ScriptDirectory(folder).get_current_head()

"""Flask extensions and shared connections: created here, bound to an app in the factory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import redis
from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_sock import Sock
from flask_sqlalchemy import SQLAlchemy
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session, sessionmaker

from noc.database import binary, tenancy
from noc.database.base import Base
from noc.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import scoped_session

QUEUES = ("scoring", "escalation", "reports", "ml_queue", "maintenance")


class PlainJob(Job):
    """A job kept as JSON wherever it is made or fetched, so that no pickle is ever loaded."""

    def __init__(
        self, id: str | None = None, connection: redis.Redis | None = None, serializer: Any = None
    ) -> None:
        super().__init__(id, connection, serializer or JSONSerializer)


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
sock = Sock()
limiter = Limiter(get_remote_address, headers_enabled=True)


def session() -> Session:
    """The session of the current app context, for code that wants the plain type."""
    return cast("scoped_session[Session]", db.session)()


def settings() -> Settings:
    """The settings of the current app."""
    return cast(Settings, current_app.config["NOC_SETTINGS"])


def redis_client() -> redis.Redis:
    """The app's Redis client: pooled, thread-safe, with timeouts on every call."""
    return cast(redis.Redis, current_app.extensions["noc_redis"])


def queue(name: str) -> Queue:
    """The RQ queue ``name`` (one of :data:`QUEUES`); KeyError for another name."""
    return cast("dict[str, Queue]", current_app.extensions["noc_queues"])[name]


def init_app(app: Flask, config: Settings) -> None:
    """Bind everything to ``app``. Opens no connection."""
    db.init_app(app)
    with app.app_context():
        tenancy.install(cast("sessionmaker[Session]", db.session.session_factory))
        binary.install(db.engine)
    migrate.init_app(
        app,
        db,
        directory=app.config["NOC_MIGRATIONS"],
        include_name=_include_name,
        render_as_batch=False,
    )
    sock.init_app(app)
    limiter.init_app(app)
    client = connect_redis(config.redis_url)
    app.extensions["noc_redis"] = client
    app.extensions["noc_queues"] = {name: rq_queue(name, client) for name in QUEUES}


def rq_queue(name: str, connection: redis.Redis) -> Queue:
    """The RQ queue ``name`` on ``connection``, its jobs kept as JSON."""
    return Queue(name, connection=connection, job_class=PlainJob, serializer=JSONSerializer)


def connect_redis(url: str, timeout: float = 5) -> redis.Redis:
    """A client for ``url`` that waits ``timeout`` seconds to connect and for every answer.

    It tries twice, at once: a pooled connection may have died, but whoever asks Redis has a way
    to do without it and should not wait for pauses between attempts.
    """
    return redis.Redis.from_url(
        url or "redis://localhost:6379/0",
        socket_connect_timeout=timeout,
        socket_timeout=timeout,
        retry=Retry(NoBackoff(), 1),
    )


def _include_name(name: str | None, kind: str, _: object) -> bool:
    """Leave partitions (``..._p202611``) out of autogenerate: they come and go with time."""
    if kind != "table" or name is None:
        return True
    stem, _sep, month = name.rpartition("_p")
    return not (stem and len(month) == 6 and month.isdigit())

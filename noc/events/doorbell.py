"""The doorbell: telling over Redis that a tenant's log has grown, and hearing it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from flask import current_app
from redis.client import PubSub

from noc.extensions import connect_redis, settings
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

DOORBELL = "noc:events"
"""Redis channel on which ``{"tenant", "seq"}`` is published after each commit of events, and

``{"tenant", "access": true}`` where somebody of the tenant may do less than before.
"""

_RETRY_SECONDS = 1.0
_PATIENCE_SECONDS = 0.5
_QUIET_SECONDS = 5.0


class _Bell:
    """An app's connection to the doorbell, with little patience: who commits must not wait."""

    def __init__(self, url: str) -> None:
        self._client = connect_redis(url, _PATIENCE_SECONDS)
        self._quiet_until = 0.0

    def publish(self, tenant_id: int, **news: Any) -> None:
        if time.monotonic() < self._quiet_until:
            metrics.FAILURES.labels("doorbell").inc()
            return
        try:
            self._client.publish(DOORBELL, json.dumps({"tenant": tenant_id, **news}))
        except redis.RedisError as error:
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            metrics.FAILURES.labels("doorbell").inc()
            log.warning("doorbell_failed", tenant_id=tenant_id, **news, error=str(error))


def ring(tenant_id: int, seq: int) -> None:
    """Tell every feed that the tenant's log has grown to ``seq``. Never raises.

    The event is safe in the log: a doorbell that does not ring costs a second at most, until the
    feeds look by themselves. After a failure it stays quiet for five seconds.
    """
    _bell().publish(tenant_id, seq=seq)


def ring_for_access(tenant_id: int) -> None:
    """Tell every feed to look whether the tenant's clients may still see it. Never raises.

    Unheard, each client is asked about at its next heartbeat.
    """
    _bell().publish(tenant_id, access=True)


def _bell() -> _Bell:
    bell: _Bell | None = current_app.extensions.get("noc_doorbell")
    if bell is None:
        bell = current_app.extensions["noc_doorbell"] = _Bell(settings().redis_url)
    return bell


@dataclass(slots=True)
class Heard:
    """Tenants whose log has grown, with the latest ``seq``, and those whose access has changed."""

    grown: dict[int, int] = field(default_factory=dict)
    access: set[int] = field(default_factory=set)


class Listener:
    """Subscribes to Redis in a thread of its own, and again whenever the connection is lost.

    What is missed meanwhile is no loss: whoever waits here looks into the log once a second
    in any case.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._heard = Heard()
        self._condition = threading.Condition()
        self._stop = False

    def start(self) -> None:
        """Begin to listen, in a daemon thread."""
        threading.Thread(target=self._run, name="feed-doorbell", daemon=True).start()

    def stop(self) -> None:
        """Wake whoever waits, and end."""
        with self._condition:
            self._stop = True
            self._condition.notify_all()

    def wait(self, seconds: float) -> Heard:
        """What was heard since the last time; nothing after ``seconds``."""
        with self._condition:
            if not (self._heard.grown or self._heard.access or self._stop):
                self._condition.wait(seconds)
            heard, self._heard = self._heard, Heard()
            return heard

    def _run(self) -> None:
        while not self._stop:
            try:
                with PubSub(self._client.connection_pool, ignore_subscribe_messages=True) as pubsub:
                    pubsub.subscribe(DOORBELL)
                    while not self._stop:
                        self._hear(pubsub.get_message(timeout=1.0))
            except redis.RedisError as error:
                metrics.FAILURES.labels("doorbell").inc()
                log.warning("doorbell_unheard", error=str(error))
                time.sleep(_RETRY_SECONDS)

    def _hear(self, message: dict[str, Any] | None) -> None:
        if message is None or message.get("type") != "message":
            return
        try:
            ring = json.loads(message["data"])
            tenant_id, access = int(ring["tenant"]), bool(ring.get("access"))
            seq = 0 if access else int(ring["seq"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("doorbell_not_understood", error=str(error))
            return
        with self._condition:
            if access:
                self._heard.access.add(tenant_id)
            else:
                self._heard.grown[tenant_id] = max(seq, self._heard.grown.get(tenant_id, 0))
            self._condition.notify_all()

"""Hearing the doorbell: which tenants' logs have grown."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import redis
import structlog
from redis.client import PubSub

from noc.events.log import DOORBELL
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 1.0


class Listener:
    """Subscribes to Redis in a thread of its own, and again whenever the connection is lost.

    What is missed meanwhile is no loss: whoever waits here looks into the log once a second
    in any case.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._heard: dict[int, int] = {}
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

    def wait(self, seconds: float) -> dict[int, int]:
        """Tenants whose doorbell rang, with the latest ``seq``; empty after ``seconds``."""
        with self._condition:
            if not self._heard and not self._stop:
                self._condition.wait(seconds)
            heard, self._heard = self._heard, {}
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
            tenant_id, seq = int(ring["tenant"]), int(ring["seq"])
        except (ValueError, TypeError, KeyError) as error:
            log.warning("doorbell_not_understood", error=str(error))
            return
        with self._condition:
            self._heard[tenant_id] = max(seq, self._heard.get(tenant_id, 0))
            self._condition.notify_all()

"""Answers kept in Redis for a time, computed once however many ask at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import orjson
import redis
import structlog

from noc.monitoring import metrics

log = structlog.get_logger(__name__)

_LOCK_MS = 10_000
_POLL_SECONDS = 0.02

# Deletes the lock only if it is still ours: a slow holder must not free a later one's.
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


def cached(
    client: redis.Redis,
    key: str,
    ttl: int,
    compute: Callable[[], Any],
    *,
    fresh: bool = False,
) -> tuple[Any, bool]:
    """The JSON value of ``key`` and whether it came from the cache.

    A missing value is computed once (single flight): others wait for it up to ten seconds, then
    compute themselves. ``fresh`` computes anew and replaces what was kept. Without Redis the
    answer is computed each time and the failure is logged and counted: slower, never wrong.
    ``key`` must name the tenant.
    """
    if ttl <= 0:
        return compute(), False
    name = f"noc:cache:{key}"
    try:
        if not fresh and (kept := client.get(name)) is not None:
            metrics.CACHE_REQUESTS.labels("hit").inc()
            return orjson.loads(kept), True
        metrics.CACHE_REQUESTS.labels("miss").inc()
        return _compute_once(client, name, ttl, compute, fresh)
    except redis.RedisError as error:
        metrics.CACHE_REQUESTS.labels("error").inc()
        log.warning("cache_unavailable", key=key, error=str(error))
        return compute(), False


def forget(client: redis.Redis, *keys: str) -> None:
    """Drop kept answers."""
    if keys:
        client.delete(*(f"noc:cache:{key}" for key in keys))


def _compute_once(
    client: redis.Redis, name: str, ttl: int, compute: Callable[[], Any], fresh: bool
) -> tuple[Any, bool]:
    lock, owner = f"{name}:lock", secrets.token_hex(8)
    deadline = time.monotonic() + _LOCK_MS / 1000
    while not fresh and not client.set(lock, owner, nx=True, px=_LOCK_MS):
        if (kept := client.get(name)) is not None:
            return orjson.loads(kept), True
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    try:
        if not fresh and (kept := client.get(name)) is not None:
            return orjson.loads(kept), True
        value = compute()
        client.set(name, orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), ex=ttl)
        return value, False
    finally:
        client.eval(_RELEASE, 1, lock, owner)

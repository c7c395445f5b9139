"""Who is looking at which punch: kept for minutes in Redis, so that two do not get the same.

A courtesy, not a lock: whoever is late still labels, and the row's lock and ``expected`` decide
(:mod:`noc.fraud.review.labelling`). Without Redis nobody holds anything.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

import redis
import structlog

from noc.extensions import redis_client
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

HELD_SECONDS = 180
"""How long a punch is kept for whoever it was given to: a review takes less than a minute."""

# Takes it where nobody has it, renews it where it is the asker's; else says whose it is.
_HOLD = """
local held = redis.call('get', KEYS[1])
if held and string.match(held, '^[^:]*') ~= string.match(ARGV[1], '^[^:]*') then return held end
redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
"""
_LET_GO = """
local held = redis.call('get', KEYS[1])
if held and string.match(held, '^[^:]*') == ARGV[1] then redis.call('del', KEYS[1]) end
"""


class Reviewer(NamedTuple):
    """Somebody who looks at punches."""

    user_id: int
    name: str


def hold(prediction_id: uuid.UUID, reviewer: Reviewer, *, tenant_id: int) -> str | None:
    """Keep a punch for the reviewer; the name of whoever has it already, None where they got it.

    Asking again renews it for :data:`HELD_SECONDS`.
    """
    held = _run(_HOLD, _key(tenant_id, prediction_id), _word(reviewer), str(HELD_SECONDS))
    return held.partition(":")[2] if held else None


def let_go(prediction_id: uuid.UUID, reviewer: Reviewer, *, tenant_id: int) -> None:
    """Others may have it; what somebody else holds stays theirs."""
    _run(_LET_GO, _key(tenant_id, prediction_id), str(reviewer.user_id))


def _run(script: str, key: str, *values: str) -> str | None:
    try:
        answer = redis_client().eval(script, 1, key, *values)
    except redis.RedisError as error:
        metrics.FAILURES.labels("review_holds").inc()
        log.warning("review_not_held", error=str(error))
        return None
    if isinstance(answer, bytes):
        return answer.decode()
    return answer if isinstance(answer, str) else None


def _key(tenant_id: int, prediction_id: uuid.UUID) -> str:
    return f"noc:review:{tenant_id}:{prediction_id}"


def _word(reviewer: Reviewer) -> str:
    return f"{reviewer.user_id}:{reviewer.name}"

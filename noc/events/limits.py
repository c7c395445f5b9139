"""How many events a minute a tenant's clients are pushed, counted over all processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis
import structlog

from noc.events.log import LoggedEvent
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60.0
"""The window opens with the first event pushed and ends this long after it."""

_RETRY_REDIS_SECONDS = 5.0

# The bucket is the set of seqs that have been let through in this window, so that several
# processes which push the same event count it once, and answer alike.
_ADMIT = """
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local count = redis.call('SCARD', KEYS[1])
local answer = {0}
for i = 3, #ARGV do
    local admitted = redis.call('SISMEMBER', KEYS[1], ARGV[i])
    if admitted == 0 and count < limit then
        redis.call('SADD', KEYS[1], ARGV[i])
        count, admitted = count + 1, 1
    end
    answer[#answer + 1] = admitted
end
local left = redis.call('PTTL', KEYS[1])
if left < 0 and count > 0 then
    redis.call('PEXPIRE', KEYS[1], window)
    left = window
end
answer[1] = left
return answer
"""


@dataclass(frozen=True, slots=True)
class Admission:
    """Which of the events asked about are withheld, and when the window ends, in seconds."""

    withheld: frozenset[int]
    retry_after_seconds: float


ALL_ADMITTED = Admission(frozenset(), 0.0)


def is_critical(event: LoggedEvent) -> bool:
    """Whether the event is of severity CRITICAL: such a one is pushed whatever the limit."""
    payload = event.payload
    return "CRITICAL" in (payload.get("severity"), payload.get("combined_severity"))


class PushLimit:
    """The tenants' buckets in Redis.

    Without Redis everything is let through: the limit spares clients, it protects nothing that
    would break. The failure is logged and counted.
    """

    def __init__(self, client: redis.Redis, window_seconds: float | None = None) -> None:
        self._window_ms = int((window_seconds or WINDOW_SECONDS) * 1000)
        self._admit = client.register_script(_ADMIT)
        self._asleep_until = 0.0

    def admit(self, tenant_id: int, seqs: Sequence[int], limit: int) -> Admission:
        """Ask the tenant's bucket of ``limit`` events a window for these, in their order."""
        if not seqs or time.monotonic() < self._asleep_until:
            return ALL_ADMITTED
        try:
            left, *admitted = self._admit(
                keys=[f"noc:feed:pushed:{tenant_id}"], args=[limit, self._window_ms, *seqs]
            )
        except redis.RedisError as error:
            self._asleep_until = time.monotonic() + _RETRY_REDIS_SECONDS
            metrics.FAILURES.labels("push_limit").inc()
            log.warning("push_limit_unavailable", tenant_id=tenant_id, error=str(error))
            return ALL_ADMITTED
        withheld = frozenset(seq for seq, ok in zip(seqs, admitted, strict=True) if not ok)
        return Admission(withheld, max(0.0, left / 1000))

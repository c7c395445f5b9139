"""What the audit needs of the past: the last heartbeats, and what is usual by now."""

from __future__ import annotations

import datetime as dt

from noc.audit.learning import HOUR, feed, read_samples
from noc.demo.life import Life
from noc.demo.storing import Ids
from noc.demo.world import Company
from noc.extensions import session
from noc.identity.tenant_settings import tenant_settings
from noc.telemetry.ingest import store_signals

LAST_BEATS = 1800.0
"""Seconds of heartbeats before now: without them every phone would seem silent at first."""

LEARNED = dt.timedelta(hours=60)
"""The past in which phones tell as much as the stream's: older days are thinner."""


def store_last_beats(company: Company, ids: Ids, now: dt.datetime) -> int:
    """Store the heartbeats of the last half an hour; how many. The caller commits."""
    stop = now.timestamp()
    beats = Life(company, ids).beats(stop - LAST_BEATS, stop)
    items = [item.body for item in beats if item.at < stop]
    return store_signals(items, tenant_id=ids.tenant_id, now=now, limits=False).accepted


def learn_what_is_usual(tenant_id: int, now: dt.datetime) -> int:
    """Feed the baselines with the hours the audit would have fed them with; how many samples.

    Commits hour by hour.
    """
    last = now.replace(minute=0, second=0, microsecond=0) - 3 * HOUR
    config = tenant_settings()
    samples = 0
    hour = last - LEARNED
    while hour <= last:
        samples += feed(read_samples(hour, tenant_id=tenant_id), config, tenant_id=tenant_id)
        session().commit()
        hour += HOUR
    return samples

"""The audit: heartbeat and comprehensive, of a tenant or of some of its sites, at a moment.

Both gather the facts in a constant number of queries, store what is new, close what is over,
escalate what is serious and correlate what is open with the alerts around it. Two cycles at the
same moment do no harm: what is found twice is stored once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from noc.audit import anomalies, rounds, rules
from noc.audit.drafts import STATES, Draft
from noc.audit.escalation import escalate
from noc.audit.findings import close_themselves, open_rounds, open_states, store
from noc.audit.learning import HOUR, feed, hours_to_feed, read_samples
from noc.audit.links import correlate_open
from noc.audit.models import Finding
from noc.audit.watch import WINDOW, Watch, look, read_sites
from noc.identity.site_settings import SiteSettings, read_site_settings
from noc.workforce.references import look_up

Kind = Literal["heartbeat", "comprehensive"]

SETTLING = dt.timedelta(hours=2)
"""An hour feeds its baselines so long after its end: phones that were offline have sent by then,

and what was unusual in it has been told before it becomes part of what is usual.
"""

LATE_SCANS = dt.timedelta(hours=24)
"""Scans that arrive so late still take back that a round was missed."""

HISTORY = dt.timedelta(hours=1)
"""A cycle for a moment longer past is a look back: no alert, no ticket, and nothing is closed."""

_NAMES = (
    "audit_pulse_minutes",
    "audit_finding_ticket_severities",
    "ticket_deduplication_hours",
    "correlation_window_minutes",
    "baseline_fp_threshold",
    "baseline_stable_sample_count",
    "baseline_default_threshold",
    "baseline_sensitive_threshold",
    "baseline_conservative_threshold",
)
_PULSE_STATES = ("DEVICE_SILENT", "POST_ABANDONED")


@dataclass(slots=True)
class Outcome:
    """What a cycle did. ``drafts`` is all it found, new or known."""

    kind: Kind
    at: dt.datetime
    on_duty: int = 0
    drafts: list[Draft] = field(default_factory=list)
    created: list[Finding] = field(default_factory=list)
    closed: list[Finding] = field(default_factory=list)
    escalated: int = 0
    incidents: int = 0
    samples: int = 0


def run(
    kind: Kind,
    at: dt.datetime,
    *,
    tenant_id: int,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
    dry_run: bool = False,
) -> Outcome:
    """One cycle for the moment ``at``; the caller commits.

    ``dry_run`` finds and stores nothing. A moment more than an hour back is looked at as it was:
    its findings are stored as of then, without alerts and tickets.
    """
    config = read_site_settings(tenant_id, _NAMES)
    types = _PULSE_STATES if kind == "heartbeat" else tuple(STATES)
    known = open_states(types, at, tenant_id=tenant_id, site_ids=site_ids)
    others = {finding.person_id for finding in known if finding.person_id is not None}
    watch = look(at, tenant_id=tenant_id, site_ids=site_ids, others=others)
    outcome = Outcome(kind, at, on_duty=len(watch.on_duty))
    states = _states(kind, watch, config, tenant_id)
    outcome.drafts += states
    live = not dry_run and now - at <= HISTORY
    if kind == "comprehensive":
        outcome.drafts += rounds.judge_rounds(at, tenant_id=tenant_id, site_ids=site_ids)
        outcome.drafts += _unusual(at, config, tenant_id, site_ids, live=live)
        if live:
            outcome.samples = _learn(at, config, tenant_id, site_ids)
    if dry_run:
        return outcome
    if live:
        # What is over is closed first: the same may begin anew in the same cycle.
        over = _over(known, states, watch, config)
        if kind == "comprehensive":
            missed = open_rounds(at, LATE_SCANS, tenant_id=tenant_id, site_ids=site_ids)
            over |= rounds.walked_after_all(missed, at, tenant_id=tenant_id)
        outcome.closed = close_themselves(over, tenant_id=tenant_id, now=at)
    outcome.created = store(outcome.drafts, tenant_id=tenant_id, now=at, lasting=live)
    if live:
        outcome.escalated = escalate(outcome.created, config, tenant_id=tenant_id, now=now)
        outcome.incidents = len(
            correlate_open(at, config, tenant_id=tenant_id, now=now, site_ids=site_ids)
        )
    return outcome


def _states(kind: Kind, watch: Watch, config: SiteSettings, tenant_id: int) -> list[Draft]:
    drafts = rules.silent(watch, config) + rules.abandoned(watch)
    if kind == "comprehensive":
        people = [one.duty.person_id for one in watch.on_duty]
        walkers = rounds.walkers(people, watch.at - WINDOW, watch.at, tenant_id=tenant_id)
        drafts += rules.low_activity(watch, config)
        drafts += rules.no_movement(watch, config, walkers)
    return drafts


def _over(
    known: Sequence[Finding], states: Sequence[Draft], watch: Watch, config: SiteSettings
) -> dict[int, str]:
    """Open findings whose state is no more, with the reason in words."""
    still = {(draft.finding_type, draft.subject) for draft in states}
    at_post = {one.duty.person_id: one for one in watch.on_duty}
    over = {}
    for finding in known:
        if (finding.finding_type, finding.subject) in still or finding.person_id is None:
            continue
        heard = watch.last_heard.get(finding.person_id)
        if finding.finding_type == "DEVICE_SILENT":
            # Whoever was silent to the end of the shift stays on the list until somebody knows why.
            pulse = rules.pulse(config, finding.site_id or 0)
            if heard is not None and watch.at - heard < pulse:
                over[finding.id] = f"Heard of again at {heard:%H:%M} UTC."
        elif finding.person_id not in at_post:
            over[finding.id] = "The shift is over."
        elif finding.finding_type == "POST_ABANDONED":
            place = at_post[finding.person_id].whereabouts
            if place is not None and place.latest == 0:
                over[finding.id] = f"Back at the post by {place.last_at:%H:%M} UTC."
        elif heard is not None:
            over[finding.id] = "There is activity again."
    return over


def _unusual(
    at: dt.datetime,
    config: SiteSettings,
    tenant_id: int,
    site_ids: Collection[int] | None,
    *,
    live: bool,
) -> list[Draft]:
    """Findings of the last completed hour that its baselines do not know."""
    samples = read_samples(_hour(at) - HOUR, tenant_id=tenant_id, site_ids=site_ids)
    found = anomalies.find_anomalies(samples, config, tenant_id=tenant_id)
    if not found:
        return []
    names = look_up([odd[0].sample.person_id for odd in found], ()).people
    sites = read_sites({odd[0].sample.site_id for odd in found}, tenant_id=tenant_id)
    if live:
        return anomalies.raise_alerts(found, names, sites, now=at)
    return anomalies.drafts_only(found, names, sites)


def _learn(
    at: dt.datetime, config: SiteSettings, tenant_id: int, site_ids: Collection[int] | None
) -> int:
    until = _hour(at) - HOUR - SETTLING
    return sum(
        feed(
            read_samples(hour, tenant_id=tenant_id, site_ids=site_ids),
            config.tenant,
            tenant_id=tenant_id,
        )
        for hour in hours_to_feed(until, tenant_id=tenant_id, site_ids=site_ids)
    )


def _hour(at: dt.datetime) -> dt.datetime:
    return at.replace(minute=0, second=0, microsecond=0)

"""The words for what is done in the administration, and for what it is done to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dashboards import words
from dashboards.admin.window_form import rule_words
from noc.identity.capabilities import (
    ADMIN,
    FRAUD_REVIEW,
    FRAUD_VIEW,
    INGEST,
    ML_TRAIN,
    OPERATE,
    PLATFORM,
    VIEW,
)

_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")

Sites = Mapping[str, Mapping[str, str]]
"""Sites by id as text, with their ``name``: read once for a list."""

TARGETS = {
    "user": "User",
    "token": "API token",
    "setting": "Setting",
    "site": "Site",
    "route": "Notification route",
    "window": "Suppression window",
    "model": "Fraud model",
    "baseline": "Baseline",
    "job": "Job",
}

RUNS = {"fraud_training": "Training of a fraud model"}
"""Long work, by its name."""

_ACTIONS = {
    "user.created": "Made the user",
    "user.changed": "Changed the user",
    "user.deactivated": "Shut the user out",
    "user.activated": "Let the user in again",
    "user.password_set": "Set a new password",
    "user.link_made": "Made a sign-in link",
    "token.created": "Made the token",
    "token.revoked": "Revoked the token",
    "setting.set": "Set it",
    "setting.taken_back": "Took it back",
    "site.created": "Added the site",
    "site.changed": "Changed the site",
    "site.contacts_changed": "Changed who is in charge",
    "route.created": "Made the route",
    "route.changed": "Changed the route",
    "route.deleted": "Deleted the route",
    "route.secret_renewed": "Renewed its secret",
    "route.tested": "Sent a test",
    "route.replayed": "Sent anew what had died",
    "window.created": "Made the window",
    "window.cancelled": "Cancelled the window",
    "model.activated": "Let it score",
    "model.rolled_back": "Took it back",
    "baseline.pinned": "Held its threshold",
    "baseline.unpinned": "Let its threshold go",
    "baseline.reset": "Had it learn anew",
    "job.cancelled": "Asked for its end",
    "job.requested": "Asked for it",
    "job.retried": "Tried it again",
}

CAPABILITIES = {
    VIEW: ("See", "sites, people, alerts, tickets and the live feed"),
    OPERATE: ("Work", "acknowledge, assign and resolve; suppress what is known to happen"),
    FRAUD_VIEW: ("See fraud scores", "with their history and reasons"),
    FRAUD_REVIEW: ("Give verdicts", "on punches that wait for review"),
    ML_TRAIN: ("Train models", "and decide which of them scores"),
    ADMIN: ("Administer", "users, tokens, settings and the roster"),
    INGEST: ("Send in", "punches, signals, alerts and the roster"),
    PLATFORM: ("Administer the platform", "other platform administrators"),
}
"""What a capability lets one do, in words."""

SETTINGS = {
    "websocket_enabled": "Live feed",
    "websocket_rate_limit": "Events a minute",
    "event_retention_days": "Days the event log is kept",
    "telemetry_cache_ttl": "Seconds telemetry answers are kept",
    "fraud_cache_ttl": "Seconds fraud answers are kept",
    "predictive_fraud_enabled": "Score with the model",
    "fraud_score_ticket_threshold": "Score that opens a ticket",
    "fraud_deduplication_hours": "Hours between fraud tickets of one person and type",
    "ml_model_min_training_samples": "Verdicts before a model activates itself",
    "ml_model_validation_thresholds": "What a new model must reach",
    "fraud_reviews_per_day": "Punches a day to review",
    "alert_acknowledged_minutes_critical": "Minutes a critical alert stays acknowledged",
    "alert_acknowledged_minutes_high": "Minutes a high alert stays acknowledged",
    "alert_acknowledged_minutes_other": "Minutes other alerts stay acknowledged",
    "alert_expiry_days": "Days until a forgotten alert expires",
    "audit_finding_ticket_severities": "Findings that open a ticket",
    "audit_pulse_minutes": "Minutes within which a guard is heard of",
    "ticket_deduplication_hours": "Hours between tickets of one finding and site",
    "ticket_due_hours_high": "Hours for a ticket of high priority",
    "ticket_due_hours_medium": "Hours for a ticket of medium priority",
    "ticket_due_hours_low": "Hours for a ticket of low priority",
    "correlation_window_minutes": "Minutes within which alerts belong together",
    "baseline_fp_threshold": "Share of false alarms that makes a baseline tolerant",
    "baseline_stable_sample_count": "Samples that make a baseline sensitive",
    "baseline_default_threshold": "Threshold of a baseline",
    "baseline_sensitive_threshold": "Threshold of a sensitive baseline",
    "baseline_conservative_threshold": "Threshold of a tolerant baseline",
}


_LABELS = {
    "site_ids": "sites",
    "site_id": "site",
    "capabilities": "may",
    "expires_at": "ends",
    "min_severity": "from",
    "kinds": "news",
    "active": "switched",
    "noc_supervisor": "supervisor",
    "timezone": "by the clocks of",
    "recurrence": "comes",
    "starts_at": "from",
    "ends_at": "to",
}
"""How details are called; others by their own names."""


def action(code: str) -> str:
    """What was done, as people say it."""
    return _ACTIONS.get(code) or words.say({}, code.replace(".", "_"))


def setting(name: str) -> str:
    """The name of a setting, as people say it."""
    return words.say(SETTINGS, name)


def value(given: Any) -> str:
    """A value of a setting or a detail, as people read it."""
    if given is None or given in ([], ""):
        return "none"
    if isinstance(given, bool):
        return "on" if given else "off"
    if isinstance(given, list):
        return ", ".join(value(one) for one in given)
    if isinstance(given, Mapping):
        return ", ".join(
            f"{words.say({}, name).lower()} {value(one)}" for name, one in given.items()
        )
    if isinstance(given, float):
        return f"{given:g}"
    if isinstance(given, str) and _MOMENT.match(given):
        at = dt.datetime.fromisoformat(given).astimezone(dt.UTC)
        return f"{at:%d %b %Y, %H:%M} UTC"
    if given in CAPABILITIES:
        return CAPABILITIES[given][0].lower()
    return words.ROLE.get(str(given)) or words.SEVERITY.get(str(given)) or str(given)


def detail(item: Mapping[str, Any], sites: Sites) -> str:
    """What was before and what is now, in one line, with the sites by their names."""
    told = dict(item["detail"])
    if item["action"] == "setting.set":
        before = "the default" if told.get("before") is None else value(told["before"])
        return f"{before} → {value(told.get('value'))}{_where(told, sites)}"
    if item["action"] == "setting.taken_back":
        return f"was {value(told.get('value'))}{_where(told, sites)}"
    pairs = []
    for name, given in told.items():
        if given in (None, [], ""):
            continue
        label = _LABELS.get(name) or words.say({}, name).lower()
        if item["action"].endswith("changed") and isinstance(given, list) and len(given) == 2:
            before, after = (_named(name, one, sites) for one in given)
            pairs.append(f"{label}: {before} → {after}")
        else:
            pairs.append(f"{label}: {_named(name, given, sites)}")
    return "; ".join(pairs) or "—"


def sites_in(item: Mapping[str, Any]) -> set[int]:
    """The ids of the sites that :func:`detail` names."""
    found: set[int] = set()
    waiting = [item["detail"].get("site_id"), item["detail"].get("site_ids")]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, int):
            found.add(one)
    return found


def _named(field: str, given: Any, sites: Sites) -> str:
    """Sites by their names; none of them means all."""
    if field == "site_ids":
        return value([site(one, sites) for one in given or ()]) if given else "every site"
    if field == "recurrence" and isinstance(given, Mapping):
        told = f"{rule_words(str(given.get('rrule', '')))} at {given.get('start_time')}"
        return f"{told} for {given.get('duration_minutes')} min"
    if field == "site_id":
        return site(given, sites)
    if field == "geofence_polygon" and isinstance(given, list):
        return area(given)
    if field in ("lat", "lon") and isinstance(given, float):
        return f"{given:.5f}"
    return value(given)


def area(ring: Sequence[Sequence[float]]) -> str:
    """A geofence with corners, in words."""
    return f"an area of {len(ring) - (ring[0] == ring[-1])} corners"


def _where(told: Mapping[str, Any], sites: Sites) -> str:
    return f" at {site(told['site_id'], sites)}" if told.get("site_id") else ""


def site(site_id: Any, sites: Sites) -> str:
    """A site's name."""
    found = sites.get(str(site_id))
    return found["name"] if found else f"site {site_id}"

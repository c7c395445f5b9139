"""The words people read for what the tables call by code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SEVERITY = {
    "CRITICAL": "Critical",
    "HIGH": "High",
    "MEDIUM": "Medium",
    "LOW": "Low",
    "INFO": "Info",
}

RISK = {"MINIMAL": "Minimal", "LOW": "Low", "MEDIUM": "Medium", "HIGH": "High"} | {
    "CRITICAL": "Critical"
}

STATE = {
    "NEW": "New",
    "ACKNOWLEDGED": "Acknowledged",
    "ASSIGNED": "Assigned",
    "SHELVED": "Shelved",
    "RESOLVED": "Resolved",
    "IN_PROGRESS": "In progress",
    "ON_HOLD": "On hold",
    "CLOSED": "Closed",
    "CANCELLED": "Cancelled",
    "OPEN": "Open",
    "INVESTIGATING": "Investigating",
}

SLA = {
    "on_time": "In time",
    "at_risk": "At risk",
    "overdue": "Overdue",
    "paused": "On hold",
    "met": "Done in time",
    "missed": "Done late",
}

ANOMALY = {
    "GEOFENCE_VIOLATION": "Outside the site",
    "GPS_SPOOFING": "Faked location",
    "IMPOSSIBLE_TRAVEL": "Impossible travel",
    "BUDDY_PUNCHING": "Shared phone",
    "UNAUTHORIZED_SITE": "Not posted here",
    "OVERLAPPING_SHIFT": "Two shifts at once",
    "UNUSUAL_TIME": "Unusual hour",
    "BIOMETRIC_MISMATCH": "Face or print mismatch",
    "REPLAYED_PUNCH": "Replayed punch",
    "MODEL": "Unlike this guard's habits",
}

ALERT = {
    "ATTENDANCE_ANOMALY": "Attendance fraud",
    "ML_FRAUD_PREDICTION": "Attendance fraud (model)",
    "SOS": "SOS",
    "DEVICE_OFFLINE": "Phone offline",
    "DEVICE_SILENT": "Phone silent",
    "BASELINE_ANOMALY": "Unusual hour",
    "MODEL_DRIFT": "Model drift",
}

FINDING = {
    "DEVICE_SILENT": "Silent on duty",
    "POST_ABANDONED": "Post abandoned",
    "LOW_ACTIVITY": "Hardly any activity",
    "NO_MOVEMENT": "No movement",
    "TOUR_MISSED": "Round missed",
    "TOUR_LATE": "Round walked late",
    "BASELINE_ANOMALY": "Unusual hour",
}

CATEGORY = {"SECURITY_FRAUD": "Attendance fraud", "SECURITY_AUDIT": "Audit"}

SOURCE = {  # after "Opened ..."
    "AUTOMATED_AUDIT": " by the audit",
    "AUTOMATED_FRAUD": " by fraud scoring",
    "MANUAL": " by hand",
}

RESOLUTION = {
    "CONFIRMED": "Confirmed",
    "FALSE_POSITIVE": "False positive",
    "INCONCLUSIVE": "Inconclusive",
    "DUPLICATE": "Duplicate",
    "FIXED": "Fixed",
    "EXPIRED": "Expired",
}

PUNCH = {"in": "Punched in", "out": "Punched out", "presence": "Confirmed presence"}

KIND = {
    "alert": "Alert",
    "anomaly": "Anomaly",
    "fraud": "Fraud alert",
    "ticket": "Ticket",
    "finding": "Finding",
    "incident": "Incident",
}

KINDS = {
    "fraud": "Fraud",
    "alert": "Other alerts",
    "finding": "Findings",
    "incident": "Incidents",
    "ticket": "Tickets",
}
"""Names of the feed's filters by kind."""

ROLE = {
    "viewer": "Viewer",
    "operator": "Operator",
    "security_manager": "Security manager",
    "admin": "Administrator",
    "platform_admin": "Platform administrator",
}

CAPABILITY = {
    "noc:operate": "Operators and above have it.",
    "security:fraud:view": "Security managers and administrators have it.",
    "security:fraud:review": "Security managers and administrators have it.",
    "ml:train": "Administrators have it.",
    "admin": "Administrators have it.",
}

FEATURE = {
    "biometric_quality_score": "Biometric quality",
    "gps_accuracy": "GPS accuracy",
    "geofence_distance_meters": "Distance from the site",
    "time_of_day_anomaly_score": "Unusual hour",
    "day_of_week_pattern_score": "Fit to the weekday",
    "velocity_kmh": "Speed since last punch",
    "historical_fraud_rate": "Past fraud rate",
    "consecutive_violations": "Violations in a row",
    "tour_completion_rate": "Rounds completed",
    "phone_signal_strength": "Phone signal",
    "battery_level": "Battery",
    "location_update_frequency": "Location updates",
}

MODEL_STATUS = {
    "active": "Scores",
    "shadow": "Watches",
    "retired": "Retired",
    "rejected": "Rejected",
}

MODEL_TYPE = {
    "rules": "Rules",
    "xgboost": "Trees",
    "logistic": "Linear",
    "blend": "Trees and linear",
}

MODEL_CHANGE = {
    "registered": "Made",
    "activated": "Activated",
    "taken_back": "Taken back",
    "retired": "Retired",
}
METRIC = {
    "phone_events_count": "Phone events",
    "location_updates_count": "Location updates",
    "movement_distance_meters": "Metres walked",
    "tasks_completed_count": "Tasks completed",
    "tour_checkpoints_scanned": "Checkpoints scanned",
}
"""What baselines are kept of."""

BASELINE_LEVEL = {
    "hour_of_week": "This hour of the week",
    "hour_of_day": "This hour of any day",
    "all": "All hours together",
    "none": "Nothing can judge it",
}
"""Which baseline judges an hour, the finest first."""

BASELINE_CHANGE = {
    "tuned": "Tuned",
    "pinned": "Pinned",
    "unpinned": "Let go",
    "reset": "Forgotten",
}

GATE = {
    "labels": "Enough verdicts",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "certainty": "Enough frauds to be sure",
    "rules": "Better than the rules",
    "champion": "Not worse than the active one",
    "brier": "Calibration",
}
"""What a model must show before it may score, by name."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def say(words: Mapping[str, str], code: str | None) -> str:
    """The word for ``code``; the code itself, made readable, where there is none."""
    if not code:
        return "—"
    return words.get(code) or code.replace("_", " ").capitalize()


def count(number: int, one: str, many: str | None = None) -> str:
    """ "1 punch", "1,204 punches"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(seconds: float) -> str:
    """A length of time in its largest whole unit: ``3 h``; nothing below zero."""
    seconds = max(seconds, 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def for_script() -> dict[str, Any]:
    """The words that the feed's script needs for the frames it is sent."""
    return {
        "severity": SEVERITY,
        "sla": SLA,
        "state": STATE,
        "anomaly": ANOMALY,
        "alert": ALERT,
        "category": CATEGORY,
        "kind": KIND,
        "finding": FINDING,
        "resolution": RESOLUTION,
    }

"""What the five signals are called in sentences."""

from __future__ import annotations

METRIC_WORDS: dict[str, tuple[str, str]] = {
    "phone_events_count": ("phone events", ""),
    "location_updates_count": ("location updates", ""),
    "movement_distance_meters": ("movement", "m of "),
    "tasks_completed_count": ("tasks completed", ""),
    "tour_checkpoints_scanned": ("checkpoints scanned", ""),
}
"""Words and, before them, the unit."""

"""The rules of the audit: facts in, findings in the making out. Pure functions.

The numbers are starting points from the trade's practice, not measurements: a pulse every
quarter of an hour is what control rooms ask of guards who work alone; 200 m beyond the fence is
further than fixes are thrown between high walls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from noc.audit.drafts import Draft
from noc.audit.watch import WINDOW, Watch, Watched
from noc.identity.site_settings import SiteSettings

ABANDONED_METRES = 200.0
"""Beyond the geofence, a fix's accuracy taken off."""

ABANDONED_SPAN = dt.timedelta(minutes=10)
"""Two fixes at least so far apart agree that somebody is away."""

STILL_METRES = 10.0
STILL_FIXES = 4

LOW_EVENTS = 2
"""Phone events in two hours, fewer than which nobody is using the phone."""

LOW_METRES = 50.0


def silent(watch: Watch, config: SiteSettings) -> list[Draft]:
    """DEVICE_SILENT: nothing heard, by phone or punch, for a whole pulse of the shift."""
    return [
        _silent(one)
        for one in watch.on_duty
        if watch.at - _silent_since(one) >= pulse(config, one.duty.site_id)
    ]


def abandoned(watch: Watch) -> list[Draft]:
    """POST_ABANDONED: every recent fix is well outside the geofence of the post."""
    return [_abandoned(one) for one in watch.on_duty if _is_away(one)]


def low_activity(watch: Watch, config: SiteSettings) -> list[Draft]:
    """LOW_ACTIVITY: the phone is heard, and yet nobody does anything with it or walks."""
    return [
        _low(one)
        for one in watch.on_duty
        if one.on_duty_for >= WINDOW and _is_heard(one, config) and _does_little(one)
    ]


def no_movement(watch: Watch, config: SiteSettings, walkers: Collection[int]) -> list[Draft]:
    """NO_MOVEMENT: fixes come in from one spot, of somebody who had a round to walk.

    ``walkers`` had one in the window; whoever sits at a desk is meant to sit there.
    """
    return [
        _still(one)
        for one in watch.on_duty
        if one.duty.person_id in walkers
        and one.on_duty_for >= WINDOW
        and _is_heard(one, config)
        and one.signals.location_updates_count >= STILL_FIXES
        and one.signals.movement_distance_meters < STILL_METRES
    ]


def pulse(config: SiteSettings, site_id: int) -> dt.timedelta:
    """How often something is to be heard at the site."""
    return dt.timedelta(minutes=config.at(site_id).audit_pulse_minutes)


def _silent_since(one: Watched) -> dt.datetime:
    """Since when nothing was heard: the last sign of life, or the beginning of the shift."""
    return max(filter(None, (one.last_heard_at, one.duty.starts_at)))


def _is_heard(one: Watched, config: SiteSettings) -> bool:
    return one.at - _silent_since(one) < pulse(config, one.duty.site_id)


def _is_away(one: Watched) -> bool:
    place = one.whereabouts
    return (
        place is not None
        and place.nearest > ABANDONED_METRES
        and place.last_at - place.first_at >= ABANDONED_SPAN
        and place.first_at >= one.duty.starts_at
    )


def _does_little(one: Watched) -> bool:
    signals = one.signals
    return (
        signals.phone_events_count < LOW_EVENTS
        and signals.tasks_completed_count == 0
        and signals.tour_checkpoints_scanned == 0
        and signals.movement_distance_meters < LOW_METRES
    )


def _silent(one: Watched) -> Draft:
    since = _silent_since(one)
    minutes = int((one.at - since).total_seconds() // 60)
    if one.last_heard_at is None:
        words = f"Nothing has been heard of {one.person_name} in this shift"
        if one.on_duty_for > WINDOW:
            words = f"Nothing has been heard of {one.person_name} for two hours or more"
    else:
        words = f"Nothing has been heard of {one.person_name} for {minutes} minutes"
    return Draft(
        "DEVICE_SILENT",
        "HIGH",
        f"{one.person_name} is silent at {one.site.name}",
        f"{words}: no signal of the phone and no punch since {since:%H:%M} UTC.",
        one.duty.site_id,
        one.duty.person_id,
        since,
        one.at,
        _evidence(one) | {"silent_since": since.isoformat(), "silent_minutes": minutes},
    )


def _abandoned(one: Watched) -> Draft:
    place = one.whereabouts
    if place is None:
        raise ValueError("nobody is away of whom nothing is known")
    return Draft(
        "POST_ABANDONED",
        "CRITICAL",
        f"{one.person_name} has left {one.site.name}",
        f"{place.fixes} fixes of {one.person_name} from {place.first_at:%H:%M} to "
        f"{place.last_at:%H:%M} UTC are all at least {place.nearest:.0f} m outside the geofence "
        f"of {one.site.name}, {place.latest:.0f} m by the last.",
        one.duty.site_id,
        one.duty.person_id,
        place.first_at,
        one.at,
        _evidence(one)
        | {
            "fixes": place.fixes,
            "nearest_meters": round(place.nearest, 1),
            "latest_meters": round(place.latest, 1),
        },
    )


def _low(one: Watched) -> Draft:
    signals = one.signals
    return Draft(
        "LOW_ACTIVITY",
        "MEDIUM",
        f"Hardly any activity of {one.person_name} at {one.site.name}",
        f"In two hours {signals.phone_events_count} phone events, no task, no checkpoint and "
        f"{signals.movement_distance_meters:.0f} m of movement, though the phone is heard.",
        one.duty.site_id,
        one.duty.person_id,
        one.at - WINDOW,
        one.at,
        _evidence(one),
    )


def _still(one: Watched) -> Draft:
    signals = one.signals
    return Draft(
        "NO_MOVEMENT",
        "MEDIUM",
        f"{one.person_name} does not move at {one.site.name}",
        f"{signals.location_updates_count} fixes in two hours show "
        f"{signals.movement_distance_meters:.0f} m of movement, though a round was due.",
        one.duty.site_id,
        one.duty.person_id,
        one.at - WINDOW,
        one.at,
        _evidence(one),
    )


def _evidence(one: Watched) -> dict[str, object]:
    heard = one.last_heard_at
    return {
        "shift_id": one.duty.shift_id,
        "on_duty_since": one.duty.starts_at.isoformat(),
        "last_heard_at": heard.isoformat() if heard else None,
        "window_minutes": int(WINDOW.total_seconds() // 60),
        "signals": one.signals.as_dict(),
    }

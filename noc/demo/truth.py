"""Words of the ground truth: what a simulated punch really is.

They live in the simulation's memory, to drive simulated reviewers and to measure the detectors.
No row of the database and no request carries them.
"""

from __future__ import annotations

from enum import IntEnum


class Typology(IntEnum):
    """How a punch is fraudulent; ``HONEST`` for one that is not."""

    HONEST = 0
    BUDDY = 1
    MOCK_GPS = 2
    GEOFENCE = 3
    TRAVEL = 4
    GHOST = 5
    EARLY = 6
    REPLAY = 7
    UNAUTHORISED = 8
    OVERLAP = 9
    HOURS = 10


class Lookalike(IntEnum):
    """Why an honest punch looks odd; ``NONE`` for one that does not."""

    NONE = 0
    GPS_DRIFT = 1
    NEW_PHONE = 2
    POOR_BIOMETRIC = 3
    SWAPPED_SHIFT = 4
    LATE_ARRIVAL = 5
    BORROWED_PHONE = 6
    SENT_LATE = 7
    RELIEF = 8
    OVERTIME = 9
    DEVELOPER_PHONE = 10


CAREERS: tuple[Typology, ...] = (
    Typology.BUDDY,
    Typology.MOCK_GPS,
    Typology.EARLY,
    Typology.TRAVEL,
    Typology.GEOFENCE,
    Typology.REPLAY,
    Typology.BUDDY,
    Typology.UNAUTHORISED,
    Typology.OVERLAP,
    Typology.HOURS,
    Typology.GHOST,
    Typology.MOCK_GPS,
)
"""Main typology of the dishonest guards, dealt in this order; the commoner ones come twice."""

"""Makes rows of the domain for tests, with defaults that are plausible and easy to override."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.database.base import Base
from noc.identity.models import User
from noc.workforce.models import Absence, Device, Person, Shift, Site

NOW = dt.datetime(2026, 11, 16, 9, 0, tzinfo=dt.UTC)
"""A Monday morning; tests that need a present use it."""

T = TypeVar("T", bound=Base)
_number = itertools.count(1)


class Make:
    """Rows of one tenant; each method adds and flushes one and returns it."""

    def __init__(self, session: Session, tenant_id: int) -> None:
        self.session = session
        self.tenant_id = tenant_id

    def user(self, role: str = "security_manager", **values: Any) -> User:
        """A user who cannot sign in (no usable password) unless ``password_hash`` is given."""
        n = next(_number)
        defaults = {
            "email": f"user{n}@acme.example",
            "name": f"User {n}",
            "role": role,
            "password_hash": "!",
        }
        return self.row(User, defaults | values)

    def site(self, **values: Any) -> Site:
        """A site in Mumbai with a geofence of 150 m."""
        n = next(_number)
        defaults = {
            "code": f"S{n}",
            "name": f"Site {n}",
            "timezone": "Asia/Kolkata",
            "lat": 19.0760,
            "lon": 72.8777,
            "geofence_radius": 150.0,
        }
        return self.row(Site, defaults | values)

    def person(self, site: Site | None = None, **values: Any) -> Person:
        """A guard, at home on ``site``."""
        n = next(_number)
        defaults = {
            "code": f"G{n}",
            "name": f"Guard {n}",
            "home_site_id": site.id if site else None,
        }
        return self.row(Person, defaults | values)

    def device(self, **values: Any) -> Device:
        """A phone."""
        return self.row(Device, {"code": f"D{next(_number)}"} | values)

    def shift(self, person: Person, site: Site, starts_at: dt.datetime, hours: float = 8) -> Shift:
        """A shift of ``hours``."""
        ends_at = starts_at + dt.timedelta(hours=hours)
        values = {
            "person_id": person.id,
            "site_id": site.id,
            "starts_at": starts_at,
            "ends_at": ends_at,
        }
        return self.row(Shift, values)

    def absence(self, person: Person, starts_at: dt.datetime, days: float = 1) -> Absence:
        """Approved leave."""
        values = {
            "person_id": person.id,
            "starts_at": starts_at,
            "ends_at": starts_at + dt.timedelta(days=days),
            "approved": True,
        }
        return self.row(Absence, values)

    def punch(self, person: Person, site: Site, **values: Any) -> AttendanceEvent:
        """A clean punch at the site's centre; stored directly, so nothing is announced."""
        defaults = {
            "external_id": f"p{next(_number)}",
            "person_id": person.id,
            "site_id": site.id,
            "kind": "in",
            "occurred_at": NOW,
            "lat": site.lat,
            "lon": site.lon,
            "gps_accuracy": 12.0,
            "biometric_quality_score": 0.93,
            "mock_location": False,
            "phone_signal_strength": -75.0,
            "battery_level": 80.0,
        }
        return self.row(AttendanceEvent, defaults | values)

    def row(self, model: type[T], values: dict[str, Any]) -> T:
        """Any row of the tenant."""
        row = model(tenant_id=self.tenant_id, **values)
        self.session.add(row)
        self.session.flush()
        return row

"""A control room with people on call."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.alerts.dedup import AlertInput
from noc.alerts.models import AlertChange
from noc.alerts.process import process_alert
from noc.database.tenancy import tenant_context
from noc.events.models import EventLog
from noc.notifications.models import NotificationDelivery, NotificationRoute
from noc.oncall import escalation, policies, schedules
from noc.oncall.models import AlertEscalation
from noc.oncall.schemas import PolicyIn, ScheduleIn
from tests.factories import NOW, Make

MINUTE = dt.timedelta(minutes=1)


def at(minutes: float) -> dt.datetime:
    """So many minutes after NOW."""
    return NOW + minutes * MINUTE


class Room:
    """Has alerts raised and steps taken at given minutes after NOW."""

    def __init__(self, make: Make, session: Session) -> None:
        self.make = make
        self.session = session
        self._number = 0

    def schedule(self, *members: int, **values: Any) -> int:
        """A schedule by which the members take turns, a day each, from NOW's day on."""
        self._number += 1
        given = {
            "name": f"Schedule {self._number}",
            "timezone": "UTC",
            "members": list(members),
            "rotation": "daily",
            "handover_time": "00:00",
            "starts_on": "2026-11-16",
        }
        made = schedules.create(ScheduleIn(**given | values), now=NOW)
        self.session.commit()
        return made.id

    def policy(self, *steps: dict[str, Any], **values: Any) -> int:
        """A policy of these steps, for every alert unless ``values`` say otherwise."""
        self._number += 1
        given = {
            "name": f"Policy {self._number}",
            "position": self._number,
            "min_severity": "INFO",
            "steps": list(steps),
        }
        made = policies.create(PolicyIn(**given | values), now=NOW)
        self.session.commit()
        return made.id

    def alert(self, severity: Any = "CRITICAL", *, minute: float = 0, **values: Any) -> int:
        """An alert that is reported in this minute; its id."""
        self._number += 1
        given = {
            "alert_type": "DOOR",
            "message": "Door forced",
            "metadata": {},
            "dedup_key": f"trouble-{self._number}",
            "occurred_at": at(minute),
        }
        done = process_alert(AlertInput(severity=severity, **given | values), now=at(minute))
        self.session.commit()
        return done.id

    def work(self, minute: float) -> list[str]:
        """Take every step that is due in this minute; what came of each."""
        outcomes = []
        with tenant_context(self.session, self.make.tenant_id):
            while done := escalation.take_next(now=at(minute)):
                self.session.commit()
                outcomes.append(done.outcome)
            self.session.rollback()
        return outcomes

    def runs(self) -> list[AlertEscalation]:
        """All escalations, in the order they began."""
        self.session.expire_all()
        return list(self.session.scalars(select(AlertEscalation).order_by(AlertEscalation.id)))

    def states(self) -> list[str]:
        """Where each stands."""
        return [run.state for run in self.runs()]

    def told(self, kind: str = "escalation") -> list[tuple[int | None, str]]:
        """Whom deliveries of the kind are for: the user, and the route's name."""
        rows = self.session.execute(
            select(NotificationRoute.user_id, NotificationRoute.name)
            .join(
                NotificationDelivery,
                (NotificationDelivery.tenant_id == NotificationRoute.tenant_id)
                & (NotificationDelivery.route_id == NotificationRoute.id),
            )
            .where(NotificationDelivery.kind == kind)
            .order_by(NotificationDelivery.event_id, NotificationRoute.id)
        )
        return [(row.user_id, row.name) for row in rows]

    def people_told(self) -> list[int | None]:
        """The users that were told, in order."""
        return [user_id for user_id, _ in self.told()]

    def history(self, alert_id: int, action: str = "escalated") -> list[dict[str, Any]]:
        """What the alert's history says of it."""
        rows = self.session.scalars(
            select(AlertChange)
            .where(AlertChange.alert_id == alert_id, AlertChange.action == action)
            .order_by(AlertChange.id)
        )
        return [row.detail or {} for row in rows]

    def notes(self, alert_id: int) -> list[str | None]:
        """What the alert's history says to people, after its beginning."""
        query = select(AlertChange.note).where(AlertChange.alert_id == alert_id)
        return list(self.session.scalars(query.order_by(AlertChange.id)))[1:]

    def events(self) -> list[dict[str, Any]]:
        """What the feed was told of alerts, in order."""
        return list(self.session.scalars(select(EventLog.payload).order_by(EventLog.seq)))


@pytest.fixture
def room(make: Make, session: Session) -> Room:
    """A control room."""
    return Room(make, session)

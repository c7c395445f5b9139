"""Simulated managers: they resolve fraud tickets late, some never, now and then wrongly.

All they do goes through the tickets' workflow, the alerts' life cycle and the review of single
punches, like the work of real ones. Only they know the truth, and only about what they look at.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import select

from noc.alerts.lapsing import expire_stale, lapse_acknowledgements
from noc.alerts.models import Alert
from noc.alerts.steps import take
from noc.alerts.transitions import Step
from noc.demo.storing import Ids
from noc.demo.world import Company
from noc.extensions import session
from noc.fraud.labels import label_punches
from noc.fraud.models import PredictionLog
from noc.fraud.review import audits
from noc.fraud.review.models import AuditDraw
from noc.identity.tenant_settings import override
from noc.tickets import workflow
from noc.tickets.lateness import mark_overdue
from noc.tickets.models import OPEN_STATUSES, Ticket, TicketEvidence

NEVER_LOOKED_AT = 0.12
INCONCLUSIVE = 0.07
"""Shares: tickets nobody gets to, tickets without a finding."""

ACQUITTED, ACCUSED = 0.08, 0.004
"""Wrong verdicts: frauds that are talked away, innocents who are blamed."""

TRIAGE_HOURS, REVIEW_HOURS = 2.0, 18.0
"""Mean time until somebody begins, median time from there to the verdict (log-normal)."""

PACE, REVIEWS_A_DAY = 240, 8
"""In a company of 240 guards: reviews a day as its setting says, of which 5 % are random audits,
and how many of the highest scores that nobody has looked at people really get to."""

LEAST_REVIEWED = 0.2
"""Nobody looks into a punch below this because of its score."""

SEEN_AFTER, CLOSED_AFTER = dt.timedelta(hours=3), dt.timedelta(hours=48)
"""When an alert is acknowledged at the latest, and closed, by then with or without a verdict."""

_DAY = dt.timedelta(days=1)


@dataclass(order=True)
class _Task:
    at: dt.datetime
    number: int
    action: Callable[[dt.datetime], None] = field(compare=False)


def set_pace(company: Company, now: dt.datetime) -> None:
    """Say in the tenant's settings how many punches a day its people review."""
    pace = max(1, round(PACE * len(company.guards) / 240))
    override("fraud_reviews_per_day", pace, site_id=None, now=now)


def catch_up(now: dt.datetime) -> None:
    """What time brings by itself: stale alerts expire, acknowledgements lapse, tickets are late.

    Else all of the past would come in the first minutes of the stream.
    """
    for work in (expire_stale, lapse_acknowledgements, mark_overdue):
        _drained(work, now)


def _drained(work: Callable[..., int], now: dt.datetime) -> None:
    while work(now=now):
        session().commit()


class Reviewers:
    """The managers and operators of one company, working through its past in time order."""

    def __init__(self, company: Company, ids: Ids) -> None:
        """Nothing is reviewed yet."""
        self._ids = ids
        self._rng = company.rng("reviewers")
        self._truth: dict[int, bool] = {}
        self._agenda: list[_Task] = []
        self._number = 0
        self._newest_ticket = 0
        self._share = len(company.guards) / 240
        self._reviewed: dt.datetime | None = None
        self._verdicts: dict[int, bool] = {}

    def learn(self, truth: Mapping[int, bool]) -> None:
        """Take in what the punches of a batch really are, and what tickets they led to."""
        self._truth.update(truth)
        tickets = session().execute(
            select(Ticket.id, Ticket.created_at)
            .where(
                Ticket.tenant_id == self._ids.tenant_id,
                Ticket.category == "SECURITY_FRAUD",
                Ticket.id > self._newest_ticket,
            )
            .order_by(Ticket.id)
        )
        for ticket_id, created_at in tickets.all():
            self._newest_ticket = ticket_id
            self._put_on_agenda(ticket_id, created_at)

    def work(self, *, until: dt.datetime) -> None:
        """Do what was due by ``until``, each thing at its own time. Commits."""
        while self._agenda and self._agenda[0].at <= until:
            task = heapq.heappop(self._agenda)
            task.action(task.at)
        while self._reviewed is None or self._reviewed + _DAY <= until:
            self._reviewed = self._reviewed + _DAY if self._reviewed else until
            self._review_punches(self._reviewed)
            _drained(expire_stale, self._reviewed)
        self._look_at_alerts(until)
        session().commit()

    def _put_on_agenda(self, ticket_id: int, created_at: dt.datetime) -> None:
        rng = self._rng
        if rng.random() < NEVER_LOOKED_AT:
            return
        begun = created_at + dt.timedelta(hours=float(rng.exponential(TRIAGE_HOURS)))
        hours = float(rng.lognormal(np.log(REVIEW_HOURS), 0.9))
        self._plan(begun, lambda at: self._begin(ticket_id, at))
        self._plan(
            begun + dt.timedelta(hours=min(hours, 14 * 24)), lambda at: self._resolve(ticket_id, at)
        )

    def _plan(self, at: dt.datetime, action: Callable[[dt.datetime], None]) -> None:
        self._number += 1
        heapq.heappush(self._agenda, _Task(at, self._number, action))

    def _begin(self, ticket_id: int, at: dt.datetime) -> None:
        ticket = self._open(ticket_id)
        if ticket is not None and ticket.status in ("NEW", "ASSIGNED"):
            workflow.transition(ticket_id, "IN_PROGRESS", user_id=self._reviewer(ticket), now=at)

    def _resolve(self, ticket_id: int, at: dt.datetime) -> None:
        ticket = self._open(ticket_id)
        if ticket is None:
            return
        user_id = self._reviewer(ticket)
        if self._rng.random() < INCONCLUSIVE:
            workflow.transition(
                ticket_id, "RESOLVED", user_id=user_id, now=at, resolution="INCONCLUSIVE",
                comment="The footage of that hour is gone.",
            )  # fmt: skip
            return
        verdicts = {punch: self._judge(punch) for punch in self._evidence(ticket_id)}
        confirmed = any(verdicts.values())
        workflow.transition(
            ticket_id,
            "RESOLVED",
            user_id=user_id,
            now=at,
            resolution="CONFIRMED" if confirmed else "FALSE_POSITIVE",
            comment="Checked with the site." if confirmed else "Explained by the supervisor.",
            verdicts={
                punch: "CONFIRMED" if fraud else "FALSE_POSITIVE"
                for punch, fraud in verdicts.items()
            },
        )

    def _open(self, ticket_id: int) -> Ticket | None:
        ticket = session().get(Ticket, (self._ids.tenant_id, ticket_id))
        return ticket if ticket is not None and ticket.status in OPEN_STATUSES else None

    def _reviewer(self, ticket: Ticket) -> int:
        return ticket.assignee_id or self._ids.users["manager"]

    def _evidence(self, ticket_id: int) -> list[int]:
        refs = session().scalars(
            select(TicketEvidence.ref).where(
                TicketEvidence.tenant_id == self._ids.tenant_id,
                TicketEvidence.ticket_id == ticket_id,
                TicketEvidence.kind == "punch",
            )
        )
        return sorted(int(ref) for ref in refs)

    def _judge(self, punch_id: int) -> bool:
        """Whether it is fraud, as far as the reviewer can tell; asked again, the same answer."""
        if punch_id not in self._verdicts:
            truth = self._truth.get(punch_id, False)
            wrong = self._rng.random() < (ACQUITTED if truth else ACCUSED)
            self._verdicts[punch_id] = truth is not wrong
        return self._verdicts[punch_id]

    def _review_punches(self, at: dt.datetime) -> None:
        """Look into punches of the day before: those drawn at random, and the highest scores."""
        yesterday = (at - _DAY).date()
        audits.draw(yesterday, tenant_id=self._ids.tenant_id, now=at)
        rows = session().execute(
            select(PredictionLog.attendance_event_id, PredictionLog.fraud_score)
            .where(
                PredictionLog.tenant_id == self._ids.tenant_id,
                PredictionLog.occurred_at >= at - 2 * _DAY,
                PredictionLog.occurred_at < at - _DAY,
                PredictionLog.fraud_score >= LEAST_REVIEWED,
                PredictionLog.actual_fraud_detected.is_(None),
                ~PredictionLog.is_shadow,
            )
            .order_by(PredictionLog.fraud_score.desc(), PredictionLog.attendance_event_id)
            .limit(self._times(REVIEWS_A_DAY))
        )
        self._label([row.attendance_event_id for row in rows], "review", at)
        drawn = session().scalars(
            select(AuditDraw.attendance_event_id)
            .join(
                PredictionLog,
                (PredictionLog.tenant_id == AuditDraw.tenant_id)
                & (PredictionLog.attendance_event_id == AuditDraw.attendance_event_id)
                & ~PredictionLog.is_shadow,
            )
            .where(
                AuditDraw.tenant_id == self._ids.tenant_id,
                AuditDraw.drawn_at <= at,
                PredictionLog.actual_fraud_detected.is_(None),
            )
            .order_by(AuditDraw.attendance_event_id)
        )
        self._label(list(drawn), "audit", at)

    def _times(self, a_day: int) -> int:
        return max(1, round(a_day * self._share))

    def _label(self, punches: Sequence[int], source: str, at: dt.datetime) -> None:
        label_punches(
            {punch: self._judge(punch) for punch in punches},
            tenant_id=self._ids.tenant_id,
            source=source,
            labelled_by=self._ids.users["manager"],
            now=at,
        )

    def _look_at_alerts(self, until: dt.datetime) -> None:
        """Acknowledge alerts, and close old ones with the verdict on their punch, if any."""
        rows = (
            session()
            .execute(
                select(Alert.id, Alert.status, Alert.entity_id, Alert.occurred_at).where(
                    Alert.tenant_id == self._ids.tenant_id,
                    Alert.status != "RESOLVED",
                    Alert.entity_type == "punch",
                    Alert.occurred_at < until - SEEN_AFTER,
                )
            )
            .all()
        )
        steps: dict[str, list[int]] = {}
        for row in rows:
            if row.occurred_at < until - CLOSED_AFTER:
                verdict = self._verdicts.get(int(row.entity_id or 0))
                steps.setdefault(_RESOLUTIONS[verdict], []).append(row.id)
            elif row.status == "NEW":
                steps.setdefault("acknowledge", []).append(row.id)
        user_id = self._ids.users["operator"]
        for what, alerts in sorted(steps.items()):
            if what == "acknowledge":
                take(Step("acknowledge", until, user_id), alerts)
            else:
                take(Step("resolve", until, user_id, resolution=what), alerts)


_RESOLUTIONS = {True: "CONFIRMED", False: "FALSE_POSITIVE", None: "EXPIRED"}

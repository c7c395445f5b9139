"""Who listens to whom: the one place where a lower folder's news reaches a higher one.

A folder announces what happened in it with a blinker signal, sent inside the transaction; the
listeners connected here do their part in that same transaction.
"""

from __future__ import annotations

from noc.alerts.queries import alert_place, contribute
from noc.alerts.signals import alert_resolved, alerts_reopened, alerts_stepped
from noc.alerts.sos import raise_sos_alerts
from noc.attendance.signals import punch_voided, punches_stored
from noc.audit import evidence, word
from noc.audit.signals import finding_resolved
from noc.events import log
from noc.events.access import on_access_changed
from noc.events.news import news_committing
from noc.events.targets import use_place
from noc.extensions import db
from noc.fraud.labels import on_ticket_reopened, on_ticket_resolved
from noc.fraud.listening import on_punches_stored
from noc.fraud.predictor import use_models
from noc.fraud.registry.speaking import speakers
from noc.fraud.retraining.signals import training_keeps_failing
from noc.fraud.withdrawal import on_punch_voided
from noc.identity.signals import access_changed
from noc.notifications.outbox import on_news
from noc.notifications.training import on_training_keeps_failing
from noc.oncall import beginning
from noc.oncall.queries import escalation_of
from noc.telemetry.announcements import sos_received
from noc.tickets.queries import ticket_place
from noc.tickets.signals import (
    evidence_changed,
    evidence_changing,
    ticket_reopened,
    ticket_reopening,
    ticket_resolved,
    ticket_resolving,
)


def connect() -> None:
    """Connect every listener. Connecting twice is the same as once."""
    log.install(db.session.session_factory)
    use_place("alert", alert_place)
    use_place("ticket", ticket_place)
    access_changed.connect(on_access_changed)
    sos_received.connect(raise_sos_alerts)
    use_models(speakers)
    punches_stored.connect(on_punches_stored)
    punch_voided.connect(on_punch_voided)
    ticket_resolved.connect(on_ticket_resolved)
    ticket_reopened.connect(on_ticket_reopened)
    ticket_resolving.connect(word.on_ticket_resolving)
    ticket_resolved.connect(word.on_ticket_resolved)
    ticket_reopening.connect(word.on_ticket_reopening)
    evidence_changing.connect(evidence.on_evidence_changing)
    evidence_changed.connect(evidence.on_evidence_changed)
    alerts_stepped.connect(word.on_alerts_stepped)
    alert_resolved.connect(word.on_alert_resolved)
    alerts_reopened.connect(word.on_alerts_reopened)
    finding_resolved.connect(word.on_finding_resolved)
    news_committing.connect(on_news)
    news_committing.connect(beginning.on_news)
    alerts_stepped.connect(beginning.on_alerts_stepped)
    contribute("escalation", escalation_of)
    training_keeps_failing.connect(on_training_keeps_failing)

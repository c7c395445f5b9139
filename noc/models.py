"""Every table, in one place: import this module where the whole metadata is needed."""

from noc.alerts import models as alerts
from noc.alerts.suppression import models as suppression
from noc.attendance import models as attendance
from noc.audit import models as audit
from noc.database.base import Base
from noc.events import models as events
from noc.fraud import models as fraud
from noc.fraud.registry import models as fraud_registry
from noc.fraud.review import models as fraud_review
from noc.identity import models as identity
from noc.incidents import models as incidents
from noc.notifications import models as notifications
from noc.oncall import models as oncall
from noc.runs import models as runs
from noc.telemetry import models as telemetry
from noc.tickets import models as tickets
from noc.workforce import models as workforce

__all__ = [
    "alerts",
    "attendance",
    "audit",
    "events",
    "fraud",
    "fraud_registry",
    "fraud_review",
    "identity",
    "incidents",
    "metadata",
    "notifications",
    "oncall",
    "runs",
    "suppression",
    "telemetry",
    "tickets",
    "workforce",
]

metadata = Base.metadata

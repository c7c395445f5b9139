"""Why a step is not taken on an alert."""

from __future__ import annotations

from sqlalchemy import select

from noc.alerts.models import Alert
from noc.alerts.transitions import Action, allowed_actions
from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.assignees import Assignee
from noc.rest.problems import Problem


def open_elsewhere(alert: Alert) -> Problem:
    """409, naming the other alert of the same trouble. One query."""
    open_id = session().scalar(
        select(Alert.id).where(
            Alert.tenant_id == required_tenant(),
            Alert.dedup_key == alert.dedup_key,
            Alert.status != "RESOLVED",
        )
    )
    return Problem(
        409,
        f"Alert {open_id} of the same trouble is open already: go on with that one.",
        open_alert_id=open_id,
    )


def not_allowed(action: Action, alert: Alert) -> Problem:
    """409, naming what can be done."""
    allowed = allowed_actions(alert.status)
    return Problem(
        409,
        f"An alert that is {alert.status} cannot be treated so: {action}. "
        f"Possible: {', '.join(allowed)}.",
        current_status=alert.status,
        allowed=allowed,
    )


def not_theirs(assignee: Assignee) -> Problem:
    """422: whoever is to have it does not see its site."""
    reason = f"{assignee.name} does not see the alert's site"
    return Problem(
        422,
        "The work cannot be given to this user.",
        errors=[{"field": "assignee_id", "reason": reason}],
    )

"""Training that keeps failing is told to the admins, who can do something about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import redis
import structlog
from rq import Retry
from sqlalchemy import select

from noc.database.tenancy import after_commit
from noc.extensions import queue, session, settings
from noc.identity.models import Tenant, User
from noc.monitoring import metrics
from noc.notifications.mail import send

log = structlog.get_logger(__name__)

MAIL_JOB = "jobs.notifications.mail_admins"

_RETRY = Retry(max=5, interval=[60, 300, 900, 3600, 14_400])
_FAILURE_SECONDS = 7 * 86_400


def on_training_keeps_failing(
    _: Any, *, tenant_id: int, reasons: Sequence[str], now: dt.datetime
) -> None:
    """Queue a mail to the tenant's admins once the run has been stored."""
    subject = "The fraud model could not be renewed twice in a row"
    told = "\n\n".join(f"{when}: {reason}" for when, reason in zip(_WHEN, reasons, strict=False))
    body = (
        "Two trainings in a row brought no model that may score by itself. What scored before "
        f"goes on scoring.\n\n{told}\n\n"
        "Every verdict on a fraud ticket or in the review queue helps the next training. "
        f"Told at {now:%Y-%m-%d %H:%M} UTC; the next failures are not mailed until one succeeds.\n"
    )

    def ask() -> None:
        _queue(tenant_id, subject, body)

    after_commit(session(), ask)


_WHEN = ("The latest", "The one before")


def _queue(tenant_id: int, subject: str, body: str) -> None:
    try:
        queue("reports").enqueue(
            MAIL_JOB,
            tenant_id,
            subject,
            body,
            retry=_RETRY,
            job_timeout=120,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
        )
    except redis.RedisError as error:
        metrics.FAILURES.labels("mail_enqueue").inc()
        log.warning("mail_not_queued", tenant_id=tenant_id, error=str(error))


def mail_admins(tenant_id: int, subject: str, body: str) -> int:
    """Send it to every admin of the tenant who can sign in; how many.

    Where no ``SMTP_URL`` is set nothing is sent, and the log says so; nobody reads the mail of a
    simulated tenant. MailFailed and ValueError as :func:`noc.notifications.mail.send`.
    """
    if session().scalar(select(Tenant.simulated).where(Tenant.id == tenant_id)) is not None:
        session().rollback()
        return 0
    addresses = session().scalars(
        select(User.email)
        .where(User.tenant_id == tenant_id, User.active, User.role.in_(("admin", "platform_admin")))
        .order_by(User.id)
    )
    recipients = list(addresses)
    session().rollback()
    if not settings().smtp_url or not recipients:
        log.warning("mail_not_sent", subject=subject, configured=bool(settings().smtp_url))
        return 0
    send(settings().smtp_url, recipients, subject, body)
    return len(recipients)

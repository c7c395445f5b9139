"""Tables of notifications: who is told of what, and what became of each telling."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    IntKeyed,
    UuidKeyed,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)
from noc.domain import SEVERITIES
from noc.events.news import NEWS_KINDS

CHANNELS = ("email", "slack", "webhook")
STATES = ("pending", "sent", "dead")
TEST = "test"
"""The kind of a message that somebody asked for to see whether it arrives."""

ESCALATION = "escalation"
"""The kind of a message that is addressed: no route takes it unless it is named."""


class NotificationRoute(IntKeyed, Base):
    """Whom to tell (``url`` or ``addresses``), and of what.

    One with a ``user_id`` is personal: it takes no news, only what is addressed to the user. An
    ``email`` one without addresses leads to the address the user has when it is sent.

    An empty ``site_ids`` or ``kinds`` leaves nothing out. ``url`` may hold a secret and
    ``signing_secret`` is one: neither is ever answered or logged. Until ``held_until`` nothing
    is sent, because the last attempt failed.
    """

    __tablename__ = "notification_route"

    name: Mapped[str]
    user_id: Mapped[int | None]
    channel: Mapped[str]
    url: Mapped[str | None]
    addresses: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    signing_secret: Mapped[str | None]
    site_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    min_severity: Mapped[str] = mapped_column(server_default=text("'INFO'"))
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    held_until: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = stored_now()
    updated_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        belongs_to("user_id", "noc_user", ondelete="CASCADE"),
        CheckConstraint(one_of("channel", CHANNELS), name="channel"),
        CheckConstraint(one_of("min_severity", SEVERITIES), name="min_severity"),
        CheckConstraint(
            "(channel = 'email') = (url IS NULL) AND "
            "CASE WHEN channel = 'email' THEN addresses <> '{}' OR user_id IS NOT NULL "
            "ELSE addresses = '{}' END",
            name="target",
        ),
        CheckConstraint("(channel = 'webhook') = (signing_secret IS NOT NULL)", name="secret"),
        index("uq_notification_route_name", "name", where="user_id IS NULL", unique=True),
        index(
            "uq_notification_route_own_mail",
            "user_id",
            where="channel = 'email' AND addresses = '{}'",
            unique=True,
        ),
        index("ix_notification_route_user", "user_id"),
    )


class NotificationDelivery(UuidKeyed, Base):
    """One piece of news on its way by one route; stored in the transaction of the event.

    ``payload`` is the event's, so that it can be sent again when the log has forgotten it;
    ``event_id`` and ``site_id`` are no foreign keys, as in the log.
    ``next_attempt_at`` holds from the first failure on. ``left_over`` are the addresses that a mail
    server refused for now, when the others took it: it is sent to nobody else again.
    ``last_error`` is in our own words: never what the other side answered, nor an address.
    """

    __tablename__ = "notification_delivery"

    route_id: Mapped[int]
    event_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    kind: Mapped[str]
    severity: Mapped[str]
    site_id: Mapped[int | None]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[dt.datetime] = stored_now()
    next_attempt_at: Mapped[dt.datetime] = stored_now()
    finished_at: Mapped[dt.datetime | None]
    left_over: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    last_error: Mapped[str | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("route_id", "notification_route", ondelete="CASCADE"),
        CheckConstraint(one_of("kind", (*NEWS_KINDS, ESCALATION, TEST)), name="kind"),
        CheckConstraint(one_of("severity", SEVERITIES), name="severity"),
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint("(state = 'pending') = (finished_at IS NULL)", name="finished"),
        index("uq_notification_delivery_event", "route_id", "event_id", unique=True),
        index(
            "ix_notification_delivery_due",
            "route_id",
            "next_attempt_at",
            "event_id",
            where="state = 'pending'",
        ),
        index("ix_notification_delivery_dead", "created_at", "id", where="state = 'dead'"),
        index("ix_notification_delivery_recent", "created_at", "id"),
        index("ix_notification_delivery_route", "route_id", "created_at", "id"),
    )

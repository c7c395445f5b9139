"""Tables of identity."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Identity,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from noc.database.base import (
    Base,
    IntKeyed,
    TenantScoped,
    belongs_to,
    index,
    one_of,
    stored_now,
    tenant_key,
)
from noc.identity.capabilities import ROLES


class Tenant(Base):
    """A security company: everything else belongs to one.

    ``simulated`` is what a simulated one was made from (see ``noc.demo``), NULL for a real one.
    """

    __tablename__ = "tenant"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    simulated: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,62}$'", name="slug"),)


class TenantSetting(IntKeyed, Base):
    """A setting of ``noc.settings.TENANT_SETTINGS`` overridden for a tenant or one of its sites."""

    __tablename__ = "tenant_setting"

    name: Mapped[str]
    site_id: Mapped[int | None]
    value: Mapped[Any] = mapped_column(JSONB)
    updated_at: Mapped[dt.datetime] = stored_now()

    __table_args__ = (
        tenant_key(),
        belongs_to("site_id", "site", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "name", "site_id", postgresql_nulls_not_distinct=True),
    )


class User(IntKeyed, Base):
    """Somebody who signs in. ``email`` is stored in lower case and unique over all tenants."""

    __tablename__ = "noc_user"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    person_id: Mapped[int | None]
    created_at: Mapped[dt.datetime] = stored_now()
    last_login_at: Mapped[dt.datetime | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("person_id", "person", ondelete="SET NULL", closes_cycle=True),
        CheckConstraint(one_of("role", tuple(ROLES)), name="role"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )


class UserSite(TenantScoped, Base):
    """A user limited to some sites has one row for each; a user without rows sees all.

    Such a site cannot be deleted: its last row gone, the user would see everything.
    """

    __tablename__ = "noc_user_site"

    user_id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(primary_key=True)

    __table_args__ = (
        tenant_key(),
        belongs_to("user_id", "noc_user", ondelete="CASCADE"),
        belongs_to("site_id", "site"),
    )


class UserSession(TenantScoped, Base):
    """A sign-in. The cookie holds the secret, the row its SHA-256; ending it ends the sign-in."""

    __tablename__ = "user_session"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int]
    created_at: Mapped[dt.datetime] = stored_now()
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("user_id", "noc_user", ondelete="CASCADE"),
        index("ix_user_session_user", "user_id"),
    )


class ApiToken(IntKeyed, Base):
    """A token of an API client: only its SHA-256 is kept, beside the prefix that people see."""

    __tablename__ = "api_token"

    name: Mapped[str]
    prefix: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[dt.datetime] = stored_now()
    created_by: Mapped[int | None]
    expires_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]

    __table_args__ = (
        tenant_key(),
        belongs_to("created_by", "noc_user", ondelete="SET NULL"),
    )


class AuditTrail(IntKeyed, Base):
    """Something that somebody did to how the company is run; written once and kept for ever.

    ``actor`` is the name at that time. ``target_id`` is text: ids are numbers, UUIDs and names.
    ``detail`` holds no secret. The application can add rows, and neither change nor delete them.
    """

    __tablename__ = "audit_trail"

    at: Mapped[dt.datetime] = stored_now()
    actor: Mapped[str]
    user_id: Mapped[int | None]
    token_id: Mapped[int | None]
    action: Mapped[str]
    target_kind: Mapped[str]
    target_id: Mapped[str]
    target_name: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))

    __table_args__ = (
        tenant_key(),
        belongs_to("user_id", "noc_user", ondelete="SET NULL"),
        belongs_to("token_id", "api_token", ondelete="SET NULL"),
        CheckConstraint("action ~ '^[a-z_]+[.][a-z_]+$'", name="action"),
        index("ix_audit_trail_recent", "at", "id"),
        index("ix_audit_trail_action", "action", "at"),
    )

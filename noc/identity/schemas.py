"""Bodies and queries of the REST interface of identity."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from noc.identity import users
from noc.identity.models import ApiToken, User
from noc.identity.tenant_settings import schema
from noc.identity.versions import Version, version_of
from noc.rest.body import Id, Line
from noc.rest.by_id import ListQuery
from noc.rest.quantities import UtcMoment
from noc.settings import TENANT_SETTINGS

Role = Literal["viewer", "operator", "security_manager", "admin", "platform_admin"]


class Body(BaseModel):
    """A field that the body does not have is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class UserQuery(ListQuery):
    """Filters of the list of users."""

    search: Line | None = Field(None, description="A part of the name or the e-mail address.")
    email: Annotated[Line, AfterValidator(str.lower)] | None = None
    name: Line | None = None
    role: Role | None = None
    active: bool | None = None


class UserCreate(Body):
    """A new user."""

    email: Line
    name: Line
    role: Role
    password: str = Field(description="At least 8 characters.")
    site_ids: list[Id] = Field([], max_length=1000, description="Empty: every site.")
    person_id: Id | None = None


class UserChange(Body):
    """What is to be different; what is left out stays as it is."""

    # What is unset is never looked at; null is refused, and no default is told.
    name: Line = Field(default_factory=str)
    role: Role = Field(default_factory=lambda: "viewer")
    site_ids: list[Id] = Field([], max_length=1000, description="Empty: every site.")
    version: Version | None = Field(
        None, description="The version that was read; 409 if there is a newer one."
    )


class PasswordChange(Body):
    """A new password for a user."""

    password: str = Field(description="At least 8 characters.")


class TokenQuery(ListQuery):
    """Filters of the list of tokens."""

    search: Line | None = Field(None, description="A part of the name, or the first characters.")
    name: Line | None = None
    revoked: bool | None = None


class TokenCreate(Body):
    """A new token."""

    name: Line
    capabilities: list[str] = Field(min_length=1, max_length=20)
    expires_at: UtcMoment | None = None


SettingValue = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": "As the setting can have it; null takes the override back.",
            "anyOf": [
                *(
                    schema(name) | {"title": name, "description": field.description}
                    for name, field in TENANT_SETTINGS.items()
                ),
                {"type": "null"},
            ],
        }
    ),
]


class SettingChange(Body):
    """A setting for the tenant or one of its sites; null lets what is above hold again."""

    value: SettingValue
    site_id: Id | None = None
    version: Version | None = Field(
        None, description="The version that was read; 409 if there is a newer one."
    )


def user_out(user: User, site_ids: list[int] | None) -> dict[str, Any]:
    """A user as the interface shows it; ``site_ids`` is null for whoever sees every site."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "active": user.active,
        "site_ids": site_ids,
        "version": version_of(users.state(user.name, user.role, site_ids)),
        "person_id": user.person_id,
        "created_at": _moment(user.created_at),
        "last_login_at": _moment(user.last_login_at),
    }


def token_out(token: ApiToken) -> dict[str, Any]:
    """A token as the interface shows it: by its prefix, never its secret."""
    return {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "capabilities": token.capabilities,
        "created_at": _moment(token.created_at),
        "created_by": token.created_by,
        "expires_at": _moment(token.expires_at),
        "last_used_at": _moment(token.last_used_at),
        "revoked": token.revoked_at is not None,
        "revoked_at": _moment(token.revoked_at),
    }


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None

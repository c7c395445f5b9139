"""REST of identity: who am I; users, tokens and settings of the tenant."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy import select

from noc.database.base import utcnow
from noc.extensions import session, settings
from noc.identity import accounts, tokens, users
from noc.identity.capabilities import ADMIN
from noc.identity.guard import check_whole_tenant, require
from noc.identity.models import ApiToken, Tenant, TenantSetting, User
from noc.identity.principal import required_principal
from noc.identity.schemas import (
    PasswordChange,
    SettingChange,
    TokenCreate,
    TokenQuery,
    UserChange,
    UserCreate,
    UserQuery,
    token_out,
    user_out,
)
from noc.identity.tenant_settings import override, schema, state, tenant_settings, to_json
from noc.identity.versions import version_of
from noc.identity.words import BadField
from noc.rest.by_id import page_by_id
from noc.rest.envelope import success
from noc.rest.openapi import API_PREFIX
from noc.rest.problems import not_found
from noc.settings import TENANT_SETTINGS

bp = APIBlueprint("identity", __name__, url_prefix=API_PREFIX)


@bp.get("/me/")
def me() -> Any:
    """Who am I.

    The user or token that asks, its tenant and its capabilities. `site_ids` is null for
    whoever sees every site.
    """
    principal = required_principal()
    tenant = session().get_one(Tenant, principal.tenant_id)
    return success(
        {
            "name": principal.name,
            "user_id": principal.user_id,
            "token_id": principal.token_id,
            "tenant": {"id": tenant.id, "slug": tenant.slug, "name": tenant.name},
            "capabilities": sorted(principal.capabilities),
            "site_ids": None if principal.site_ids is None else sorted(principal.site_ids),
        }
    )


@bp.get("/users/")
@require(ADMIN)
@bp.input(UserQuery, location="query")
def list_users(query_data: UserQuery) -> Any:
    """List users."""
    tenant_id = check_whole_tenant().tenant_id
    filters = query_data.filters()
    named = users.named(filters.pop("search", ""))
    query = select(User).filter_by(tenant_id=tenant_id, **filters).where(named)
    rows, pagination = page_by_id(session(), query, User.id, query_data)
    limits = users.site_limits(tenant_id, [row.id for row in rows])
    return success([user_out(row, limits.get(row.id)) for row in rows], pagination=pagination)


@bp.post("/users/")
@require(ADMIN)
@bp.input(UserCreate)
def create_user(json_data: UserCreate) -> Any:
    """Create a user."""
    user = accounts.create(check_whole_tenant(), json_data.model_dump())
    answer = user_out(user, sorted(set(json_data.site_ids)) or None)
    session().commit()
    return success(answer), 201


@bp.put("/users/<int:user_id>/")
@require(ADMIN)
@bp.input(UserChange)
def change_user(user_id: int, json_data: UserChange) -> Any:
    """Change a user.

    What is left out stays as it is; an empty list of sites means every site. In force with their
    next request. Nobody changes their own role or sites. 409 if there is a newer `version`.
    """
    principal = check_whole_tenant()
    values = json_data.model_dump(exclude_unset=True)
    return _answer(accounts.change(principal, user_id, now=utcnow(), **values))


@bp.post("/users/<int:user_id>/deactivate/")
@require(ADMIN)
def deactivate_user(user_id: int) -> Any:
    """Deactivate a user.

    Their sign-ins end at once. Nobody deactivates themselves.
    """
    return _answer(accounts.disable(check_whole_tenant(), user_id, now=utcnow()))


@bp.post("/users/<int:user_id>/activate/")
@require(ADMIN)
def activate_user(user_id: int) -> Any:
    """Let a deactivated user in again.

    With the password they had.
    """
    return _answer(accounts.enable(check_whole_tenant(), user_id, now=utcnow()))


@bp.post("/users/<int:user_id>/password/")
@require(ADMIN)
@bp.input(PasswordChange)
def set_password(user_id: int, json_data: PasswordChange) -> Any:
    """Give a user a new password.

    Sign-ins made with the old one end at once.
    """
    principal = check_whole_tenant()
    return _answer(accounts.set_password(principal, user_id, json_data.password, now=utcnow()))


@bp.post("/users/<int:user_id>/link/")
@require(ADMIN)
def make_link(user_id: int) -> Any:
    """Make a link that signs a user in.

    Once, within 15 minutes: `link` is a path on this host, told this once.
    """
    user, link = accounts.make_link(check_whole_tenant(), user_id, now=utcnow())
    session().commit()
    return success({"user_id": user.id, "link": link}), 201


@bp.get("/tokens/")
@require(ADMIN)
@bp.input(TokenQuery, location="query")
def list_tokens(query_data: TokenQuery) -> Any:
    """List tokens.

    Revoked ones too; a token's secret is never shown again.
    """
    query = select(ApiToken).where(ApiToken.tenant_id == check_whole_tenant().tenant_id)
    if query_data.search is not None:
        query = query.where(tokens.named(query_data.search))
    if query_data.name is not None:
        query = query.where(ApiToken.name == query_data.name)
    if query_data.revoked is not None:
        ended = ApiToken.revoked_at.is_not(None)
        query = query.where(ended if query_data.revoked else ~ended)
    rows, pagination = page_by_id(session(), query, ApiToken.id, query_data)
    return success([token_out(row) for row in rows], pagination=pagination)


@bp.post("/tokens/")
@require(ADMIN)
@bp.input(TokenCreate)
def create_token(json_data: TokenCreate) -> Any:
    """Create a token.

    The answer has its secret as `token`, this once.
    """
    principal = check_whole_tenant()
    try:
        token, secret = tokens.create(
            principal.tenant_id, created_by=principal.user_id, **json_data.model_dump()
        )
    except BadField as error:
        raise accounts.refused("token", error) from error
    answer = token_out(token) | {"token": secret}
    session().commit()
    return success(answer), 201


@bp.post("/tokens/<int:token_id>/revoke/")
@require(ADMIN)
def revoke_token(token_id: int) -> Any:
    """Revoke a token.

    It ends at once. Revoking twice is the same as once.
    """
    token = tokens.get(check_whole_tenant().tenant_id, token_id)
    if token is None:
        raise not_found("token")
    tokens.revoke(token)
    answer = token_out(token)
    session().commit()
    return success(answer)


@bp.get("/settings/")
@require(ADMIN)
def show_settings() -> Any:
    """Show the tenant's settings.

    Those in force, those overridden for the tenant or a site, what each means, and as `schema`
    (JSON Schema) which values it can have. `version` is that of the tenant's override, or of the
    site's in `overrides`; where nothing is overridden it is `not_overridden`.
    """
    principal = check_whole_tenant()
    in_force, default = tenant_settings(), settings()
    rows = session().scalars(
        select(TenantSetting)
        .where(TenantSetting.tenant_id == principal.tenant_id)
        .order_by(TenantSetting.name, TenantSetting.site_id.nulls_first())
    )
    overrides = [
        {
            "name": row.name,
            "site_id": row.site_id,
            "value": row.value,
            "version": version_of(state(row.value)),
            "updated_at": row.updated_at.isoformat(),
        }
        for row in rows
    ]
    none = version_of(state(None))
    versions = {row["name"]: row["version"] for row in overrides if row["site_id"] is None}
    effective = [
        row | {"version": versions.get(row["name"], none)} for row in _effective(in_force, default)
    ]
    return success({"settings": effective, "overrides": overrides, "not_overridden": none})


@bp.put("/settings/<name>/")
@require(ADMIN)
@bp.input(SettingChange)
def change_setting(name: str, json_data: SettingChange) -> Any:
    """Override a setting for the tenant or a site.

    `null` takes the override back. What is in force there is answered, with the override's
    `version`. 409 if there is a newer `version`.
    """
    check_whole_tenant()
    if name not in TENANT_SETTINGS:
        raise not_found("setting")
    try:
        kept = override(name, now=utcnow(), **json_data.model_dump())
    except BadField as error:
        raise accounts.refused("setting", error) from error
    session().commit()
    in_force = tenant_settings(json_data.site_id)
    value = to_json(name, getattr(in_force, name))
    return success({"name": name, "value": value, "version": version_of(state(kept))})


def _effective(in_force: Any, default: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "value": to_json(name, getattr(in_force, name)),
            "default": to_json(name, getattr(default, name)),
            "description": field.description,
            "schema": schema(name),
        }
        for name, field in TENANT_SETTINGS.items()
    ]


def _answer(user: User) -> Any:
    """The user as it is now, committed."""
    answer = user_out(user, users.site_limits(user.tenant_id, [user.id]).get(user.id))
    session().commit()
    return success(answer)

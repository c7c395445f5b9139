"""The declarative base and the column idioms that every model shares."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import uuid_utils.compat
from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all models; timestamps are timezone-aware, dicts are JSONB, strings are TEXT."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            dt.datetime: DateTime(timezone=True),
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
            str: Text,
            uuid.UUID: Uuid,
            int: BigInteger,
        },
    )


class TenantScoped:
    """Mixin: the row belongs to a tenant, and row-level security keeps it there.

    The tenant leads every primary key and every foreign key, so that one tenant's row can
    never point to another's.
    """

    tenant_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=-100)


class IntKeyed(TenantScoped):
    """Mixin: primary key (tenant_id, id) with an id the database numbers."""

    id: Mapped[int] = mapped_column(Identity(), primary_key=True, sort_order=-99)


class UuidKeyed(TenantScoped):
    """Mixin: primary key (tenant_id, id) with a time-ordered id made here."""

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, default=lambda: new_uuid(), sort_order=-99
    )


def new_uuid() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): unique, and ordered by the time it was made."""
    return uuid_utils.compat.uuid7()


def utcnow() -> dt.datetime:
    """Now, timezone-aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def stored_now() -> Mapped[dt.datetime]:
    """When the row was stored, by the database's clock."""
    return mapped_column(server_default=text("now()"))


def tenant_key() -> ForeignKeyConstraint:
    """The row's tenant exists; deleting a tenant deletes what is theirs."""
    return ForeignKeyConstraint(["tenant_id"], ["tenant.id"], ondelete="CASCADE")


def belongs_to(
    column: str, table: str, *, ondelete: str | None = None, closes_cycle: bool = False
) -> ForeignKeyConstraint:
    """A foreign key to ``table`` within the tenant.

    ``ondelete`` ``"SET NULL"`` clears the column alone, never ``tenant_id``. ``closes_cycle``
    where the tables point to each other, so that one constraint is added after both exist.
    """
    if ondelete == "SET NULL":
        ondelete = f"SET NULL ({column})"
    return ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{table}.tenant_id", f"{table}.id"],
        ondelete=ondelete,
        use_alter=closes_cycle,
    )


def index(name: str, *columns: str, where: str | None = None, unique: bool = False) -> Index:
    """An index led by the tenant: policies filter by it, so every search begins there."""
    return Index(
        name,
        "tenant_id",
        *(text(column) if " " in column else column for column in columns),
        unique=unique,
        postgresql_where=text(where) if where else None,
    )


def one_of(column: str, values: tuple[str, ...]) -> str:
    """SQL of a CHECK: ``column`` is one of ``values``."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({allowed})"

"""Sites, people, devices, shifts and absences: listed, found, and upserted by their own codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.identity.models import User
from noc.rest.by_id import ListQuery, page_by_id
from noc.rest.problems import Problem, not_found
from noc.workforce import schemas, sites
from noc.workforce.models import Absence, Device, Person, Shift, Site

Record = Site | Person | Device | Shift | Absence


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that points to a row of ``model``, which people name by ``natural``."""

    model: type[Any]
    what: str
    natural: str = "code"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its table, the forms it comes in, and what it points to."""

    plural: str
    what: str
    model: type[Any]
    put: type[BaseModel]
    query: type[ListQuery]
    references: Mapping[str, Reference] = field(default_factory=dict)

    def limited(self, query: Select[Any], site_ids: frozenset[int] | None) -> Select[Any]:
        """``query`` of what somebody limited to some sites may see; None: no limit."""
        return query if site_ids is None else query.where(_IN_SIGHT[self.plural](site_ids))


_USER = Reference(User, "user", "email")

KINDS = (
    Kind(
        "sites", "site", Site, schemas.SitePut, schemas.SiteQuery,
        {"security_manager": _USER, "site_manager": _USER, "noc_supervisor": _USER},
    ),
    Kind(
        "people", "person", Person, schemas.PersonPut, schemas.PersonQuery,
        {"home_site": Reference(Site, "site")},
    ),
    Kind(
        "devices", "device", Device, schemas.DevicePut, schemas.DeviceQuery,
        {"person": Reference(Person, "person")},
    ),
    Kind(
        "shifts", "shift", Shift, schemas.ShiftPut, schemas.ShiftQuery,
        {
            "person": Reference(Person, "person", required=True),
            "site": Reference(Site, "site", required=True),
            "swapped_with": Reference(Person, "person"),
        },
    ),
    Kind(
        "absences", "absence", Absence, schemas.AbsencePut, schemas.AbsenceQuery,
        {"person": Reference(Person, "person", required=True)},
    ),
)  # fmt: skip


def _at_home(person_id: Any) -> Callable[[frozenset[int]], ColumnElement[bool]]:
    def condition(site_ids: frozenset[int]) -> ColumnElement[bool]:
        return person_id.in_(  # type: ignore[no-any-return]
            select(Person.id).where(
                Person.tenant_id == required_tenant(), Person.home_site_id.in_(site_ids)
            )
        )

    return condition


_IN_SIGHT: Mapping[str, Callable[[frozenset[int]], ColumnElement[bool]]] = {
    "sites": Site.id.in_,
    "people": Person.home_site_id.in_,
    "devices": _at_home(Device.person_id),
    "shifts": Shift.site_id.in_,
    "absences": _at_home(Absence.person_id),
}
"""What of each kind somebody limited to some sites sees: by the site, or the person's home."""


def list_page(
    kind: Kind, asked: ListQuery, *, tenant_id: int, site_ids: frozenset[int] | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A page of the records that match, in the order they were made, and its pagination."""
    filters = asked.filters()
    query = kind.limited(select(kind.model).where(kind.model.tenant_id == tenant_id), site_ids)
    if since := filters.pop("since", None):
        query = query.where(kind.model.ends_at > since)
    if until := filters.pop("until", None):
        query = query.where(kind.model.starts_at < until)
    rows, pagination = page_by_id(session(), query.filter_by(**filters), kind.model.id, asked)
    return [shown(row) for row in rows], pagination


def find(
    kind: Kind, *, tenant_id: int, site_ids: frozenset[int] | None, **by: int | str
) -> dict[str, Any]:
    """The record with this id or code; 404 where there is none or it is out of sight."""
    query = select(kind.model).where(kind.model.tenant_id == tenant_id).filter_by(**by)
    row = session().scalar(kind.limited(query, site_ids))
    if row is None:
        raise not_found(kind.what)
    return shown(row)


def upsert(
    kind: Kind, code: str, body: BaseModel, *, tenant_id: int, now: dt.datetime
) -> tuple[dict[str, Any], bool]:
    """Store the record under its code: what it is now, and whether it is new.

    What ``body`` leaves out gets its default in a new record and stays as it is in an old one.
    Problem 422 names each reference that leads nowhere. Flushes; the key decides, so that two at
    once make one record.
    """
    sent = body.model_dump(exclude_unset=True)
    sent |= resolve(kind.references, sent, tenant_id=tenant_id)
    asked: dict[str, str] = {}
    for name, reference in kind.references.items():
        if sent.pop(natural := f"{name}_{reference.natural}", None) is not None:
            asked[f"{name}_id"] = natural
    columns = {column.key for column in kind.model.__table__.columns}
    defaults = {name: value for name, value in body.model_dump().items() if name in columns}
    if kind.model is Site:
        site, made = sites.store(code, sent, defaults, asked=asked, tenant_id=tenant_id, now=now)
        return shown(site), made
    return _in_one_statement(kind, code, sent, defaults, tenant_id)


def _in_one_statement(
    kind: Kind, code: str, sent: Mapping[str, Any], defaults: Mapping[str, Any], tenant_id: int
) -> tuple[dict[str, Any], bool]:
    values = {**defaults, **sent, "tenant_id": tenant_id, "code": code}
    statement = insert(kind.model).values(values)
    kept = {name: statement.excluded[name] for name in (*sent, "code")}
    row, created = (
        session()
        .execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "code"], set_=kept
            ).returning(kind.model, literal_column("xmax = 0")),
            execution_options={"populate_existing": True},
        )
        .one()
    )
    return shown(row), created


def resolve(
    references: Mapping[str, Reference], sent: Mapping[str, Any], *, tenant_id: int
) -> dict[str, int | None]:
    """The ``..._id`` of each reference that was sent, whether by id or by natural key.

    One query a table. Problem 422 names each that leads nowhere, and each required one that is
    not there.
    """
    errors: list[dict[str, str]] = []
    asked: dict[str, tuple[str, Any]] = {}
    for name, reference in references.items():
        by = [key for key in (f"{name}_id", f"{name}_{reference.natural}") if key in sent]
        given = [key for key in by if sent[key] is not None]
        if len(given) > 1:
            errors.append({"field": given[1], "reason": f"give this or {given[0]}, not both"})
        elif not given and reference.required:
            wanted = f"give {name}_id or {name}_{reference.natural}"
            errors.append({"field": f"{name}_id", "reason": wanted})
        elif by:
            key = (given or by)[0]
            asked[name] = (key, sent[key])
    found = _look_up(references, asked, tenant_id)
    ids: dict[str, int | None] = {}
    for name, (key, value) in asked.items():
        reference = references[name]
        ids[f"{name}_id"] = found.get((reference.model, key.endswith("_id"), _normal(key, value)))
        if value is not None and ids[f"{name}_id"] is None:
            reason = f"there is no {reference.what} {value!r} in this tenant"
            errors.append({"field": key, "reason": reason})
    if errors:
        raise Problem(422, "The request was not accepted.", errors=errors)
    return ids


def shown(row: Record) -> dict[str, Any]:
    """A record as the interface shows it: its columns, times in ISO 8601."""
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    del values["tenant_id"]
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in values.items()
    }


def _look_up(
    references: Mapping[str, Reference], asked: Mapping[str, tuple[str, Any]], tenant_id: int
) -> dict[tuple[type[Any], bool, Any], int]:
    found: dict[tuple[type[Any], bool, Any], int] = {}
    for model in {references[name].model for name in asked}:
        natural = next(ref.natural for ref in references.values() if ref.model is model)
        wanted = [asked[name] for name in asked if references[name].model is model]
        ids = [value for key, value in wanted if key.endswith("_id") and value is not None]
        keys = [_normal(key, value) for key, value in wanted if not key.endswith("_id")]
        column = getattr(model, natural)
        rows = session().execute(
            select(model.id, column).where(
                model.tenant_id == tenant_id, model.id.in_(ids) | column.in_(keys)
            )
        )
        for row_id, own in rows:
            found[model, True, row_id] = row_id
            found[model, False, own] = row_id
    return found


def _normal(key: str, value: Any) -> Any:
    """E-mail addresses are stored in lower case."""
    return value.strip().lower() if key.endswith("_email") and value is not None else value

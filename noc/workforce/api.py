"""REST of the workforce: sites, people, devices, shifts and absences, each in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint

from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import ADMIN, INGEST, VIEW
from noc.identity.guard import check_whole_tenant, require
from noc.identity.principal import required_principal
from noc.rest.body import checked_code
from noc.rest.envelope import success
from noc.rest.openapi import API_PREFIX
from noc.workforce import records
from noc.workforce.records import KINDS, Kind

bp = APIBlueprint("workforce", __name__, url_prefix=API_PREFIX)


def _sight() -> dict[str, Any]:
    principal = required_principal()
    return {"tenant_id": principal.tenant_id, "site_ids": principal.site_ids}


def _list(kind: Kind) -> Callable[..., Any]:
    @require(VIEW)
    @bp.input(kind.query, location="query")
    @bp.doc(summary=f"List {kind.plural}", tags=[kind.plural.capitalize()])
    def view(query_data: Any) -> Any:
        rows, pagination = records.list_page(kind, query_data, **_sight())
        return success(rows, pagination=pagination)

    return view


def _by_id(kind: Kind) -> Callable[..., Any]:
    @require(VIEW)
    @bp.doc(summary=f"Show one {kind.what}", tags=[kind.plural.capitalize()])
    def view(record_id: int) -> Any:
        return success(records.find(kind, id=record_id, **_sight()))

    return view


def _by_code(kind: Kind) -> Callable[..., Any]:
    @require(VIEW)
    @bp.doc(summary=f"Show the {kind.what} with this code", tags=[kind.plural.capitalize()])
    def view(code: str) -> Any:
        return success(records.find(kind, code=checked_code(code), **_sight()))

    return view


def _put(kind: Kind) -> Callable[..., Any]:
    @require(ADMIN, INGEST)
    @bp.input(kind.put)
    @bp.doc(
        summary=f"Store the {kind.what} with this code",
        description="Made (201) or changed (200). What is left out of a change stays as it is; "
        "null clears it. References are given by id or by the other's own code.",
        responses={200: "Changed", 201: "Made"},
        tags=[kind.plural.capitalize()],
    )
    def view(code: str, json_data: Any) -> Any:
        tenant_id = check_whole_tenant().tenant_id
        row, created = records.upsert(
            kind, checked_code(code), json_data, tenant_id=tenant_id, now=utcnow()
        )
        session().commit()
        return success(row), 201 if created else 200

    return view


for _kind in KINDS:
    _one = f"/{_kind.plural}/by-code/<code>/"
    for _path, _method, _view in (
        (f"/{_kind.plural}/", "get", _list),
        (f"/{_kind.plural}/<int:record_id>/", "get", _by_id),
        (_one, "get", _by_code),
        (_one, "put", _put),
    ):
        _name = f"{_kind.plural}{_view.__name__}"
        getattr(bp, _method)(_path, endpoint=_name)(_view(_kind))

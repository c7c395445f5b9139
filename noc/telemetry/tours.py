"""Tours and their checkpoints, as planned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from sqlalchemy import exists, select, text

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.rest.body import Code, Id, Name
from noc.rest.by_id import ListQuery, QueryId, page_by_id
from noc.rest.problems import Problem, not_found
from noc.rest.quantities import Latitude, Longitude
from noc.telemetry.models import Checkpoint, Tour
from noc.workforce.models import Site
from noc.workforce.references import look_up

MAX_CHECKPOINTS = 500

_SHOWN = ("id", "code", "name", "position", "lat", "lon", "active")


class CheckpointPlan(BaseModel):
    """A tag on the site; its place in the list is its place in the tour."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    name: Name | None = None
    lat: Latitude | None = None
    lon: Longitude | None = Field(default=None, validate_default=True)

    @field_validator("lon")
    @classmethod
    def _place_is_whole(cls, value: float | None, info: ValidationInfo) -> float | None:
        if "lat" in info.data and (info.data["lat"] is None) != (value is None):
            raise ValueError("lat and lon come together, and only one of them was given")
        return value


class TourPlan(BaseModel):
    """A tour as it shall be, whole: a checkpoint that is not listed leaves it."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    site_id: Id
    active: bool = True
    checkpoints: list[CheckpointPlan] = Field(default=[], max_length=MAX_CHECKPOINTS)

    @field_validator("checkpoints")
    @classmethod
    def _codes_are_unique(cls, value: list[CheckpointPlan]) -> list[CheckpointPlan]:
        codes = [plan.code for plan in value]
        if len(set(codes)) < len(codes):
            twice = next(code for code in codes if codes.count(code) > 1)
            raise ValueError(f"lists the checkpoint {twice!r} twice")
        return value


class TourQuery(ListQuery):
    """Which tours a list shows, and which page of them."""

    site_id: QueryId | None = None
    code: str | None = Field(default=None, pattern=r"^[^\x00]{1,200}$")
    active: bool | None = None


_PUT_TOUR = text(
    """
    INSERT INTO tour (tenant_id, code, name, site_id, active)
    VALUES (:tenant_id, :code, :name, :site_id, :active)
    ON CONFLICT (tenant_id, code) DO UPDATE
       SET name = excluded.name, site_id = excluded.site_id, active = excluded.active
    RETURNING id, xmax = 0 AS created
    """
)

_LEAVE = text(
    """
    UPDATE checkpoint SET tour_id = NULL
     WHERE tenant_id = :tenant_id AND tour_id = :tour_id
       AND code <> ALL(CAST(:codes AS text[]))
    """
)

_PUT_CHECKPOINTS = text(
    """
    INSERT INTO checkpoint (tenant_id, code, name, lat, lon, position, site_id, tour_id, active)
    SELECT :tenant_id, c.code, c.name, c.lat, c.lon, c.position, :site_id, :tour_id, true
      FROM unnest(
               CAST(:codes AS text[]), CAST(:names AS text[]),
               CAST(:lats AS float8[]), CAST(:lons AS float8[])
           ) WITH ORDINALITY AS c (code, name, lat, lon, position)
     ORDER BY c.code
    ON CONFLICT (tenant_id, code) DO UPDATE
       SET name = excluded.name, lat = excluded.lat, lon = excluded.lon, active = true,
           position = excluded.position, site_id = excluded.site_id, tour_id = excluded.tour_id
    """
)


def put_tour(code: str, plan: TourPlan) -> tuple[int, bool]:
    """Make the tour with this code as planned; its id, and whether it is new.

    A checkpoint is known by its code in the whole tenant: one that was part of another tour, or
    at another site, moves here; one that is no longer listed stays known without a tour, as
    scans point to it. Problem 422 for no such site. A constant number of queries.
    """
    tenant_id = required_tenant()
    _check_site(plan.site_id, tenant_id)
    row = (
        session()
        .execute(
            _PUT_TOUR,
            {
                "tenant_id": tenant_id,
                "code": code,
                "name": plan.name,
                "site_id": plan.site_id,
                "active": plan.active,
            },
        )
        .one()
    )
    listed = plan.checkpoints
    place = {
        "tenant_id": tenant_id,
        "tour_id": row.id,
        "site_id": plan.site_id,
        "codes": [checkpoint.code for checkpoint in listed],
    }
    session().execute(_LEAVE, place)
    if listed:
        columns = {
            "names": [checkpoint.name or checkpoint.code for checkpoint in listed],
            "lats": [checkpoint.lat for checkpoint in listed],
            "lons": [checkpoint.lon for checkpoint in listed],
        }
        session().execute(_PUT_CHECKPOINTS, place | columns)
    return row.id, row.created


def must_have_tour(tour_id: int) -> None:
    """Problem 404 for no such tour of the tenant."""
    key = (Tour.tenant_id == required_tenant(), Tour.id == tour_id)
    if not session().scalar(select(exists().where(*key))):
        raise not_found("tour")


def _check_site(site_id: int, tenant_id: int) -> None:
    if not session().scalar(
        select(exists().where(Site.tenant_id == tenant_id, Site.id == site_id))
    ):
        raise Problem(
            422,
            "The tour was not accepted.",
            errors=[{"field": "site_id", "reason": "there is no such site"}],
        )


def list_tours(
    asked: TourQuery, *, site_ids: Collection[int] | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A page of tours with their checkpoints in order, and its ``pagination``. Three queries.

    ``site_ids`` are the only sites shown, None shows all.
    """
    query = select(Tour).where(Tour.tenant_id == required_tenant())
    for name, value in asked.filters().items():
        query = query.where(getattr(Tour, name) == value)
    if site_ids is not None:
        query = query.where(Tour.site_id.in_(site_ids))
    page, pagination = page_by_id(session(), query, Tour.id, asked)
    return _shown(page), pagination


def show_tour(tour_id: int) -> dict[str, Any]:
    """The tour as the list shows it; NoResultFound for no such tour of the tenant."""
    key = (Tour.tenant_id == required_tenant(), Tour.id == tour_id)
    fresh = {"populate_existing": True}
    return _shown([session().scalars(select(Tour).where(*key), execution_options=fresh).one()])[0]


def _shown(tours: Sequence[Tour]) -> list[dict[str, Any]]:
    sites = look_up((), (tour.site_id for tour in tours)).sites
    checkpoints = _checkpoints([tour.id for tour in tours])
    return [
        {
            "id": tour.id,
            "code": tour.code,
            "name": tour.name,
            "site_id": tour.site_id,
            "site_name": sites[tour.site_id],
            "active": tour.active,
            "checkpoints": checkpoints.get(tour.id, []),
        }
        for tour in tours
    ]


def _checkpoints(tour_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    by_tour: dict[int, list[dict[str, Any]]] = {}
    if not tour_ids:
        return by_tour
    rows = session().execute(
        select(Checkpoint.tour_id, *(getattr(Checkpoint, name) for name in _SHOWN))
        .where(Checkpoint.tenant_id == required_tenant(), Checkpoint.tour_id.in_(tour_ids))
        .order_by(Checkpoint.position, Checkpoint.id)
    )
    for row in rows.mappings():
        checkpoint = dict(row)
        by_tour.setdefault(checkpoint.pop("tour_id"), []).append(checkpoint)
    return by_tour

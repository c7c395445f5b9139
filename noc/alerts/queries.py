"""Reading alerts: lists, counts beside their filters, one with its history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from noc.alerts.models import Alert, AlertChange
from noc.alerts.schemas import AlertFilters
from noc.alerts.suppression.models import Suppression
from noc.database.tenancy import required_tenant
from noc.domain import SEVERITIES, severity_rank
from noc.events.targets import Place
from noc.extensions import session
from noc.identity.models import User
from noc.rest.keyset import Key, Page, newest_first, page_of
from noc.workforce.models import Person, Site

Contribution = Callable[[int, Collection[int] | None], Any]
_contributions: dict[str, Contribution] = {}


def contribute(name: str, read: Contribution) -> None:
    """Have ``name`` in what is shown of one alert: what ``read`` says of the alert's id.

    It is told the sites, too, that whoever asks is limited to, None for all.
    For folders above, whose tables are not known here. The same name again takes its place.
    """
    _contributions[name] = read


FACETS = ("status", "severity", "alert_type", "site_id")
"""What a list can be narrowed by with one click, and is counted for."""

_Assignee = aliased(User, name="assignee")
_Acknowledger = aliased(User, name="acknowledger")
_Resolver = aliased(User, name="resolver")

_SHOWN = (
    Alert.id,
    Alert.alert_type,
    Alert.severity,
    Alert.message,
    Alert.status,
    Alert.dedup_key,
    Alert.suppressed_count,
    Alert.entity_type,
    Alert.entity_id,
    Alert.person_id,
    Person.name.label("person_name"),
    Alert.site_id,
    Site.name.label("site_name"),
    Alert.occurred_at,
    Alert.last_seen_at,
    Alert.acknowledged_at,
    Alert.assignee_id,
    _Assignee.name.label("assignee_name"),
    Alert.shelved_until,
    Alert.resolved_at,
    Alert.resolution,
    Alert.muted_until.is_not(None).label("muted"),
    Alert.muted_by,
    Suppression.name.label("muted_by_name"),
    Alert.muted_until,
)


def list_alerts(
    filters: AlertFilters,
    *,
    site_ids: Collection[int] | None = None,
    limit: int = 50,
    after: Key | None = None,
) -> Page:
    """A page of alerts, latest first, without their metadata. One query.

    ``site_ids``: the sites whoever asks is limited to, None for all.
    """
    query = _named(_SHOWN).where(*_conditions(filters, site_ids).values())
    query = newest_first(query, Alert.occurred_at, Alert.id, limit=limit, after=after)
    rows = [dict(row) for row in session().execute(query).mappings()]
    return page_of(rows, "occurred_at", limit=limit)


def alert_facets(
    filters: AlertFilters, *, site_ids: Collection[int] | None = None
) -> dict[str, Any]:
    """How many alerts each value of :data:`FACETS` would list, beside the other filters.

    A facet's own filter is left out of its count, so that the alternatives can be seen.
    ``total`` counts what the filters list. One query.
    """
    conditions = _conditions(filters, site_ids)
    parts = [_counted("total", None, conditions)]
    for facet in FACETS:
        others = {name: item for name, item in conditions.items() if name != facet}
        parts.append(_counted(facet, getattr(Alert, facet), others))
    counts = union_all(*parts).subquery()
    rows = session().execute(
        select(counts, Site.name.label("site_name")).outerjoin(
            Site,
            and_(
                counts.c.facet == "site_id",
                Site.tenant_id == required_tenant(),
                Site.id == counts.c.number,
            ),
        )
    )
    return _facets(rows.mappings().all())


def find_alert(alert_id: int, *, site_ids: Collection[int] | None = None) -> dict[str, Any] | None:
    """An alert with its metadata and its history, oldest first; None if it is not to be seen."""
    query = _named(
        (
            *_SHOWN,
            Alert.created_at,
            Alert.acknowledged_by,
            _Acknowledger.name.label("acknowledged_by_name"),
            Alert.resolved_by,
            _Resolver.name.label("resolved_by_name"),
            Alert.detail.label("metadata"),
        )
    )
    for user, column in ((_Acknowledger, Alert.acknowledged_by), (_Resolver, Alert.resolved_by)):
        query = query.outerjoin(user, (user.tenant_id == Alert.tenant_id) & (user.id == column))
    query = query.where(*_conditions(AlertFilters(), site_ids).values(), Alert.id == alert_id)
    row = session().execute(query).mappings().one_or_none()
    if row is None:
        return None
    more = {name: read(alert_id, site_ids) for name, read in _contributions.items()}
    return {**row, **more, "history": _history(alert_id)}


def alert_place(alert_id: int) -> Place | None:
    """Where the alert stands; None if there is none."""
    row = session().execute(
        select(Alert.site_id).where(Alert.tenant_id == required_tenant(), Alert.id == alert_id)
    )
    found = row.one_or_none()
    return None if found is None else Place(found.site_id)


def _history(alert_id: int) -> list[dict[str, Any]]:
    rows = session().execute(
        select(
            AlertChange.id,
            AlertChange.at,
            AlertChange.action,
            AlertChange.old_status,
            AlertChange.new_status,
            AlertChange.user_id,
            User.name.label("user_name"),
            AlertChange.note,
            AlertChange.detail,
        )
        .outerjoin(
            User, (User.tenant_id == AlertChange.tenant_id) & (User.id == AlertChange.user_id)
        )
        .where(AlertChange.tenant_id == required_tenant(), AlertChange.alert_id == alert_id)
        .order_by(AlertChange.id)
    )
    return [dict(row) for row in rows.mappings()]


def _named(columns: Sequence[Any]) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Alert)
        .outerjoin(Person, (Person.tenant_id == Alert.tenant_id) & (Person.id == Alert.person_id))
        .outerjoin(Site, (Site.tenant_id == Alert.tenant_id) & (Site.id == Alert.site_id))
        .outerjoin(
            _Assignee,
            (_Assignee.tenant_id == Alert.tenant_id) & (_Assignee.id == Alert.assignee_id),
        )
        .outerjoin(
            Suppression,
            (Suppression.tenant_id == Alert.tenant_id) & (Suppression.id == Alert.muted_by),
        )
    )


def _conditions(
    filters: AlertFilters, site_ids: Collection[int] | None
) -> dict[str, ColumnElement[bool]]:
    """The filters as conditions, each under the name of the facet it belongs to."""
    conditions: dict[str, ColumnElement[bool]] = {"tenant": Alert.tenant_id == required_tenant()}
    if site_ids is not None:
        conditions["visible"] = Alert.site_id.in_(site_ids)
    for name in ("status", "severity", "alert_type", "site_id", "resolution"):
        if wanted := getattr(filters, name):
            conditions[name] = getattr(Alert, name).in_(wanted)
    for name in ("person_id", "assignee_id", "entity_type", "entity_id", "dedup_key"):
        if (value := getattr(filters, name)) is not None:
            conditions[name] = getattr(Alert, name) == value
    flags = {"open": Alert.status != "RESOLVED", "muted": Alert.muted_until.is_not(None)}
    for name, condition in flags.items():
        if (wanted := getattr(filters, name)) is not None:
            conditions[name] = condition if wanted else ~condition
    if filters.min_severity is not None:
        conditions["min_severity"] = Alert.severity.in_(
            SEVERITIES[severity_rank(filters.min_severity) :]
        )
    return conditions | _period(filters)


def _period(filters: AlertFilters) -> dict[str, ColumnElement[bool]]:
    conditions: dict[str, ColumnElement[bool]] = {}
    if filters.since is not None:
        conditions["since"] = Alert.occurred_at >= filters.since
    if filters.until is not None:
        conditions["until"] = Alert.occurred_at < filters.until
    return conditions


def _counted(facet: str, column: Any, conditions: dict[str, ColumnElement[bool]]) -> Select[Any]:
    number = column if facet == "site_id" else null()
    word = null() if facet == "site_id" or column is None else column
    columns: tuple[Any, ...] = (
        literal(facet).label("facet"),
        cast(word, Text).label("word"),
        cast(number, BigInteger).label("number"),
        func.count().label("count"),
    )
    query = select(*columns).where(*conditions.values())
    return query if column is None else query.group_by(column)


def _facets(rows: Collection[Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"total": 0, **{facet: [] for facet in FACETS}}
    for row in sorted(rows, key=lambda row: -row["count"]):
        if row["facet"] == "total":
            answer["total"] = row["count"]
        elif row["facet"] == "site_id":
            answer["site_id"].append(
                {"value": row["number"], "name": row["site_name"], "count": row["count"]}
            )
        else:
            answer[row["facet"]].append({"value": row["word"], "count": row["count"]})
    return answer

"""Alerts: all of them, open ones first, with counts beside the filters."""

from __future__ import annotations

from typing import Any

from dash import Dash, html
from pydantic import ValidationError
from typing_extensions import TypedDict

from dashboards import ages, grids, listing, queries, states, words
from dashboards.callbacks import Choice, Clicks, Cursor, SiteChoice
from dashboards.listing import Choices, Counted, Listing, Slice
from noc.alerts.schemas import AlertFilters

TITLE = "Alerts"

LIST = Listing(
    name="alerts",
    noun="alert",
    filters=("state", "severity", "type", "site", "age"),
    counted=("state", "severity", "type", "site"),
)

_STATES = ("NEW", "ACKNOWLEDGED", "ASSIGNED", "SHELVED", "RESOLVED")
_COLUMNS = [grids.WHO, grids.WHAT, grids.SEVERITY, grids.WHEN, grids.STATE, grids.OWNER]


class Chosen(TypedDict):
    """What the filters hold."""

    state: Choice
    severity: Choice
    type: Choice
    site: SiteChoice
    age: Choice


def layout(query: dict[str, str]) -> html.Div:
    """The list with its filters; ``?state=&severity=&type=&site=&age=`` narrow it from a link."""
    return LIST.layout(
        [
            LIST.select(query, "state", "State", _states()),
            LIST.select(
                query, "severity", "Severity", listing.by_severity(), anything="Any severity"
            ),
            LIST.select(
                query, "type", "Type", _types(_offered(query.get("type"))), anything="Any type"
            ),
            LIST.select(query, "site", "Site", listing.by_site(), anything="All sites"),
            LIST.select(query, "age", "Age", ages.DATA, anything="Any age"),
        ]
    )


def register(ui: Dash) -> None:
    """Read the list when a filter changes, and its next page on demand."""
    LIST.register(ui, show, more)


def show(chosen: Chosen, _again: Clicks = None) -> tuple[Any, ...]:
    """The first page of what the filters keep, with the counts of each filter's choices."""
    wanted = _filters(chosen)
    return LIST.first(lambda: _read(wanted), _table, _nothing(chosen), lambda: _counted(wanted))


def more(_: Clicks, cursor: Cursor, chosen: Chosen) -> tuple[Any, ...]:
    """The next page, added below."""
    return LIST.following(cursor, lambda: _read(_filters(chosen), cursor))


def row(alert: dict[str, Any]) -> dict[str, Any]:
    """An alert as a row of the grid."""
    name = alert["person_name"]
    return {
        "id": f"alert:{alert['id']}",
        "kind": "alert",
        "who": name,
        "where": alert["site_name"] or "",
        "site_id": alert["site_id"],
        "title": words.say(words.ALERT, alert["alert_type"]),
        "what": alert["message"].removeprefix(f"{name}: "),
        "severity": alert["severity"],
        "at": alert["occurred_at"].isoformat(),
        "state": alert["status"],
        "owner": alert["assignee_name"],
        "muted": alert["muted"],
    }


def _filters(chosen: Chosen) -> AlertFilters:
    return queries.work.alert_filters(
        chosen["state"], chosen["severity"], chosen["type"], chosen["site"], chosen["age"]
    )


def _read(wanted: AlertFilters, cursor: Cursor = None) -> Slice:
    page = queries.work.alerts(wanted, limit=listing.PAGE, cursor=cursor)
    return Slice([row(item) for item in page.items], queries.work.next_key(page))


def _counted(wanted: AlertFilters) -> Counted:
    counts = queries.work.alert_counts(wanted)
    by = {
        facet: {str(item["value"]): item["count"] for item in counts[facet]}
        for facet in ("status", "severity", "alert_type", "site_id")
    }
    chosen = wanted.alert_type[0] if len(wanted.alert_type) == 1 else None
    choices = [
        _states(by["status"]),
        listing.by_severity(by["severity"]),
        _types(chosen, by["alert_type"]),
        listing.by_site(by["site_id"]),
    ]
    return Counted(counts["total"], choices)


def _table(rows: list[dict[str, Any]]) -> Any:
    return grids.grid("alerts-grid", _COLUMNS, rows)


def _nothing(chosen: Chosen) -> html.Div:
    if chosen["state"] in (None, "open"):
        return states.empty(
            "No open alerts",
            "They open by themselves when a punch looks wrong, a phone falls silent or a monitor "
            "reports trouble.",
        )
    return states.empty("No alerts match", "Widen a filter to see more.")


def _states(counts: dict[str, int] | None = None) -> Choices:
    choices = listing.by_state(_STATES, "RESOLVED", counts)
    # A muted alert also has one of the statuses, so it is no further number beside theirs.
    choices.insert(-2, listing.choice("MUTED", "Muted by a window"))
    return choices


def _offered(kind: str | None) -> str | None:
    """The type of a link, where it can be one: monitors name types of their own."""
    try:
        queries.work.alert_filters(None, None, kind, None)
    except ValidationError:
        return None
    return kind


def _types(chosen: str | None, counts: dict[str, int] | None = None) -> Choices:
    """Attendance fraud, then the types that there are; the chosen one even where it has none."""
    totals = dict(counts or {})
    fraud = sum(totals.pop(code, 0) for code in queries.work.FRAUD_ALERTS)
    names = {"fraud": "Attendance fraud"}
    names |= {code: words.say(words.ALERT, code) for code in totals}
    if chosen:
        names.setdefault(chosen, words.say(words.ALERT, chosen))
    return listing.by_name(names, None if counts is None else counts | {"fraud": fraud})

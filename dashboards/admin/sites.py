"""Sites: where they are and who is in charge, and who is on duty in a week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, html

from dashboards import marks, queries, states, words
from dashboards.admin import kit, listing, roster, sight, steps
from dashboards.admin.controls import Asked, Find, Pick
from dashboards.admin.form import Form
from dashboards.admin.listing import Listing, Rows
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from noc.database.base import utcnow
from noc.identity.capabilities import ADMIN
from noc.identity.guard import check, check_whole_tenant
from noc.identity.principal import required_principal
from noc.identity.versions import version_of
from noc.workforce import sites as domain

LABEL = "Sites and rosters"
WHAT = "Looking after sites"

_PART = "sites"

CONTACTS = dict(
    zip(domain.CONTACTS, ("Security manager", "Site manager", "Supervisor"), strict=True)
)


def content(query: Mapping[str, str]) -> html.Div:
    """The sites; above them the chosen one with its week, which takes the page's width."""
    return listing.frame(_PART, listing.place_for(_LISTING, query), look="admin-over")


def register(ui: Dash) -> None:
    """Read the list and the roster, and answer the buttons."""
    listing.register(ui, _PART, act, _LISTING, roster.LISTING)


def _read(asked: Asked, after: Any, limit: int) -> Rows:
    return queries.sites.sites(asked["search"], _in_use(asked), after, limit)


def _in_use(asked: Asked) -> bool | None:
    return asked["state"] == "active" if asked["state"] else None


def _counted(asked: Asked) -> str:
    matching, every = queries.sites.sites_counted(asked["search"], _in_use(asked))
    narrowed = asked["search"] or asked["state"]
    return f"{matching:,} of {words.count(every, 'site')}" if narrowed else (
        words.count(every, "site")
    )  # fmt: skip


def _nothing(asked: Asked) -> html.Div:
    if asked["search"] or asked["state"]:
        return states.empty("None found", "Search by a part of the name or of the code.")
    return states.empty(
        "No sites yet",
        "Sites come from your own system, over the API or by an import.",
        mark="pin",
    )


def _rows(found: Rows) -> list[html.Tr]:
    return [
        kit.row(
            kit.two(
                kit.button(_PART, "open", site["name"], site["id"], look="text"), site["code"]
            ),
            ("In charge", _in_charge(site)),
            ("Zone", site["timezone"]),
            ("Guards at home", html.Span(f"{site['guards']:,}", className="num")),
            ("State", html.Span("In use" if site["active"] else "Closed",
                                className="state state-resolved" if site["active"] else "state")),
            key=site["id"],
        )
        for site in found
    ]  # fmt: skip


_LISTING = Listing(
    part=_PART,
    name=_PART,
    title="Sites",
    controls=(
        Find("Name or code", told="Name or code of a site"),
        Pick("Whether they are in use", "Any state", {"active": "In use", "closed": "Closed"},
             "state"),
    ),
    head=("Site", "In charge", "Zone", "Guards at home", "State"),
    read=_read,
    rows=_rows,
    counted=_counted,
    nothing=_nothing,
)  # fmt: skip


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step. The key is the site, a Monday, and the version of who is in charge."""
    if wanted.step == "close":
        return Answer(None)
    _, monday, version, *_ = wanted.parts
    if wanted.step == "save":
        return _save(wanted.number, roster.monday_in(monday), fields, version or None)
    return _opened(wanted.number, roster.monday_in(monday))


def _opened(site_id: int, monday: dt.date | None, *, done: str = "", **kept: Any) -> Answer:
    site = queries.sites.site(site_id)
    if site is None:
        return Answer(html.Div(states.not_found("site"), className="panel"))
    return Answer(_one(site, monday, done=done, **kept), changed=bool(done))


def _save(site_id: int, monday: dt.date | None, fields: Fields, version: str | None) -> Answer:
    def work() -> None:
        check(ADMIN)
        principal = check_whole_tenant()
        chosen = {name: steps.whole(fields.get(name)) for name in CONTACTS}
        domain.put_in_charge(
            site_id, chosen, tenant_id=principal.tenant_id, now=utcnow(), version=version
        )

    sight.act(_PART)
    _, refusal = steps.attempt(work)
    done = "" if refusal else "Saved. New tickets of the site go to them."
    return _opened(site_id, monday, values=fields if refusal else None, refusal=refusal, done=done)


def _in_charge(site: dict[str, Any]) -> Any:
    people = [(label, name) for label, name in _people(site) if name]
    if not people:
        return html.Span("nobody", className="muted")
    first, others = people[0][1], len(people) - 1
    every = "\n".join(f"{label.lower()} {name}" for label, name in people)
    return html.Span(f"{first} +{others}" if others else first, title=every)


def _people(site: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What each who is in charge is called, and their name."""
    return [(label, site[column.replace("_id", "_name")]) for column, label in CONTACTS.items()]


def _one(
    site: dict[str, Any], monday: dt.date | None, *, values: Fields | None = None,
    refusal: Refusal | None = None, done: str = "",
) -> html.Div:  # fmt: skip
    zone = ZoneInfo(site["timezone"])
    today = utcnow().astimezone(zone).date()
    start = monday or today
    start -= dt.timedelta(days=start.weekday())
    facts = marks.facts(
        [
            ("Code", html.Code(site["code"])),
            ("Zone", site["timezone"]),
            ("Place", f"{site['lat']:.5f}, {site['lon']:.5f}"),
            ("Geofence", roster.fence_words(site)),
            ("Guards at home", f"{site['guards']:,}"),
        ]
    )
    about = kit.side(
        site["name"],
        html.Div(
            [
                html.Div(roster.map_of(site), className="admin-map"),
                html.Div([facts, *_contacts(site, start, values, refusal, done)],
                         className="act"),
            ],
            className="admin-site",
        ),
        part=_PART,
        key=site["id"],
    )  # fmt: skip
    return html.Div([about, roster.week(site, start, today)], className="stack")


def _contacts(
    site: dict[str, Any], monday: dt.date, values: Fields | None, refusal: Refusal | None,
    done: str,
) -> list[Any]:  # fmt: skip
    principal = required_principal()
    if not principal.may(ADMIN) or principal.site_ids is not None:
        return [marks.facts([(label, name or "nobody") for label, name in _people(site)])]
    seen = version_of({name: site[name] for name in CONTACTS})
    form = Form(_PART, values or site, refusal)
    people = queries.sites.in_charge()
    fields = [
        form.choice(name, label, people, placeholder="Nobody", clearable=True, searchable=True)
        for name, label in CONTACTS.items()
    ]
    return [
        html.Div(fields, className="admin-three"),
        kit.told(refusal, *form.names, done=done),
        kit.actions(
            kit.button(_PART, "save", "Save who is in charge", f"{site['id']}:{monday}:{seen}",
                       look="primary")
        ),
    ]  # fmt: skip

"""A site on a small map, and its week: who is on duty when, and who is on leave."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboards import queries, states, theme, words
from dashboards.admin import kit, listing, said, steps
from dashboards.admin.controls import Asked, Find
from dashboards.admin.listing import Listing, Rows
from noc.database.base import utcnow

_METRES_PER_DEGREE = 111_320.0
"""Of latitude; of longitude times the cosine of the latitude."""

_SIZE = 200

_PART = "sites"


def fence_words(site: dict[str, Any]) -> str:
    """The geofence in words."""
    if site["geofence_polygon"]:
        return said.area(site["geofence_polygon"])
    return f"{site['geofence_radius']:,.0f} m around the place"


def corners(site: dict[str, Any]) -> list[tuple[float, float]]:
    """The corners of the geofence in metres east and north of the place; none for a circle."""
    scale = math.cos(math.radians(site["lat"]))
    return [
        ((lon - site["lon"]) * _METRES_PER_DEGREE * scale, (lat - site["lat"]) * _METRES_PER_DEGREE)
        for lon, lat in site["geofence_polygon"] or ()
    ]


def map_of(site: dict[str, Any]) -> Any:
    """The geofence to scale, drawn once for each scheme; ``noc-admin.css`` shows one of them."""
    words_of = f"{site['name']}: {fence_words(site)}"
    images = [
        html.Img(
            src=f"data:image/svg+xml,{quote(svg(site, scheme))}",
            alt=words_of if scheme == "dark" else "",
            width=_SIZE,
            height=_SIZE,
            className=f"admin-map-{scheme}",
        )
        for scheme in theme.SCHEMES
    ]
    return html.Figure([*images, html.Figcaption("Geofence, to scale", className="muted")])


def svg(site: dict[str, Any], scheme: theme.Scheme) -> str:
    """The place, its geofence, and a bar of a round number of metres."""
    colours = theme.COLOURS[scheme]
    ring = corners(site)
    reach = max([abs(one) for pair in ring for one in pair] or [site["geofence_radius"]]) or 1.0
    unit = (_SIZE / 2 - 24) / reach
    middle = _SIZE / 2
    look = f'fill="{colours["accent"]}" fill-opacity="0.16" stroke="{colours["accent"]}"'
    if ring:
        points = " ".join(f"{middle + x * unit:.1f},{middle - y * unit:.1f}" for x, y in ring)
        shape = f'<polygon points="{points}" {look} stroke-width="1.5"/>'
    else:
        radius = site["geofence_radius"] * unit
        shape = f'<circle cx="{middle}" cy="{middle}" r="{radius:.1f}" {look} stroke-width="1.5"/>'
    metres = _round(reach / 2)
    bar = metres * unit
    text = f'fill="{colours["muted"]}" font-size="11" font-family="Inter, sans-serif"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}">'
        f"{shape}"
        f'<circle cx="{middle}" cy="{middle}" r="4" fill="{colours["text"]}"/>'
        f'<path d="M10 {_SIZE - 8}h{bar:.1f}" stroke="{colours["muted"]}" stroke-width="2"/>'
        f'<text x="10" y="{_SIZE - 13}" {text}>{metres:,} m</text>'
        f'<text x="{_SIZE - 16}" y="16" {text}>N</text>'
        "</svg>"
    )


def _round(metres: float) -> int:
    """1, 2 or 5 times a power of ten, at most ``metres`` and at least 1."""
    power = 10 ** math.floor(math.log10(max(metres, 1)))
    return int(next(step * power for step in (5, 2, 1) if step * power <= max(metres, 1)))


def week(site: dict[str, Any], monday: dt.date, today: dt.date) -> html.Section:
    """Seven days from ``monday``: a line a person, a cell a day, by the clocks of the site."""
    days = _days(monday)
    aside = html.Div(
        [
            _step(site, monday - dt.timedelta(days=7), "Week before"),
            _step(site, today - dt.timedelta(days=today.weekday()), "This week"),
            _step(site, monday + dt.timedelta(days=7), "Week after"),
        ],
        className="actions",
    )
    head = [
        html.Th("Guard", scope="col"),
        *(
            html.Th(f"{day:%a %d}", scope="col", className="is-today" if day == today else "")
            for day in days
        ),
    ]
    note = html.P(
        "Times by the clocks of the site. Crossed out: on approved leave.",
        className="muted admin-after",
    )
    return listing.place_of(
        LISTING,
        f"{site['id']}:{monday}",
        title=f"Roster, {monday:%d %b} to {days[-1]:%d %b %Y}",
        head=head,
        aside=aside,
        note=note,
    )


def _step(site: dict[str, Any], monday: dt.date, label: str) -> Any:
    return kit.button(_PART, "week", label, f"{site['id']}:{monday}", look="small")


def _days(monday: dt.date) -> list[dt.date]:
    return [monday + dt.timedelta(days=n) for n in range(7)]


class Shown(NamedTuple):
    """The site and week whose roster is shown."""

    site_id: int
    monday: dt.date
    zone: ZoneInfo

    @property
    def week(self) -> queries.sites.Week:
        """From its first midnight to its last, by the clocks of the site."""
        start, end = (
            dt.datetime.combine(day, dt.time(), tzinfo=self.zone)
            for day in (self.monday, self.monday + dt.timedelta(days=7))
        )
        return self.site_id, start, end


def monday_in(text: str) -> dt.date | None:
    """The Monday of the week of a day that is written as ``2026-11-16``; None where it is none."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day - dt.timedelta(days=day.weekday()) if 2000 <= day.year < 2190 else None


def _shown(asked: Asked) -> Shown | None:
    """None for a site that is not to be seen."""
    key, _, day = asked["of"].partition(":")
    site, monday = queries.sites.site(steps.whole(key) or 0), monday_in(day)
    if site is None or monday is None:
        return None
    return Shown(site["id"], monday, ZoneInfo(site["timezone"]))


def _read(asked: Asked, after: Any, limit: int) -> Rows:
    shown = _shown(asked)
    if shown is None:
        return []
    found = queries.sites.on_duty(shown.week, asked["search"], after, limit)
    return [one | {"shown": shown} for one in found]


def _counted(asked: Asked) -> str:
    shown = _shown(asked)
    if shown is None:
        return ""
    matching, every = queries.sites.on_duty_counted(shown.week, asked["search"])
    told = words.count(every, "person", "people")
    return f"{matching:,} of {told}" if asked["search"] else told


def _nothing(asked: Asked) -> html.Div:
    if asked["search"]:
        return states.empty("Nobody found", "Search by a part of the name or of the code.")
    return states.empty(
        "Nobody is planned",
        "Shifts come from your own system, over the API or by an import.",
        mark="clock",
    )


def _rows(found: Rows) -> list[html.Tr]:
    return [_person(one, one["shown"]) for one in found]


LISTING = Listing(
    part=_PART,
    name="roster",
    title="Roster",
    controls=(Find("Name or code", told="Name or code of a guard"),),
    head=(),
    read=_read,
    rows=_rows,
    counted=_counted,
    nothing=_nothing,
    look="admin-roster",
    beside=True,
)


def _person(one: dict[str, Any], shown: Shown) -> html.Tr:
    days, zone = _days(shown.monday), shown.zone
    today = utcnow().astimezone(zone).date()
    cells: dict[dt.date, list[Any]] = {day: [] for day in days}
    for shift in one["shifts"]:
        start = shift["starts_at"].astimezone(zone)
        # A shift that began before the week stands on its first day.
        day = max(start.date(), days[0])
        if day in cells:
            end = shift["ends_at"].astimezone(zone)
            cells[day].append(_shift(shift, start, end, carried=start.date() < day))
    link = dcc.Link(one["name"], href=f"/app/person/{one['id']}", className="link")
    return html.Tr(
        [
            html.Th(link, scope="row"),
            *(html.Td(cells[day], className="is-today" if day == today else "") for day in days),
        ]
    )


def _shift(
    shift: dict[str, Any], start: dt.datetime, end: dt.datetime, *, carried: bool
) -> html.Span:
    swapped = shift["swapped_with_id"] is not None
    hint = [f"{start:%a %d %b %H:%M} to {end:%a %d %b %H:%M}"]
    if swapped:
        hint.append(f"instead of {shift['planned_name']}")
    if shift["leave"]:
        hint.append(f"on approved leave ({shift['leave']})")
    times = f"until {end:%H:%M}" if carried else f"{start:%H:%M}\u2013{end:%H:%M}"
    inner: Any = html.Del(times) if shift["leave"] else times
    look = "admin-shift is-away" if shift["leave"] else "admin-shift"
    return html.Span(
        [inner, html.Span(" swapped", className="muted") if swapped else None],
        className=look,
        title="\n".join(hint),
    )

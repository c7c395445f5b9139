"""A site on a small map, and its week: who is on duty when, and who is on leave."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboards import marks, queries, states, theme, words
from dashboards.admin import kit, said
from dashboards.marks import aria

_METRES_PER_DEGREE = 111_320.0
"""Of latitude; of longitude times the cosine of the latitude."""

_SIZE = 200


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


def week(site: dict[str, Any], monday: dt.date, today: dt.date, *, part: str) -> html.Section:
    """Seven days from ``monday``: a line a person, a cell a day, by the clocks of the site."""
    zone = ZoneInfo(site["timezone"])
    days = [monday + dt.timedelta(days=n) for n in range(7)]
    edges = [dt.datetime.combine(day, dt.time(), tzinfo=zone) for day in (*days, days[-1])]
    end = edges[-1] + dt.timedelta(days=1)
    found = queries.admin.shifts(site["id"], edges[0], end)
    by_person: dict[int, list[dict[str, Any]]] = {}
    for shift in found:
        by_person.setdefault(shift["person_id"], []).append(shift)
    aside = html.Div(
        [
            _step(part, site, monday - dt.timedelta(days=7), "Week before"),
            _step(part, site, today - dt.timedelta(days=today.weekday()), "This week"),
            _step(part, site, monday + dt.timedelta(days=7), "Week after"),
        ],
        className="actions",
    )
    title = f"Roster, {monday:%d %b} to {days[-1]:%d %b %Y}"
    if not by_person:
        notice = states.empty(
            "Nobody is planned",
            "Shifts come from your own system, over the API or by an import.",
            mark="clock",
        )
        return marks.section(title, notice, aside=aside)
    head = html.Tr(
        [
            html.Th(words.count(len(by_person), "person", "people"), scope="col"),
            *(
                html.Th(f"{day:%a %d}", scope="col", className="is-today" if day == today else "")
                for day in days
            ),
        ]
    )
    rows = [
        _person(person_id, shifts, days, zone, today) for person_id, shifts in by_person.items()
    ]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="admin-roster")
    note = html.P(
        "Times by the clocks of the site. Crossed out: on approved leave.",
        className="muted admin-after",
    )
    frame = html.Div(
        table, className="admin-table-frame", tabIndex=0, role="region", **aria(label=title)
    )
    return marks.section(title, html.Div([frame, note]), aside=aside)


def _step(part: str, site: dict[str, Any], monday: dt.date, label: str) -> Any:
    return kit.button(part, "week", label, f"{site['id']}:{monday}", look="small")


def _person(
    person_id: int, shifts: list[dict[str, Any]], days: list[dt.date], zone: ZoneInfo,
    today: dt.date,
) -> html.Tr:  # fmt: skip
    cells: dict[dt.date, list[Any]] = {day: [] for day in days}
    for shift in shifts:
        start = shift["starts_at"].astimezone(zone)
        # A shift that began before the week stands on its first day.
        day = max(start.date(), days[0])
        if day in cells:
            end = shift["ends_at"].astimezone(zone)
            cells[day].append(_shift(shift, start, end, carried=start.date() < day))
    link = dcc.Link(shifts[0]["person_name"], href=f"/app/person/{person_id}", className="link")
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

"""Suppression windows: what is muted now, next and was; made with its next times in sight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dash import Dash, html

from dashboards import marks, states, words
from dashboards.admin import kit, listing, sight, steps, window_form
from dashboards.admin.controls import Asked, Find, Pick
from dashboards.admin.listing import Listing, Rows
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from noc.alerts.suppression import queries as reading
from noc.alerts.suppression import windows as domain
from noc.alerts.suppression.queries import Standing
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.principal import required_principal

LABEL = "Suppression windows"
WHAT = "Muting what is known to happen"

_PART = "windows"
TIMES = 5

_STANDINGS = {"active": "Muting now", "next": "To come", "over": "Over"}


def content(query: Mapping[str, str]) -> html.Div:
    """What mutes now, what will, and what is over."""
    return listing.frame(_PART, listing.place_for(_LISTING, query))


def register(ui: Dash) -> None:
    """Read the list, and answer the buttons."""
    listing.register(ui, _PART, act, _LISTING)


def _read(asked: Asked, after: Any, limit: int) -> Rows:
    return reading.list_by_standing(
        asked["search"],
        _standing(asked),
        now=utcnow(),
        site_ids=required_principal().site_ids,
        limit=limit,
        after=after,
    )


def _standing(asked: Asked) -> Standing | None:
    return next((one for one in reading.STANDINGS if one == asked["state"]), None)


def _counted(asked: Asked) -> str:
    found = reading.count_by_standing(
        asked["search"], now=utcnow(), site_ids=required_principal().site_ids
    )
    if standing := _standing(asked):
        return words.count(found[standing], "window")
    muting = f", {found['active']:,} muting now" if found["active"] else ""
    return f"{words.count(sum(found.values()), 'window')}{muting}"


def _nothing(asked: Asked) -> html.Div:
    if asked["search"]:
        return states.empty("None found", "Search by a part of the name or of the reason.")
    title = {"over": "Nothing is over yet", "next": "Nothing is to come"}
    return states.empty(
        title.get(asked["state"], "Nothing is muted"),
        "A window mutes what is known to happen, such as a repair: alerts are kept, open no "
        "ticket, and are heard of when it is over.",
        mark="bell",
    )


def _rows(found: Rows) -> list[html.Tr]:
    return [
        kit.row(
            kit.two(
                kit.button(_PART, "open", window["name"], window["id"], look="text"),
                window["reason"].splitlines()[0],
            ),
            ("Where", window["site_name"] or "Every site"),
            ("Mutes", mutes(window)),
            ("When", when(window)),
            ("State", _state(window)),
            key=window["id"],
            over=window["standing"] == "over",
        )
        for window in found
    ]


def _place(window: Mapping[str, Any]) -> tuple[int, str, int]:
    standing, made_at, key = reading.place_of(window)
    return standing, made_at.isoformat(), key


_LISTING = Listing(
    part=_PART,
    name=_PART,
    title="Windows",
    controls=(
        Find("Name or reason"),
        Pick("How they stand", "Any state", _STANDINGS, "state"),
    ),
    new="New window",
    head=("Window", "Where", "Mutes", "When", "State"),
    read=_read,
    rows=_rows,
    counted=_counted,
    nothing=_nothing,
    place=_place,
    places=listing.GroupPlace,
)


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step; a window is made only after its times were shown."""
    step = wanted.step
    if step == "new":
        return Answer(window_form.form(window_form.blank(True)))
    kind = "again" if wanted.key == "again" else "once"
    if step == "kind":
        typed = {name: value for name, value in fields.items() if value}
        return Answer(window_form.form(window_form.blank(kind == "once") | typed))
    if step in ("look", "create"):
        return _made(fields | {"kind": kind}, sure=step == "create")
    if step == "close":
        return Answer(None)
    if step == "cancel":
        return _cancelled(wanted.number)
    return _opened(wanted.number, asking=step == "ask-cancel")


def _made(fields: Fields, *, sure: bool) -> Answer:
    """Show the next times, or make it where they were seen."""
    principal = sight.act(_PART)

    def work() -> Any:
        body = window_form.body(fields)
        if sure:
            key = domain.create(
                body, user_id=principal.user_id, now=utcnow(), site_ids=principal.site_ids
            )
            return key, ("", [])
        times = domain.preview(body, now=utcnow(), count=TIMES, site_ids=principal.site_ids)
        return 0, times

    done, refusal = steps.attempt(work)
    if refusal:
        return Answer(window_form.form(fields, window_form.placed(refusal)))
    key, (zone, spans) = done
    if sure:
        return _opened(key, done="Made. It mutes by itself when its time comes.")
    return Answer(window_form.form(fields, zone=zone, spans=spans))


def _cancelled(key: int) -> Answer:
    principal = sight.act(_PART)
    _, refusal = steps.attempt(
        lambda: domain.cancel(
            key, user_id=principal.user_id, now=utcnow(), site_ids=principal.site_ids
        )
    )
    session().expire_all()
    done = "" if refusal else "Cancelled. What it muted is heard of within a minute."
    return _opened(key, refusal=refusal, done=done)


def _opened(
    key: int, *, asking: bool = False, done: str = "", refusal: Refusal | None = None
) -> Answer:
    window = reading.find_window(
        key, now=utcnow(), occurrences=TIMES, site_ids=required_principal().site_ids
    )
    if window is None:
        return Answer(html.Div(states.not_found("window"), className="panel"))
    return Answer(_one(window, asking, done, refusal), changed=bool(done))


def mutes(window: dict[str, Any]) -> str:
    """What a window is about, in words."""
    types = ", ".join(words.say(words.ALERT, code) for code in window["alert_types"])
    least, most = window["least_severity"], window["most_severity"]
    told = types or "all alerts"
    if least:
        told += f" from {words.SEVERITY[least].lower()} on"
    if most:
        told += f" up to {words.SEVERITY[most].lower()}"
    more = [
        name
        for name, given in (("critical", "include_critical"), ("SOS", "include_sos"))
        if window[given]
    ]
    return f"{told}, {' and '.join(more)} too" if more else told


def when(window: dict[str, Any]) -> Any:
    """Once from when to when, or how it comes again."""
    again = window["recurrence"]
    if again is None:
        zone = window["timezone"]
        return html.Span([marks.moment(window["starts_at"], zone), " to ",
                          marks.moment(window["ends_at"], zone)])  # fmt: skip
    length = words.span(again["duration_minutes"] * 60)
    return f"{window_form.rule_words(again['rrule'])} at {again['start_time']}, {length}"


def _state(window: dict[str, Any]) -> Any:
    if window["cancelled_at"]:
        return html.Span(["Cancelled ", marks.moment(window["cancelled_at"])], className="muted")
    looks = {"active": "state state-new", "next": "state", "over": "state state-resolved"}
    standing = window["standing"]
    word = "Mutes now" if standing == "active" else _STANDINGS[standing]
    return html.Span(word, className=looks[standing])


def _one(window: dict[str, Any], asking: bool, done: str, refusal: Refusal | None) -> html.Section:
    key, over = window["id"], window["cancelled_at"] is not None or not window["occurrences"]
    if asking:
        action: Any = kit.confirm(
            f"Cancel {window['name']}? What it muted and is still open is heard of within a "
            "minute. A cancelled window does not come back.",
            kit.button(_PART, "cancel", "Yes, cancel it", key, look="danger"),
            kit.button(_PART, "open", "Leave it as it is", key),
        )
    else:
        action = (
            None
            if over
            else kit.actions(kit.button(_PART, "ask-cancel", "Cancel it", key, look="danger"))
        )
    return kit.side(
        window["name"],
        [
            kit.told(refusal, done=done),
            action,
            marks.facts(
                [
                    ("Why", window["reason"]),
                    ("Where", window["site_name"] or "Every site"),
                    ("Mutes", mutes(window)),
                    ("When", when(window)),
                    ("By the clocks of", window["timezone"]),
                    ("Made", html.Span([marks.moment(window["created_at"]), _by(window)])),
                ]
            ),
            window_form.times(
                [
                    (dt.datetime.fromisoformat(one["starts_at"]),
                     dt.datetime.fromisoformat(one["ends_at"]))
                    for one in window["occurrences"]
                ],
                window["timezone"],
            ),
        ],
        part=_PART,
        key=key,
    )  # fmt: skip


def _by(window: dict[str, Any]) -> str:
    return f" by {window['created_by_name']}" if window["created_by_name"] else ""

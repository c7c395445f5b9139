"""Suppression windows: what is muted now, next and was; made with its next times in sight."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import Dash, html

from dashboards import marks, states, words
from dashboards.admin import kit, sight, steps, window_form
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from noc.alerts.suppression import queries as reading
from noc.alerts.suppression import windows as domain
from noc.alerts.suppression.schemas import SuppressionQuery
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.principal import required_principal

LABEL = "Suppression windows"
WHAT = "Muting what is known to happen"

_PART = "windows"
_HEAD = ("Window", "Where", "Mutes", "When", "State")
SHOWN = 200
TIMES = 5


def content(side: Any = None, chosen: int | None = None) -> html.Div:
    """What mutes now, what will, and what is over."""
    now = utcnow()
    page = reading.list_windows(
        SuppressionQuery.model_validate({}),
        now=now,
        site_ids=required_principal().site_ids,
        limit=SHOWN,
    )
    groups: dict[str, list[dict[str, Any]]] = {"active": [], "next": [], "past": []}
    for window in page.items:
        groups[_group(window, now)].append(window)
    new = kit.button(_PART, "new", "New window", look="primary")
    sections = []
    for code, title in (("active", "Muting now"), ("next", "To come"), ("past", "Over")):
        found = groups[code]
        if found or code == "active":
            sections.append(
                marks.section(
                    f"{title}: {len(found)}" if found else title,
                    _table(code, found, chosen),
                    aside=new if code == "active" else None,
                )
            )
    return kit.content(sections, side)


def register(ui: Dash) -> None:
    """Answer the buttons."""
    steps.register(ui, _PART, act)


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step; a window is made only after its times were shown."""
    step = wanted.step
    if step == "new":
        return Answer(content(window_form.form(window_form.blank(True))))
    kind = "again" if wanted.key == "again" else "once"
    if step == "kind":
        typed = {name: value for name, value in fields.items() if value}
        return Answer(content(window_form.form(window_form.blank(kind == "once") | typed)))
    if step in ("look", "create"):
        return _made(fields | {"kind": kind}, sure=step == "create")
    if step == "close":
        return Answer(content())
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
        return Answer(content(window_form.form(fields, window_form.placed(refusal))))
    key, (zone, spans) = done
    if sure:
        return _opened(key, done="Made. It mutes by itself when its time comes.")
    return Answer(content(window_form.form(fields, zone=zone, spans=spans)))


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
        return Answer(content(html.Div(states.not_found("window"), className="panel")))
    return Answer(content(_one(window, asking, done, refusal), key))


def _group(window: dict[str, Any], now: dt.datetime) -> str:
    if window["active"]:
        return "active"
    over = window["ends_at"] is not None and window["ends_at"] <= now
    return "past" if window["cancelled_at"] or over else "next"


def _table(code: str, found: list[dict[str, Any]], chosen: int | None) -> Any:
    if not found:
        return states.empty(
            "Nothing is muted",
            "A window mutes what is known to happen, such as a repair: alerts are kept, open no "
            "ticket, and are heard of when it is over.",
            mark="bell",
        )
    rows = [
        kit.row(
            kit.two(
                kit.button(_PART, "open", window["name"], window["id"], look="text"),
                window["reason"].splitlines()[0],
            ),
            ("Where", window["site_name"] or "Every site"),
            ("Mutes", mutes(window)),
            ("When", when(window)),
            ("State", _state(window, code)),
            chosen=window["id"] == chosen,
        )
        for window in found
    ]
    return kit.table(f"admin-windows-{code}", _HEAD, rows, label="Suppression windows")


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


def _state(window: dict[str, Any], code: str) -> Any:
    if window["cancelled_at"]:
        return html.Span(["Cancelled ", marks.moment(window["cancelled_at"])], className="muted")
    if code == "active":
        return html.Span("Mutes now", className="state state-new")
    if code == "next":
        return html.Span("To come", className="state")
    return html.Span("Over", className="state state-resolved")


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
    )  # fmt: skip


def _by(window: dict[str, Any]) -> str:
    return f" by {window['created_by_name']}" if window["created_by_name"] else ""

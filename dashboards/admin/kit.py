"""What the parts look like: a list and what lies beside it, tables, buttons, secrets shown once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dash import html

from dashboards import exports, marks, states
from dashboards.admin.steps import Refusal
from dashboards.detail import parts
from dashboards.marks import aria, icon


def content(listing: Any, side: Any = None) -> html.Div:
    """A list, and beside it what is being looked at or written."""
    return html.Div(
        [html.Div(listing, className="stack"), side and html.Div(side, className="stack")],
        className="admin-split" if side else "stack",
    )


def button(
    part: str, step: str, label: Any, key: Any = "", *, look: str = "", **props: Any
) -> html.Button:
    """A button that takes a step; ``look``: one of the styles below."""
    style = {
        "primary": "btn btn-primary",
        "text": "text-btn",
        "danger": "btn btn-danger",
        "small": "btn btn-small",
    }
    return html.Button(
        label,
        id=_id(part, step, key),
        className=style.get(look, "btn"),
        n_clicks=0,
        type="button",
        **props,
    )


def _id(part: str, step: str, key: Any) -> dict[str, str]:
    return {"type": f"admin-{part}", "step": step, "key": str(key)}


def chips(
    part: str, step: str, choices: Iterable[tuple[str, str]], chosen: str, *, label: str
) -> html.Div:
    """Choices side by side that each take the step, by key and word; one of them is pressed."""
    return html.Div(
        [
            html.Button(
                word,
                id=_id(part, step, key),
                className="chip",
                n_clicks=0,
                type="button",
                **aria(pressed="true" if key == chosen else "false"),
            )
            for key, word in choices
        ],
        className="chips",
        role="group",
        **aria(label=label),
    )


def actions(*buttons: Any) -> html.Div:
    """Buttons in a row."""
    return html.Div(list(buttons), className="actions")


def side(title: str, children: Any, *, part: str, key: Any = "") -> html.Section:
    """What is being looked at, with a way to close it; ``key``: its row's, which is marked."""
    close = marks.icon_button(
        "cross", f"Close: {title}", title="Close", id=_id(part, "close", ""), n_clicks=0
    )
    return marks.section(
        title,
        html.Div(children, className="section-body admin-form"),
        aside=close,
        className="admin-side",
        tabIndex=-1,
        **marks.data(focus="yes", key=str(key)),
    )


def told(refusal: Refusal | None, *shown: str, done: str = "") -> Any:
    """What came of a step: what is wrong beyond the fields ``shown``, or that it is done."""
    if done:
        return html.P(done, className="done", role="status")
    if refusal is None:
        return None
    rest = [
        f"{name.replace('_', ' ').replace('.', ' ')}: {reason}"
        for name, reason in refusal.fields.items()
        if name not in shown
    ]
    if not rest and not refusal.words:
        rest = ["Not yet: something is marked below"]
    if refusal.stale:
        rest = ["What you typed is kept: saving again puts it in place of theirs"]
    return parts.problem(" ".join(filter(None, (refusal.words, ". ".join(rest)))))


def confirm(question: str, *buttons: Any) -> html.Div:
    """What hurts is asked about once."""
    return html.Div(
        [
            html.P([icon("alert"), html.Span(question)], className="admin-question", role="alert"),
            actions(*buttons),
        ],
        className="act",
    )


def table(
    name: str,
    head: Sequence[str | html.Th],
    lines: Sequence[html.Tr],
    *,
    label: str,
    look: str = "admin-table",
) -> html.Div:
    """Rows under names; on a narrow screen each row is a card, but in a ``look`` of its own."""
    columns = [html.Th(one, scope="col") if isinstance(one, str) else one for one in head]
    return html.Div(
        html.Table(
            [html.Thead(html.Tr(columns)), html.Tbody(lines, id=f"{name}-rows")],
            className=look,
            id=name,
        ),
        className="admin-table-frame",
        tabIndex=0,
        role="region",
        **aria(label=label),
    )  # fmt: skip


def listed(
    title: str, name: str, head: Sequence[str], lines: Sequence[html.Tr], *, label: str,
    aside: Any = None, note: Any = None,
) -> html.Section:  # fmt: skip
    """A section with a table whose id is ``admin-<name>-table``, and its CSV."""
    key = f"admin-{name}-table"
    saved = actions(aside, exports.rows(key, name))
    return marks.section(title, html.Div([table(key, head, lines, label=label), note]), aside=saved)


def row(
    first: Any, *cells: tuple[str, Any], key: Any = "", chosen: bool = False, over: bool = False
) -> html.Tr:
    """A row: what it is about, then named cells; ``over`` is what no longer holds.

    With a ``key`` it is marked in the browser while a :func:`side` of that key stands beside it.
    """
    named = [html.Td(value, **marks.data(name=name)) for name, value in cells]
    here = aria(current="true") if chosen else {}
    look = "is-chosen" if chosen else "is-over" if over else ""
    keyed = marks.data(key=str(key)) if key else {}
    return html.Tr([html.Th(first, scope="row"), *named], className=look, **here, **keyed)


def two(first: Any, second: Any) -> html.Span:
    """A line, and a quiet one below."""
    return html.Span([first, html.Span(second, className="muted admin-second")], className="two")


def secret(title: str, value: str, hint: str) -> html.Section:
    """Something that is shown once: it leaves the page, and everything in it, when it is closed."""
    copy = html.Button(
        "Copy", className="btn btn-primary", type="button", **marks.data(copy="admin-secret-value")
    )
    done = html.Button(
        "I have it", id="admin-secret-close", className="btn", n_clicks=0, type="button"
    )
    return marks.section(
        title,
        html.Div(
            [
                html.P(hint),
                html.Code(value, id="admin-secret-value", className="admin-secret"),
                actions(copy, done),
            ],
            className="section-body admin-form",
        ),
        className="admin-secret-box",
        role="alert",
        tabIndex=-1,
        **marks.data(focus="yes"),
    )


def or_failed(what: str, part: str, build: Callable[[], Any]) -> Any:
    """What ``build`` makes, else that it could not be read."""
    return states.or_failed(what, {"type": "retry", "page": f"admin-{part}", "n": 0}, build)

"""What a page shows when there is nothing, not yet, no more, or no permission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from dash import ALL, Input, html
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dashboards import words
from dashboards.marks import aria, icon
from noc.extensions import session
from noc.monitoring import metrics

log = structlog.get_logger(__name__)


def empty(title: str, why: str, *, mark: str = "check") -> html.Div:
    """Nothing here, and what will bring something."""
    return _notice(mark, title, why)


def failed(what: str, retry: Any) -> html.Div:
    """``what`` could not be read. ``retry`` is the id of the button that asks again."""
    button = html.Button([icon("retry"), "Try again"], id=retry, className="btn", n_clicks=0)
    why = "The database did not answer in time. The live feed and the other pages go on."
    return _notice("alert", f"{what} could not be loaded", why, button)


def asked_again(part: str) -> Input:
    """What the callback of a part listens to, so that :func:`or_failed` can have it run again."""
    return Input({"type": "retry", "page": part, "n": ALL}, "n_clicks")


def or_failed(what: str, retry: Any, build: Callable[[], Any]) -> Any:
    """What ``build`` makes; where the database does not answer, :func:`failed`.

    ``retry`` is the name of a part that listens with :func:`asked_again`, or a button's id.
    """
    if isinstance(retry, str):
        retry = {"type": "retry", "page": retry, "n": 0}
    try:
        return build()
    except (OperationalError, PoolTimeout) as error:
        session().rollback()
        metrics.FAILURES.labels("dashboards").inc()
        log.warning("page_unavailable", what=what, error=str(error).splitlines()[0])
        return failed(what, retry)


def forbidden(what: str, capability: str) -> html.Div:
    """The signed-in role does not include this: says which capability it takes, and who has it."""
    why = [
        "This takes the permission ",
        html.Code(capability),
        f": {what[0].lower()}{what[1:]}. {words.CAPABILITY.get(capability, '')} "
        "Ask an administrator of your company.",
    ]
    return _notice("lock", "Not part of your role", why)


def not_found(what: str) -> html.Div:
    """There is no such thing in this company."""
    return _notice("search", f"No such {what}", "It may have been removed, or the link is wrong.")


def skeleton(*heights: int) -> html.Div:
    """Grey blocks of the heights (px) that the content will take."""
    blocks = [html.Div(className="skeleton", style={"height": f"{height}px"}) for height in heights]
    return html.Div(blocks, className="skeletons", role="status", **aria(label="Loading"))


def _notice(mark: str, title: str, why: Any, action: Any = None) -> html.Div:
    return html.Div(
        [icon(mark), html.H3(title), html.P(why), action], className="notice", role="status"
    )

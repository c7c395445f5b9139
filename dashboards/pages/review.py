"""The review queue: one punch after the other, judged by keyboard, its evidence on one screen."""

from __future__ import annotations

import uuid
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html
from pydantic import BaseModel, ConfigDict

from dashboards import browser, callbacks, queries, states, theme
from dashboards.callbacks import Choice, Clicks, SiteChoice
from dashboards.marks import aria, icon
from dashboards.review import card, judging, keys, side
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import FRAUD_REVIEW
from noc.identity.guard import check
from noc.identity.principal import required_principal

TITLE = "Review"

_SKELETON = (64, 380, 220)


def layout(query: dict[str, str]) -> html.Div:
    """The page; ``?punch=`` is the prediction to begin with, ``?site=`` keeps to one site."""
    if not required_principal().may(FRAUD_REVIEW):
        refused = states.forbidden("Reviewing punches", FRAUD_REVIEW)
        return html.Div(refused, className="panel")
    sites = [{"value": key, "label": site["name"]} for key, site in queries.reader.sites().items()]
    site = query.get("site")
    return html.Div(
        [
            dcc.Store(id="review-first", data=_prediction_id(query.get("punch"))),
            *(dcc.Store(id=f"review-{name}") for name in _STORES),
            html.Div(
                [
                    html.Div(states.skeleton(*_SKELETON), id="review-card"),
                    keys.bar(),
                    html.P("", id="review-said", className="sr-only", role="status"),
                ],
                className="review-main",
            ),
            html.Aside(
                [
                    dmc.Select(
                        id="review-site",
                        placeholder="All sites",
                        data=sites,
                        value=site if site in {one["value"] for one in sites} else None,
                        clearable=True,
                        searchable=True,
                        **aria(label="Site"),
                    ),
                    html.Div(states.skeleton(120, 160), id="review-done"),
                    html.Div(states.skeleton(150), id="review-waiting"),
                ],
                className="review-side",
                **aria(label="Progress"),
            ),
            keys.help_dialog(),
        ],
        className="page review-page",
    )


_STORES = ("queue", "more", "want", "dealt", "show", "steps", "judged")


def register(ui: Dash) -> None:
    """Dealing, judging and the queue run here; which punch is shown is the script's to say."""
    callbacks.register(
        ui,
        fill,
        Output("review-queue", "data"),
        Output("review-waiting", "children"),
        Output("review-done", "children"),
        Input("review-site", "value"),
        Input("review-more", "data"),
        Input({"type": "retry", "page": "review", "n": ALL}, "n_clicks"),
    )
    callbacks.register(
        ui,
        deal,
        Output("review-dealt", "data"),
        Input("review-want", "data"),
        State("scheme", "data"),
        prevent_initial_call=True,
    )
    callbacks.register(
        ui,
        judge,
        Output("review-judged", "data"),
        Output("review-done", "children", allow_duplicate=True),
        Input("review-steps", "data"),
        prevent_initial_call=True,
    )
    shown = Output("review-card", "children", allow_duplicate=True)
    done = Output("sink", "data", allow_duplicate=True)
    browser.keep_address(ui, "review-site")
    queue = Input("review-queue", "data")
    browser.call(ui, "reviewQueue", shown, queue, State("review-first", "data"), on_load=False)
    browser.call(ui, "reviewDealt", shown, Input("review-dealt", "data"), on_load=False)
    browser.call(ui, "reviewShow", shown, Input("review-show", "data"), on_load=False)
    browser.call(ui, "reviewJudged", done, Input("review-judged", "data"), on_load=False)
    click = Input("review-timeline", "clickData")
    browser.call(ui, "reviewOpen", done, click, on_load=False)
    browser.call(ui, "reviewRepaint", done, Input("scheme", "data"), on_load=False)


def fill(site: SiteChoice, _more: Clicks = None, _retries: Clicks = None) -> tuple[Any, Any, Any]:
    """The next punches, what waits, and how far today's work has come."""
    check(FRAUD_REVIEW)
    built: tuple[Any, Any, Any] | Any = states.or_failed(
        "The review queue", {"type": "retry", "page": "review", "n": 0}, lambda: _fill(site)
    )
    if isinstance(built, tuple):
        return built
    return {"failed": html.Div(built, className="panel")}, None, None


def _fill(site: int | None) -> tuple[Any, Any, Any]:
    now = utcnow()
    queue = queries.review.waiting(site, now)
    items = [{"id": item["prediction_id"], "why": item["why"]} for item in queue["items"]]
    empty = states.empty(
        "Nothing waits for a verdict",
        f"Every scored punch of the last {queue['days']} days has one. New punches come in as "
        "guards punch; each day some are drawn by chance.",
    )
    told = {"items": items, "site": site, "empty": html.Div(empty, className="panel")}
    return told, side.waiting(queue), side.done(queries.review.done(now))


class Wanted(BaseModel):
    """A punch to be shown, or soon to be."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    why: Choice = None
    number: int = 0


def deal(wanted: Wanted, scheme: Choice) -> dict[str, Any]:
    """The punch's card, and what the script must know to judge it.

    ``gone`` says in words why it need not be looked at now: somebody else has it, or labelled it.
    ``card`` is there all the same where the punch may be seen.
    """
    check(FRAUD_REVIEW)
    retry = {"type": "review-again", "n": 0}
    built: dict[str, Any] | Any = states.or_failed(
        "The punch", retry, lambda: _deal(wanted, "light" if scheme == "light" else "dark")
    )
    if isinstance(built, dict):
        return {"id": str(wanted.id)} | built
    return {"id": str(wanted.id), "failed": True, "card": html.Div(built, className="panel")}


def _deal(wanted: Wanted, scheme: theme.Scheme) -> dict[str, Any]:
    score = queries.review.prediction(wanted.id)
    around = score and queries.review.evidence(score["punch_id"])
    if score is None or around is None:
        missing = html.Div(states.not_found("punch"), className="panel")
        return {"card": missing, "missing": True, "gone": "The punch is no longer there."}
    holder = queries.review.hold(wanted.id) if score["label"] is None else None
    label = score["label"]
    shown: Any = card.card(
        score,
        around,
        wanted.why or "asked",
        ticket_from=queries.reader.ticket_threshold(score["site_id"]),
        fraud_from=queries.review.threshold(),
        now=utcnow(),
        scheme=scheme,
    )
    gone = None
    if label is not None:
        who = label["labelled_by_name"] or "somebody"
        gone = f"{score['person_name']}: {who} labelled it meanwhile."
    elif holder is not None:
        gone = f"{score['person_name']}: {holder} is looking at it."
        held = f"{holder} is looking at this punch too."
        shown = html.Div(
            [html.P([icon("info"), html.Span(held)], className="note review-held"), shown]
        )
    return {
        "card": shown,
        "name": score["person_name"],
        "verdict": label["verdict"] if label else None,
        "source": label["source"] if label else None,
        "looked": score["looked_at"] is not None,
        "gone": gone,
    }


def judge(said: judging.Steps) -> tuple[dict[str, Any], Any]:
    """Take verdicts and what is taken back, and tell how far the work has come.

    A step that is refused (somebody was faster) is answered in words; the others hold.
    """
    principal = check(FRAUD_REVIEW)
    now = utcnow()
    answers = judging.take(said.steps, principal, now)
    session().commit()
    told = {"number": said.number, "answers": answers}
    return told, side.done(queries.review.done(now))


def _prediction_id(text: str | None) -> str | None:
    try:
        return str(uuid.UUID(text)) if text else None
    except ValueError:
        return None

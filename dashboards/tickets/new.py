"""Opening a ticket by hand."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update
from pydantic import Field, ValidationError

from dashboards import browser, callbacks, queries, words
from dashboards.callbacks import Choice, Clicks, SiteChoice, SomeId
from dashboards.marks import aria, icon
from dashboards.tickets.filters import CATEGORIES, PRIORITIES
from noc.database.base import utcnow
from noc.extensions import session
from noc.identity.capabilities import OPERATE
from noc.identity.guard import check
from noc.identity.principal import Principal, required_principal
from noc.rest.problems import Problem, field_errors
from noc.tickets.by_hand import open_by_hand
from noc.tickets.schemas import TicketIn

FOUND = 12
"""Guards that the field offers."""

_BETWEEN = " · "
_FIELDS = ("title", "description", "site_id", "person_id")
"""Fields that say beside themselves what is wrong with them."""

Written = Annotated[str | None, Field(max_length=10_000)]
"""What somebody typed; what is too long for a ticket is told beside the field."""


def button() -> html.Button | None:
    """Opens the form, for those who may."""
    if not required_principal().may(OPERATE):
        return None
    return html.Button(
        [icon("plus"), "New ticket"], id="tickets-new-open", className="btn btn-primary", n_clicks=0
    )


def form() -> dmc.Modal | None:
    """The form, closed."""
    principal = required_principal()
    if not principal.may(OPERATE):
        return None
    sites = [{"value": key, "label": site["name"]} for key, site in queries.reader.sites().items()]
    return dmc.Modal(
        html.Div(
            [
                dcc.Store(id="tickets-new-key"),
                dmc.TextInput(
                    id="tickets-new-title",
                    label="Title",
                    placeholder="What is to be done, in a line",
                    value="",
                    withAsterisk=True,
                    **{"data-autofocus": True},
                ),
                dmc.Textarea(
                    id="tickets-new-description",
                    label="Description",
                    placeholder="What happened, what was seen, whom to ask",
                    value="",
                    autosize=True,
                    minRows=3,
                    maxRows=10,
                ),
                html.Div(
                    [
                        _select("priority", "Priority", PRIORITIES, words.SEVERITY, "MEDIUM"),
                        _select("category", "Category", CATEGORIES, words.CATEGORY, "OPERATIONAL"),
                    ],
                    className="form-pair",
                ),
                dmc.Select(
                    id="tickets-new-site",
                    label="Site",
                    placeholder="Whole company" if principal.site_ids is None else "Choose a site",
                    data=sites,
                    clearable=True,
                    searchable=True,
                    withAsterisk=principal.site_ids is not None,
                ),
                dmc.Select(
                    id="tickets-new-person",
                    label="Guard",
                    placeholder="Nobody in particular: type a name or code",
                    data=[],
                    value=None,
                    clearable=True,
                    searchable=True,
                    nothingFoundMessage="Nobody of that name or code",
                ),
                html.Div(id="tickets-new-said"),
                html.Div(
                    [
                        html.Button("Cancel", id="tickets-new-cancel", className="btn", n_clicks=0),
                        html.Button(
                            "Open the ticket",
                            id="tickets-new-save",
                            className="btn btn-primary",
                            n_clicks=0,
                        ),
                    ],
                    className="form-end",
                ),
            ],
            className="form",
        ),
        id="tickets-form",
        title="New ticket",
        opened=False,
        size=520,
        closeButtonProps={"aria-label": "Close"},
    )


def register(ui: Dash) -> None:
    """Opened and closed in the browser; guards are searched for, and the ticket opened, here."""
    browser.call(
        ui,
        "newTicket",
        Output("tickets-form", "opened"),
        Output("tickets-new-key", "data"),
        Input("tickets-new-open", "n_clicks"),
        Input("tickets-new-cancel", "n_clicks"),
        State("tickets-new-key", "data"),
        on_load=False,
    )
    callbacks.register(
        ui,
        guards,
        Output("tickets-new-person", "data"),
        Input("tickets-new-person", "searchValue"),
        prevent_initial_call=True,
    )
    callbacks.register(
        ui,
        save,
        Output("tickets-created", "data"),
        Output("tickets-form", "opened", allow_duplicate=True),
        *[
            Output(f"tickets-new-{name}", "error")
            for name in ("title", "description", "site", "person")
        ],
        Output("tickets-new-said", "children"),
        Output("tickets-new-title", "value"),
        Output("tickets-new-description", "value"),
        Output("tickets-new-person", "value"),
        Input("tickets-new-save", "n_clicks"),
        *[
            State(f"tickets-new-{name}", prop)
            for name, prop in (
                ("key", "data"),
                ("title", "value"),
                ("description", "value"),
                ("priority", "value"),
                ("category", "value"),
                ("site", "value"),
                ("person", "value"),
            )
        ],
        prevent_initial_call=True,
        running=[(Output("tickets-new-save", "disabled"), True, False)],
    )
    done = Output("sink", "data", allow_duplicate=True)
    browser.call(ui, "ticketCreated", done, Input("tickets-created", "data"), on_load=False)


def guards(text: Choice) -> list[dict[str, Any]]:
    """Guards whose name or code contains ``text``; a choice still finds itself."""
    wanted = (text or "").partition(_BETWEEN)[0]
    return [
        {"value": str(person["id"]), "label": f"{person['name']}{_BETWEEN}{person['code']}"}
        for person in queries.people.find_people(wanted, limit=FOUND)
    ]


def save(
    _clicks: Clicks,
    key: Choice,
    title: Written,
    description: Written,
    priority: Choice,
    category: Choice,
    site: SiteChoice,
    person: SomeId,
) -> tuple[Any, ...]:
    """Open the ticket and close the form, or say beside the fields what is wrong.

    403 without ``noc:operate``. Pressed twice, it opens one ticket: ``key`` tells the form.
    """
    principal = check(OPERATE)
    try:
        body = TicketIn.model_validate(
            {
                "title": (title or "").strip(),
                "description": (description or "").strip(),
                "priority": priority,
                "category": category,
                "site_id": site,
                "person_id": person,
            }
        )
        opened = open_by_hand(
            body, principal=principal, now=utcnow(), repeat=_repeat(principal, key, body)
        )
        session().commit()
    except ValidationError as error:
        return _refused("", field_errors(error))
    except Problem as problem:
        session().rollback()
        return _refused(problem.detail, [dict(item) for item in problem.errors])
    told = {"id": opened.ticket_id, "words": f"{opened.number} is open"}
    return (told, False, None, None, None, None, None, "", "", None)


def _repeat(principal: Principal, key: str | None, body: TicketIn) -> str | None:
    if not key:
        return None
    told = f"page|{principal.user_id}|{key}|{body.model_dump_json()}"
    return hashlib.sha256(told.encode()).hexdigest()


def _refused(detail: str, errors: list[dict[str, Any]]) -> tuple[Any, ...]:
    """What was typed stays; each field says what is wrong with it, the rest stands below."""
    by_field = {item["field"]: _plain(item["reason"]) for item in errors}
    beside = [by_field.get(name) for name in _FIELDS]
    others = [
        f"{item['field']} {item['reason']}" for item in errors if item["field"] not in _FIELDS
    ]
    rest = " ".join(others or ([] if errors else [detail]))
    said = html.P(rest, className="problem", role="alert") if rest else None
    return (no_update, True, *beside, said, no_update, no_update, no_update)


def _plain(reason: str) -> str:
    if reason == "String should have at least 1 character":
        return "Say in a line what is to be done"
    return reason.replace("String should have", "Must have")


def _select(
    name: str, label: str, codes: tuple[str, ...], named: dict[str, str], value: str
) -> dmc.Select:
    return dmc.Select(
        id=f"tickets-new-{name}",
        label=label,
        data=[{"value": code, "label": words.say(named, code)} for code in codes],
        value=value,
        allowDeselect=False,
        **aria(label=label),
    )

"""Tickets that a person opens, with what they may refer to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from noc.identity.assignees import find_assignee
from noc.identity.principal import Principal
from noc.rest.problems import Problem
from noc.tickets.evidence import Link, must_exist
from noc.tickets.opening import OpenedTicket, TicketDraft, open_once
from noc.tickets.schemas import EvidenceIn, TicketIn
from noc.workforce.references import look_up

_REPEAT_HOURS = 24
"""A request that is repeated within this time opens no second ticket."""


def open_by_hand(
    body: TicketIn, *, principal: Principal, now: dt.datetime, repeat: str | None = None
) -> OpenedTicket:
    """Open the ticket that somebody describes; the caller commits.

    ``repeat`` tells one request of one sender: told again within a day, it answers the ticket of
    the first time. Problem 422 naming the field for a site, person, assignee or evidence that is
    not there for who asks.
    """
    _check_references(body, principal)
    draft = TicketDraft(
        **body.model_dump(exclude={"evidence"}),
        source="MANUAL",
        evidence=links(body.evidence),
        slot=None if repeat is None else f"request|{repeat}",
        slot_hours=_REPEAT_HOURS,
    )
    (opened,) = open_once([draft], now=now, user_id=principal.user_id)
    return opened


def links(evidence: Sequence[EvidenceIn]) -> list[Link]:
    """Evidence as tickets link it."""
    return [(item.kind, item.ref) for item in evidence]


def _check_references(body: TicketIn, principal: Principal) -> None:
    known = look_up([body.person_id], [body.site_id], seen_from=principal.site_ids)
    if body.site_id is None and principal.site_ids is not None:
        raise _refused("site_id", "must be one of the sites you are limited to")
    if body.site_id is not None and body.site_id not in known.sites:
        raise _refused("site_id", f"there is no site {body.site_id}")
    if body.person_id is not None and body.person_id not in known.people:
        raise _refused("person_id", f"there is no person {body.person_id}")
    if body.assignee_id is not None and not find_assignee(body.assignee_id).sees_site(body.site_id):
        raise _refused("assignee_id", "does not see the ticket's site")
    must_exist(links(body.evidence), site_ids=principal.site_ids)


def _refused(field: str, reason: str) -> Problem:
    return Problem(422, "The ticket was not accepted.", errors=[{"field": field, "reason": reason}])

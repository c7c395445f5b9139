"""What came of a step elsewhere, and of its undoing, is said where the step is told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboards import consequences
from noc.audit.escalation import escalate
from noc.audit.models import Finding
from noc.database.base import utcnow
from noc.identity.site_settings import read_site_settings
from noc.tickets import workflow
from noc.tickets.models import Ticket
from tests.dashboards import audited
from tests.dashboards.conftest import Reader
from tests.dashboards.test_pages import drawer
from tests.factories import Make

FALSE = "FALSE_POSITIVE"
LEFT = {"kind": "label", "id": 7, "reason": "Somebody has judged it since."}


def test_what_came_back_is_counted_and_what_stays_has_its_reason() -> None:
    assert consequences.and_with_it([{}]) == ""
    assert consequences.and_with_it([{"alerts": [1]}]) == ", and 1 alert with it"
    told = {"labels": [1, 2], "findings": [3], "tickets": [4]}
    assert consequences.and_with_it([told, {}]) == (
        ", and 2 verdicts, 1 finding and 1 ticket with them"
    )
    two = [{"left": [LEFT]}, {"left": [LEFT], "alerts": [1]}]
    assert consequences.and_with_it(two) == (
        ", and 1 alert with them. 2 verdicts stay: somebody has judged it since."
    )


def test_an_entry_of_a_history_says_what_came_of_it() -> None:
    assert consequences.line(None) == consequences.line({"before": {}}) == ""
    ended = {"set_off": {"at": "2026-11-16T10:00:00+00:00", "alerts": {"1": 2}, "findings": [3]}}
    assert consequences.line(ended) == "Also given or ended by it: 1 finding and 1 alert."
    back = {"taken_back": {"findings": [3], "left": [LEFT]}}
    assert consequences.line(back) == (
        "Also taken back: 1 finding. 1 verdict stays: somebody has judged it since."
    )


def escalated(make: Make, session: Session) -> tuple[Finding, Ticket]:
    site = make.site()
    finding = audited.finding(make, make.person(site), site)
    config = read_site_settings(make.tenant_id, ())
    escalate([finding], config, tenant_id=make.tenant_id, now=utcnow())
    ticket = session.scalars(select(Ticket)).one()
    session.refresh(finding)
    return finding, ticket


def call(reader: Reader, output: str, wire: str, wanted: dict[str, Any]) -> dict[str, Any]:
    answer = reader.call(output, wire, values={wire: wanted})
    told: dict[str, Any] = answer.json["response"][output.removesuffix(".data")]["data"]
    return told


def test_the_notice_of_a_ticket_and_its_drawer_tell_of_it(
    reader: Reader, make: Make, session: Session
) -> None:
    finding, ticket = escalated(make, session)
    workflow.transition(ticket.id, "RESOLVED", resolution=FALSE, user_id=None, now=utcnow())
    session.commit()
    wanted = {"id": ticket.id, "version": ticket.version}
    told = call(reader, "ticket-undone.data", "ticket-undo.data", wanted)
    assert told["words"].endswith(" again, and 1 finding with it")
    session.expire_all()
    assert finding.status == "NEW"
    shown = drawer(reader, f"ticket:{ticket.id}").text
    assert "Also given or ended by it: 1 finding." in shown
    assert "Also taken back: 1 finding." in shown


def test_undone_from_its_notice_a_finding_leaves_its_ticket_as_it_was(
    reader: Reader, make: Make, session: Session
) -> None:
    finding, ticket = escalated(make, session)
    before = ticket.status
    session.commit()
    wires = ("findings-result.data", "findings-wanted.data")
    wanted = {"ids": [finding.id], "resolution": FALSE, "note": None}
    call(reader, *wires, wanted | {"action": "resolve"})
    session.expire_all()
    assert ticket.status == "RESOLVED"
    told = call(reader, *wires, wanted | {"action": "undo", "resolution": None})
    assert told["words"] == "1 finding open again, and 1 ticket with it"
    session.expire_all()
    assert (finding.status, ticket.status) == ("NEW", before)

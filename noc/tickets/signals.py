"""What tickets announce, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

ticket_resolving = Signal(
    """A ticket is about to be resolved; nothing of it is locked yet.

    ``send("tickets", ticket_id=int, resolution=str)``, for whoever will lock more because of it and
    has to do that first (the order of locks, docs/alerts-and-tickets.md).
    """
)

ticket_resolved = Signal(
    """A ticket was resolved.

    ``send("tickets", ticket=Ticket, resolution=str, verdicts=dict[int, str],
    user_id=int | None, now=datetime)``, once each time. ``verdicts`` maps the ids of punches
    among its evidence to CONFIRMED or FALSE_POSITIVE where the resolver judged them one by one;
    the other punches have the verdict of the resolution. A listener answers with what it set off
    (:mod:`noc.aftermath`) or None; the ticket's history keeps it.
    """
)

ticket_reopening = Signal(
    """A resolution is about to be taken back; nothing of the ticket is locked yet.

    ``send("tickets", ticket_id=int, set_off=SetOff, exact=bool, user_id=int | None,
    now=datetime)``. ``exact``: it will be as if the ticket had never been resolved, else it is
    taken up again. A listener takes back what is locked before tickets, and answers with what that
    was (:mod:`noc.aftermath`); what it did is rolled back where the ticket then stays as it is.
    """
)

ticket_reopened = Signal(
    """A resolution was taken back; the ticket is locked.

    ``send("tickets", ticket=Ticket, set_off=SetOff, now=datetime)``; answers as above.
    """
)

evidence_changing = Signal(
    """Somebody is about to link evidence to a ticket, or to unlink it; nothing is locked yet.

    ``send("tickets", ticket_id=int, links=list[Link])``, for whoever will lock more because of it.
    """
)

evidence_changed = Signal(
    """Somebody linked or unlinked evidence; the ticket is locked.

    ``send("tickets", ticket=Ticket, links=list[Link], linked=bool, now=datetime)``, with what was
    new to the ticket, or is no more of it. Not sent for what comes by itself or by merging.
    """
)

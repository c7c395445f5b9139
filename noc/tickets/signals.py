"""What tickets announce, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

ticket_resolved = Signal(
    """A ticket was resolved.

    ``send("tickets", ticket=Ticket, resolution=str, verdicts=dict[int, str],
    user_id=int | None, now=datetime)``, once each time. ``verdicts`` maps the ids of punches
    among its evidence to CONFIRMED or FALSE_POSITIVE where the resolver judged them one by one;
    the other punches have the verdict of the resolution.
    """
)

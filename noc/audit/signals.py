"""What the audit announces, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

finding_resolved = Signal(
    """A finding is over.

    ``send("audit", finding=Finding, resolution=str, user_id=int | None, now=datetime)``, once
    for each finding; ``user_id`` is None where it closed itself. A listener answers with what it
    set off (:mod:`noc.aftermath`) or None; the finding keeps it.
    """
)

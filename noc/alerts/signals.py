"""What alerts announce, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

alert_resolved = Signal(
    """An alert is over.

    ``send("alerts", alert=Alert, resolution=str, user_id=int | None, now=datetime)``, once for
    each alert; ``user_id`` is None where nobody who signed in did it.
    """
)

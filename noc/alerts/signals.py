"""What alerts announce, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

alerts_stepped = Signal(
    """A step was taken on alerts, by somebody or by time; never a note.

    ``send("alerts", step=Step, alert_ids=list[int])``, once for all the alerts of the step that it
    changed.
    """
)

alert_resolved = Signal(
    """An alert is over.

    ``send("alerts", alert=Alert, resolution=str, user_id=int | None, now=datetime)``, once for
    each alert; ``user_id`` is None where nobody who signed in did it.
    """
)

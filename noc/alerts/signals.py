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
    each alert; ``user_id`` is None where nobody who signed in did it. A listener answers with what
    it set off (:mod:`noc.aftermath`) or None; the alert's history keeps it.
    """
)

alerts_reopened = Signal(
    """Alerts that were resolved are open again.

    ``send("alerts", resolutions=dict[int, SetOff], exact=bool, user_id=int | None,
    now=datetime)``, once for all that had set anything off, by alert. ``exact``: it is as if they
    had never been resolved, else they are taken up again. A listener answers with what it took
    back of it (:mod:`noc.aftermath`), by alert.
    """
)

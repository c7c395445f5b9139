"""What attendance announces, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

punches_stored = Signal(
    """Punches are in the table.

    ``send("attendance", tenant_id=int, punch_ids=list[int], score_now=bool, now=datetime)``.
    Without ``score_now``, ``punch_ids`` are the new ones. With it, they are all that the batch
    named, duplicates too, so that a retry is answered with scores as well; the listener that
    scores returns them as a list of dicts, which ride back in the answer.
    """
)

punch_voided = Signal(
    """A punch no longer counts.

    ``send("attendance", tenant_id=int, punch_id=int, reason=str, user_id=int | None,
    now=datetime)``, once a punch; ``user_id`` is on whose word, where that is known.
    """
)

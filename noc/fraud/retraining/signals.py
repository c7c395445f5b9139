"""What training announces, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

training_keeps_failing = Signal(
    """Training ended without a model for the second time in a row.

    ``send("fraud", tenant_id=int, reasons=list[str], now=datetime)``; the latest reason first.
    Once per row of failures: the third in a row says nothing more.
    """
)

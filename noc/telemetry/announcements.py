"""What telemetry announces, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

sos_received = Signal(
    """Guards called for help.

    ``send("telemetry", tenant_id=int, events=list[dict], now=datetime)``; each event is
    ``{"person_id", "occurred_at", "external_id", "lat", "lon"}``, the place None where the
    phone did not know it. Sent once an ``sos`` signal, however often it arrives.
    """
)

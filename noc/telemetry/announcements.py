"""What telemetry announces, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

sos_received = Signal(
    """Somebody called for help.

    ``send("telemetry", tenant_id=int, events=[...], now=datetime)``, each event a dict of
    ``person_id``, ``occurred_at`` (datetime), ``external_id``, ``lat`` and ``lon`` (None where
    the phone did not know). Only calls that were not there before are announced.
    """
)

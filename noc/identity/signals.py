"""What identity announces, inside the transaction that made it so."""

from __future__ import annotations

from blinker import Signal

access_changed = Signal(
    """Somebody of the tenant may do less than before: signed out, revoked, let go.

    ``send("identity", tenant_id=int)``.
    """
)

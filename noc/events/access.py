"""Whoever may do less than before is looked at by every feed once that is committed."""

from __future__ import annotations

from typing import Any

from noc.database.tenancy import after_commit
from noc.events.doorbell import ring_for_access
from noc.extensions import session


def on_access_changed(_: Any, *, tenant_id: int) -> None:
    """Have the feeds of all processes check the tenant's clients after the commit."""
    after_commit(session(), lambda: ring_for_access(tenant_id))

"""What is sent out; RQ repeats what failed, with pauses that grow."""

from __future__ import annotations

from noc.database.tenancy import tenant_context
from noc.extensions import session
from noc.notifications import training


def mail_admins(tenant_id: int, subject: str, body: str) -> int:
    """Mail the tenant's admins; to how many."""
    with tenant_context(session(), tenant_id):
        return training.mail_admins(tenant_id, subject, body)

"""Tenants that are inactive are found, too: what they left behind is forgotten like all else.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

from noc.database.policies import definer_function

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SIGNATURE = "noc_every_tenant()"


def upgrade() -> None:
    """A look-up of all tenants, beside that of the active ones."""
    returns = "TABLE (id bigint, slug text, name text)"
    for statement in definer_function(
        _SIGNATURE, returns, "SELECT t.id, t.slug, t.name FROM tenant t"
    ):
        op.execute(statement)


def downgrade() -> None:
    """Only the active ones."""
    op.execute(f"DROP FUNCTION {_SIGNATURE}")

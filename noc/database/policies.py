"""Row-level security as SQL, for migrations.

``ENABLE``, not ``FORCE``: the owner, whose functions look up tokens and sign-ins before a
tenant is known, is exempt; the application role is not. Partitions are never granted: through
the parent the policy holds, a partition read directly would not have one.
"""

from __future__ import annotations

from noc.database.bootstrap import APP_ROLE

TENANT_SETTING = "(SELECT nullif(current_setting('noc.tenant', true), '')::bigint)"
"""The transaction's tenant; the sub-select is evaluated once a query, not once a row."""


def protect(table: str, column: str = "tenant_id", *, grant: str = "ALL") -> list[str]:
    """Statements that keep ``table`` apart by tenant and let the application role use it.

    ``grant``: the privileges of the application role, ``ALL`` for the four of data.

    No statistics are kept of the tenant: with them, a tenant that came after the last ANALYZE
    counts as one without rows, for which every index that begins with the tenant looks as good
    as the right one. Without, all tenants are taken for alike.
    """
    privileges = "SELECT, INSERT, UPDATE, DELETE" if grant == "ALL" else grant
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({column} = {TENANT_SETTING})",
        f"GRANT {privileges} ON {table} TO {APP_ROLE}",
        f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0",
    ]


def definer_function(
    signature: str, returns: str, body: str, *, language: str = "sql"
) -> list[str]:
    """Statements that create a function which runs as the owner, callable by the application.

    For the few look-ups that come before a tenant is known. ``search_path`` is fixed, so that
    nobody can slip a table of their own under it.
    """
    return [
        f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE {language} "
        f"SECURITY DEFINER SET search_path = public, pg_temp AS $body$ {body} $body$",
        f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {signature} TO {APP_ROLE}",
    ]

"""Make the database and the application role. Roles belong to the cluster, not to a migration."""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

APP_ROLE = "noc_app"


def prepare(
    admin_url: str,
    app_role: str = APP_ROLE,
    app_password: str | None = None,
    database: str = "noc",
) -> None:
    """Create ``database`` and ``app_role`` on the server of ``admin_url`` if they are missing.

    ``admin_url`` is an SQLAlchemy URL of a role that may create both; the database it names is
    only connected to. The application role can neither bypass row-level security nor create
    anything. Safe to repeat, and to run twice at the same moment.
    """
    with _connect(admin_url) as connection:
        connection.execute("SELECT pg_advisory_lock(4711)")
        role = sql.Identifier(app_role)
        if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", app_role):
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
        connection.execute(
            sql.SQL(
                "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION"
            ).format(role)
        )
        if app_password is not None:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(app_password))
            )
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", database):
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(database)
                )
            )
        connection.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                sql.Identifier(database), role
            )
        )


def _exists(connection: psycopg.Connection, query: str, value: str) -> bool:
    return connection.execute(query.encode(), (value,)).fetchone() is not None


def _connect(admin_url: str) -> psycopg.Connection:
    url = make_url(admin_url).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

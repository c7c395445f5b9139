"""Alembic's environment: migrations run as the owner, one at a time."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool, text

from noc.models import metadata

config = context.config


def _url() -> str:
    """The owner's address: named by the environment, else the running instance's."""
    settings = current_app.config["NOC_SETTINGS"]
    if settings.database_admin_url:
        return str(settings.database_admin_url)
    from noc.launcher.instance import owner_url

    return owner_url(settings.noc_data_dir)


def run() -> None:
    """Run the migrations of the command, each in its own transaction."""
    options = current_app.extensions["migrate"].configure_args
    engine = create_engine(_url(), poolclass=pool.NullPool)
    with engine.connect() as connection:
        # Two starts at once: the second waits here and finds nothing left to do.
        connection.execute(text("SELECT pg_advisory_lock(4712)"))
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transaction_per_migration=True,
            **options,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()

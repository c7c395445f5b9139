"""Migrations lead to the models and back, on a database of their own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from apiflask import APIFlask
from flask_migrate import check, downgrade, upgrade
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from noc import create_app
from noc.database.bootstrap import prepare
from noc.extensions import db, session
from noc.identity import tenants
from noc.settings import Settings
from tests.conftest import Services

NAME = "noc_throwaway"


@pytest.fixture
def throwaway(app: object, services: Services, config: Settings) -> Iterator[APIFlask]:
    """An application on an empty database, which is dropped afterwards."""
    prepare(services.admin_url, database=NAME)

    def there(url: str) -> str:
        return make_url(url).set(database=NAME).render_as_string(hide_password=False)

    fresh = create_app(
        config.model_copy(
            update={
                "database_url": there(services.app_url),
                "database_admin_url": there(services.admin_url),
            }
        )
    )
    try:
        with fresh.app_context():
            yield fresh
            db.session.remove()
            db.engine.dispose()
    finally:
        address = make_url(services.admin_url).set(drivername="postgresql")
        with psycopg.connect(
            address.render_as_string(hide_password=False), autocommit=True
        ) as owner:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(NAME)))


def test_up_down_and_up_again_end_where_the_models_are(throwaway: APIFlask) -> None:
    upgrade()
    check()
    downgrade(revision="base")
    left = session().scalars(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p', 'v', 'S') AND relname <> 'alembic_version' "
            "UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    )
    assert left.all() == []
    session().rollback()
    upgrade()
    check()
    assert tenants.create_tenant("acme", "Acme Guarding").slug == "acme"
    session().rollback()


def test_preparing_twice_changes_nothing(services: Services, throwaway: APIFlask) -> None:
    prepare(services.admin_url, database=NAME)
    assert session().scalar(text("SELECT current_user")) == "noc_app"
    session().rollback()

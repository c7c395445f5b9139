"""PostgreSQL keeps the tenants apart, whatever a query forgets to say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row
from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from noc.database import tenancy
from noc.database.bootstrap import APP_ROLE
from noc.database.partitions import ensure_partitions
from noc.identity import tenants
from noc.identity.models import Tenant
from noc.models import metadata
from noc.telemetry.models import LocationUpdate
from noc.workforce.models import Person, Site
from tests.conftest import Services
from tests.factories import NOW, Make

OPEN_TABLES = {"alembic_version"}
"""What the application may read without a policy: no row of it belongs to anybody."""

DEFINERS = {
    "noc_tenants",
    "noc_every_tenant",
    "noc_create_tenant",
    "noc_find_login",
    "noc_find_token",
    "noc_ensure_partitions",
}
"""The only functions that run as the owner. Another one here is another way around."""


def connect(url: str) -> psycopg.Connection[dict[str, Any]]:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, row_factory=dict_row)


@pytest.fixture
def catalogue(app: object, services: Services) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """The migrated database, as its owner sees it."""
    with connect(services.admin_url) as connection:
        yield connection


@pytest.fixture
def stranger(app: object, services: Services) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A connection of the application role that has never heard of a tenant."""
    with connect(services.app_url) as connection:
        yield connection


RELATIONS = """
    SELECT c.relname AS name, c.relkind AS kind, c.relispartition AS is_partition,
           c.relrowsecurity AS secured, pg_get_userbyid(c.relowner) AS owner,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                   AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS has_tenant,
           has_table_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
               OR has_any_column_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE') AS granted,
           coalesce(c.reloptions::text, '') AS options
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY c.relname
"""


def relations(catalogue: psycopg.Connection[dict[str, Any]]) -> list[dict[str, Any]]:
    return catalogue.execute(RELATIONS, {"role": APP_ROLE}).fetchall()


def test_every_table_with_a_tenant_has_its_policy(
    catalogue: psycopg.Connection[dict[str, Any]],
) -> None:
    policies = {
        row["tablename"]: row for row in catalogue.execute("SELECT * FROM pg_policies").fetchall()
    }
    tables = [row for row in relations(catalogue) if row["has_tenant"] and not row["is_partition"]]
    assert len(tables) >= 30
    for table in tables:
        name = table["name"]
        assert table["secured"], f"{name} has no row-level security"
        policy = policies.get(name)
        assert policy is not None, f"{name} has no policy"
        assert (policy["policyname"], policy["permissive"]) == ("tenant", "PERMISSIVE")
        assert policy["cmd"] == "ALL", f"the policy of {name} is not for everything"
        assert "tenant_id = " in policy["qual"], name
        assert "noc.tenant" in policy["qual"], name
        assert policy["with_check"] is None, f"{name} lets in what it would not show"


def test_no_table_has_a_second_policy_that_could_let_more_through(
    catalogue: psycopg.Connection[dict[str, Any]],
) -> None:
    doubled = catalogue.execute(
        "SELECT tablename FROM pg_policies GROUP BY tablename HAVING count(*) > 1"
    ).fetchall()
    assert doubled == []


def test_whatever_the_application_may_touch_is_protected(
    catalogue: psycopg.Connection[dict[str, Any]],
) -> None:
    for row in relations(catalogue):
        if row["granted"] and row["name"] not in OPEN_TABLES:
            assert row["kind"] in ("r", "p"), f"{row['name']} is a way around the policies"
            assert row["secured"], f"{row['name']} can be reached without a policy"
    exposed = catalogue.execute(
        "SELECT has_table_privilege(%s, 'alembic_version', 'INSERT, UPDATE, DELETE') AS writes",
        (APP_ROLE,),
    ).fetchone()
    assert exposed == {"writes": False}


def test_no_partition_is_granted(
    catalogue: psycopg.Connection[dict[str, Any]], session: Session
) -> None:
    partitions = [row for row in relations(catalogue) if row["is_partition"]]
    assert [row["name"] for row in partitions if row["granted"]] == []
    defaults = catalogue.execute("SELECT count(*) AS n FROM pg_default_acl").fetchone()
    assert defaults == {"n": 0}, "a default grant would reach partitions made later"


def test_every_model_is_a_table_and_every_table_a_model(
    catalogue: psycopg.Connection[dict[str, Any]],
) -> None:
    tables = {
        row["name"]
        for row in relations(catalogue)
        if not row["is_partition"] and row["kind"] in ("r", "p")
    }
    assert tables - OPEN_TABLES == set(metadata.tables)


def test_only_the_known_functions_run_as_the_owner(
    catalogue: psycopg.Connection[dict[str, Any]],
) -> None:
    definers = catalogue.execute(
        """
        SELECT p.proname AS name, coalesce(p.proconfig::text, '') AS settings,
               has_function_privilege('public', p.oid, 'EXECUTE') AS for_all
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
        """
    ).fetchall()
    assert {row["name"] for row in definers} == DEFINERS
    for row in definers:
        assert "search_path=public, pg_temp" in row["settings"], row["name"]
        assert not row["for_all"], f"{row['name']} can be called by every role"


def test_the_application_role_cannot_step_over_its_policies(
    catalogue: psycopg.Connection[dict[str, Any]],
) -> None:
    role = catalogue.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
        "FROM pg_roles WHERE rolname = %s",
        (APP_ROLE,),
    ).fetchone()
    assert role is not None
    assert not any(role.values())
    assert APP_ROLE not in {row["owner"] for row in relations(catalogue)}
    memberships = catalogue.execute(
        "SELECT count(*) AS n FROM pg_auth_members WHERE member = %s::regrole", (APP_ROLE,)
    ).fetchone()
    assert memberships == {"n": 0}
    creates = catalogue.execute(
        "SELECT has_schema_privilege(%s, 'public', 'CREATE') AS can", (APP_ROLE,)
    ).fetchone()
    assert creates == {"can": False}


@pytest.mark.parametrize(
    ("mistake", "walk"),
    [
        (
            "CREATE TABLE slip (tenant_id bigint)",
            test_every_table_with_a_tenant_has_its_policy,
        ),
        (
            "CREATE TABLE slip (id bigint); GRANT SELECT ON slip TO noc_app",
            test_whatever_the_application_may_touch_is_protected,
        ),
        (
            "CREATE VIEW slip AS SELECT * FROM person; GRANT SELECT ON slip TO noc_app",
            test_whatever_the_application_may_touch_is_protected,
        ),
        (
            "CREATE POLICY more ON person USING (true)",
            test_no_table_has_a_second_policy_that_could_let_more_through,
        ),
        (
            "ALTER POLICY tenant ON person WITH CHECK (true)",
            test_every_table_with_a_tenant_has_its_policy,
        ),
        (
            "CREATE FUNCTION slip() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
            "AS 'SELECT count(*) FROM person'",
            test_only_the_known_functions_run_as_the_owner,
        ),
        (
            "ALTER ROLE noc_app BYPASSRLS",
            test_the_application_role_cannot_step_over_its_policies,
        ),
    ],
)
def test_the_walk_notices_a_mistake(
    catalogue: psycopg.Connection[dict[str, Any]], mistake: str, walk: Any
) -> None:
    catalogue.execute(mistake)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        walk(catalogue)
    catalogue.rollback()


# -- trying it ------------------------------------------------------------------------------


@pytest.fixture
def theirs(session: Session, make: Make) -> Make:
    """Another tenant, with a site and a person; the test works for acme."""
    other = tenants.create_tenant("other", "Other Guarding")
    with tenancy.tenant_context(session, other.id):
        rows = Make(session, other.id)
        rows.person(rows.site(code="THEIRS"), code="THEIRS")
    return rows


def refuses(session: Session, statement: Any, error: type[Exception] = ProgrammingError) -> str:
    with pytest.raises(error) as refused, session.begin_nested():
        session.execute(statement)
    return str(refused.value.orig)  # type: ignore[attr-defined]


def test_a_query_that_forgets_the_tenant_sees_only_its_own(
    session: Session, make: Make, theirs: Make
) -> None:
    mine = make.person()
    assert session.scalars(select(Person.id)).all() == [mine.id]
    assert session.scalars(text("SELECT id FROM person")).all() == [mine.id]
    assert session.scalars(select(Tenant.slug)).all() == ["acme"]


def test_naming_another_tenant_in_the_query_shows_nothing(
    session: Session, make: Make, theirs: Make
) -> None:
    assert session.scalars(select(Site).where(Site.tenant_id == theirs.tenant_id)).all() == []


def test_another_tenants_rows_can_be_neither_changed_nor_deleted(
    session: Session, make: Make, theirs: Make
) -> None:
    assert session.execute(text("UPDATE person SET name = 'mine'")).rowcount == 0  # type: ignore[attr-defined]
    assert session.execute(text("DELETE FROM person")).rowcount == 0  # type: ignore[attr-defined]
    with tenancy.tenant_context(session, theirs.tenant_id):
        assert session.scalars(select(Person.name)).one() != "mine"


def test_a_row_cannot_be_written_to_another_tenant(
    session: Session, make: Make, theirs: Make
) -> None:
    values = {"tenant_id": theirs.tenant_id, "code": "X", "name": "Planted"}
    assert "row-level security" in refuses(session, insert(Person).values(values))
    mine = make.person()
    moved = update(Person).where(Person.id == mine.id).values(tenant_id=theirs.tenant_id)
    assert "row-level security" in refuses(session, moved)


def test_a_row_cannot_point_to_another_tenants(session: Session, make: Make, theirs: Make) -> None:
    with tenancy.tenant_context(session, theirs.tenant_id):
        site_id = session.scalars(select(Site.id)).one()
    values = {"tenant_id": make.tenant_id, "code": "X", "name": "X", "home_site_id": site_id}
    assert "fk_person" in refuses(session, insert(Person).values(values), IntegrityError)


def test_without_a_tenant_nothing_is_seen_or_written(session: Session, make: Make) -> None:
    make.person()
    with tenancy.tenant_context(session, None):
        assert session.scalars(select(Person)).all() == []
        assert session.scalars(select(Tenant)).all() == []
        values = {"tenant_id": make.tenant_id, "code": "X", "name": "X"}
        assert "row-level security" in refuses(session, insert(Person).values(values))


def test_the_tenant_of_a_transaction_does_not_reach_the_next(session: Session, make: Make) -> None:
    make.person()
    session.commit()
    tenancy.name_tenant(session, None)
    assert session.scalars(select(Person)).all() == []


def test_a_connection_that_never_named_a_tenant_sees_nothing(
    stranger: psycopg.Connection[dict[str, Any]],
) -> None:
    for name in sorted(metadata.tables):
        rows = stranger.execute(
            psycopg.sql.SQL("SELECT count(*) AS n FROM {}").format(psycopg.sql.Identifier(name))
        ).fetchone()
        assert rows == {"n": 0}, name


def test_a_partition_cannot_be_read_directly(session: Session, make: Make) -> None:
    ensure_partitions(session, [NOW])
    person = make.person()
    make.row(
        LocationUpdate,
        {"external_id": "x", "person_id": person.id, "occurred_at": NOW, "lat": 1.0, "lon": 1.0},
    )
    assert session.scalar(text("SELECT count(*) FROM location_update")) == 1
    partition = f"location_update_p{NOW:%Y%m}"
    for statement in (
        f"SELECT * FROM {partition}",
        f"DELETE FROM {partition}",
        f"INSERT INTO {partition} SELECT * FROM location_update",
    ):
        assert "permission denied" in refuses(session, text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE person DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON person",
        "SET ROLE noc_owner",
        "SET SESSION AUTHORIZATION noc_owner",
        "TRUNCATE person CASCADE",
        "UPDATE alembic_version SET version_num = 'x'",
        "INSERT INTO tenant (slug, name) VALUES ('mine', 'Mine')",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_the_application_role_cannot_lift_the_rules(
    stranger: psycopg.Connection[dict[str, Any]], statement: str
) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.InvalidParameterValue)):
        stranger.execute(statement)  # type: ignore[arg-type]


def test_switching_row_security_off_is_an_error_not_a_way_in(
    stranger: psycopg.Connection[dict[str, Any]],
) -> None:
    stranger.execute("SET row_security = off")
    with pytest.raises(errors.InsufficientPrivilege):
        stranger.execute("SELECT * FROM person")


def test_partitions_are_made_for_a_lifetime_not_for_ever(session: Session, make: Make) -> None:
    months = [dt.datetime(2007, 4, 1, tzinfo=dt.UTC), dt.datetime(2007, 4, 30, tzinfo=dt.UTC)]
    ensure_partitions(session, months)
    statement = text("SELECT noc_ensure_partitions('2000-01-01', '2099-01-01')")
    with pytest.raises(Exception, match="not for making"), session.begin_nested():
        session.execute(statement)

"""The tenant of a transaction, and what waits for its commit."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from noc.database.tenancy import after_commit, current_tenant, required_tenant, tenant_context
from tests.factories import Make

SETTING = text("SELECT current_setting('noc.tenant', true)")


def test_the_transaction_is_named_again_for_whom_it_was_before(
    session: Session, make: Make
) -> None:
    with tenant_context(session, 4711):
        assert session.scalar(SETTING) == "4711"
    assert session.scalar(SETTING) == str(make.tenant_id)


def test_a_failed_statement_is_told_as_itself(session: Session, make: Make) -> None:
    with (
        pytest.raises(DBAPIError, match="does not exist"),
        session.begin_nested(),
        tenant_context(session, make.tenant_id),
    ):
        session.execute(text("SELECT nothing FROM nowhere"))
    assert session.scalar(SETTING) == str(make.tenant_id)


def test_work_without_a_tenant_is_refused(session: Session) -> None:
    assert current_tenant() is None
    with pytest.raises(LookupError, match="tenant_context"):
        required_tenant()


def test_what_waits_for_a_commit_is_done_once_and_forgotten_by_a_rollback(
    session: Session, make: Make
) -> None:
    done: list[str] = []
    after_commit(session, lambda: done.append("kept"))
    with session.begin_nested():
        pass
    assert done == [], "a savepoint makes nothing visible"
    session.commit()
    session.commit()
    assert done == ["kept"]
    session.execute(text("SELECT 1"))
    after_commit(session, lambda: done.append("lost"))
    session.rollback()
    session.commit()
    assert done == ["kept"]

"""Two reviewers do not get the same punch, as far as Redis knows."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager

import pytest

from noc.extensions import redis_client
from noc.fraud.review.holds import HELD_SECONDS, Reviewer, hold, let_go
from tests.factories import Make

MAYA, TOMAS = Reviewer(1, "Maya: the first"), Reviewer(11, "Tomas")


@pytest.fixture
def punch() -> uuid.UUID:
    return uuid.uuid4()


def test_whoever_comes_second_is_told_who_has_it(make: Make, punch: uuid.UUID) -> None:
    assert hold(punch, MAYA, tenant_id=1) is None
    assert hold(punch, TOMAS, tenant_id=1) == "Maya: the first"
    assert hold(punch, MAYA, tenant_id=1) is None
    assert hold(punch, TOMAS, tenant_id=2) is None


def test_it_ends_by_itself_and_asking_again_renews_it(make: Make, punch: uuid.UUID) -> None:
    hold(punch, MAYA, tenant_id=1)
    (key,) = redis_client().keys("noc:review:*")
    redis_client().expire(key, 5)
    hold(punch, MAYA, tenant_id=1)
    assert 5 < redis_client().ttl(key) <= HELD_SECONDS


def test_only_its_holder_lets_it_go(make: Make, punch: uuid.UUID) -> None:
    hold(punch, MAYA, tenant_id=1)
    let_go(punch, TOMAS, tenant_id=1)
    assert hold(punch, TOMAS, tenant_id=1) == "Maya: the first"
    let_go(punch, MAYA, tenant_id=1)
    assert hold(punch, TOMAS, tenant_id=1) is None


def test_without_redis_nobody_is_kept_from_reviewing(
    make: Make, punch: uuid.UUID, unreachable_redis: AbstractContextManager[None]
) -> None:
    with unreachable_redis:
        assert hold(punch, MAYA, tenant_id=1) is None
        assert hold(punch, TOMAS, tenant_id=1) is None
        let_go(punch, MAYA, tenant_id=1)

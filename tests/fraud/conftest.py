"""What tests of fraud share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import redis
from apiflask import APIFlask

from noc.extensions import QUEUES, rq_queue
from tests.fraud import stories


@pytest.fixture(autouse=True)
def _same_noise_for_each_test() -> None:
    stories.seed()


@pytest.fixture
def unreachable_redis(app: APIFlask) -> AbstractContextManager[None]:
    """While it lasts, the application finds no Redis."""

    @contextmanager
    def unreachable() -> Iterator[None]:
        nowhere = redis.Redis.from_url("unix:///nowhere/redis.sock")
        names = ("noc_redis", "noc_queues")
        before = {name: app.extensions[name] for name in names}
        app.extensions["noc_redis"] = nowhere
        app.extensions["noc_queues"] = {name: rq_queue(name, nowhere) for name in QUEUES}
        try:
            yield
        finally:
            app.extensions.update(before)

    return unreachable()

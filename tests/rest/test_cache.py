"""Answers kept for a time, computed once however many ask at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from apiflask import APIFlask

from noc.extensions import connect_redis, redis_client
from noc.rest.cache import cached, forget
from tests.conftest import Services


@pytest.fixture
def store(app: APIFlask) -> Iterator[redis.Redis]:
    """An empty Redis."""
    with app.app_context():
        client = redis_client()
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def nowhere(services: Services) -> redis.Redis:
    """A Redis that is not there."""
    return connect_redis("redis://127.0.0.1:1/0")


class Counting:
    """Counts how often it is computed."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, int]:
        self.times += 1
        return {"times": self.times}


def test_a_value_is_computed_once_and_kept(store: redis.Redis) -> None:
    compute = Counting()
    assert cached(store, "7:signals", 60, compute) == ({"times": 1}, False)
    assert cached(store, "7:signals", 60, compute) == ({"times": 1}, True)
    assert 0 < store.ttl("noc:cache:7:signals") <= 60


def test_fresh_asks_anew_and_replaces_what_was_kept(store: redis.Redis) -> None:
    compute = Counting()
    cached(store, "7:signals", 60, compute)
    assert cached(store, "7:signals", 60, compute, fresh=True) == ({"times": 2}, False)
    assert cached(store, "7:signals", 60, compute) == ({"times": 2}, True)


def test_forgetting_drops_what_was_kept(store: redis.Redis) -> None:
    compute = Counting()
    cached(store, "7:signals", 60, compute)
    forget(store, "7:signals")
    forget(store)
    assert cached(store, "7:signals", 60, compute) == ({"times": 2}, False)


def test_without_a_time_to_live_nothing_is_kept(store: redis.Redis) -> None:
    compute = Counting()
    cached(store, "7:signals", 0, compute)
    assert cached(store, "7:signals", 0, compute) == ({"times": 2}, False)
    assert store.keys("*") == []


def test_many_at_once_compute_once(store: redis.Redis) -> None:
    """The first computes for as long as it takes the others to arrive; they wait for it."""
    arrived = threading.Barrier(12)
    entered, times = threading.Event(), []

    def compute() -> str:
        times.append(1)
        entered.set()
        waiting.wait(timeout=45)
        return "once"

    waiting = threading.Event()

    def ask(_: int) -> tuple[object, bool]:
        arrived.wait(timeout=45)
        return cached(store, "7:heatmap", 60, compute)

    with ThreadPoolExecutor(12) as pool:
        answers = [pool.submit(ask, n) for n in range(12)]
        assert entered.wait(timeout=45)
        waiting.set()
        results = [answer.result(timeout=45) for answer in answers]
    assert len(times) == 1
    assert sorted(kept for _, kept in results) == [False] + [True] * 11
    assert {value for value, _ in results} == {"once"}


def test_who_computes_for_too_long_does_not_free_anothers_turn(store: redis.Redis) -> None:
    def compute() -> str:
        # The lock ran out meanwhile, and somebody else took it.
        store.set("noc:cache:7:slow:lock", "somebody else")
        return "mine"

    assert cached(store, "7:slow", 60, compute) == ("mine", False)
    assert store.get("noc:cache:7:slow:lock") == b"somebody else"


def test_a_computation_that_fails_frees_its_turn(store: redis.Redis) -> None:
    def fail() -> None:
        raise ValueError("no such person")

    with pytest.raises(ValueError, match="no such person"):
        cached(store, "7:signals", 60, fail)
    assert store.get("noc:cache:7:signals:lock") is None
    assert cached(store, "7:signals", 60, Counting()) == ({"times": 1}, False)


def test_without_redis_it_is_computed_each_time_and_never_fails(nowhere: redis.Redis) -> None:
    compute = Counting()
    assert cached(nowhere, "7:signals", 60, compute) == ({"times": 1}, False)
    assert cached(nowhere, "7:signals", 60, compute) == ({"times": 2}, False)

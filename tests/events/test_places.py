"""Who gets a place on the feed where there are not enough."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from apiflask import APIFlask

from noc.events.connections import Feed
from noc.settings import Settings

FIRST, SECOND, THIRD = 1, 2, 3


@pytest.fixture
def feed(app: APIFlask, config: Settings) -> Iterator[Feed]:
    """A feed with sixteen places, two of them for tenants that have fewer than two."""
    made = Feed(app, config.model_copy(update={"websocket_max_connections": 16}))
    yield made
    made.stop()


def taken(feed: Feed, tenant_id: int, tries: int) -> int:
    """How many of the tries got a place."""
    return sum(feed.take_place(tenant_id) for _ in range(tries))


def test_one_tenant_leaves_places_for_others(feed: Feed) -> None:
    assert taken(feed, FIRST, 30) == 14
    assert taken(feed, SECOND, 30) == 2
    assert taken(feed, THIRD, 30) == 0


def test_a_place_that_is_given_back_is_free(feed: Feed) -> None:
    taken(feed, FIRST, 30)
    feed.give_place_back(FIRST)
    assert taken(feed, FIRST, 30) == 1
    assert taken(feed, SECOND, 30) == 2
    feed.give_place_back(SECOND)
    assert taken(feed, FIRST, 30) == 0
    assert taken(feed, THIRD, 1) == 1


def test_nobody_gets_one_while_the_process_stops(feed: Feed) -> None:
    feed.stop()
    assert taken(feed, FIRST, 3) == 0


def test_many_at_once_take_no_more_than_there_are(feed: Feed) -> None:
    got: list[bool] = []
    threads = [
        threading.Thread(target=lambda n=n: got.append(feed.take_place(n % 3))) for n in range(60)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) <= 16

"""The feed on real sockets."""

from __future__ import annotations

from tests.events.conftest import House, Server


def test_an_event_reaches_the_client(house: House, server: Server) -> None:
    client = server.connect(house.token)
    house.emit(3, site_id=house.site_ids[0])
    for _ in range(6):
        print(client.next(2))

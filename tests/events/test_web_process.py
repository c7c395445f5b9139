"""The web process as it is deployed: gunicorn, its threads, its sockets and its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.events.conftest import WAIT_SECONDS, House, Server, next_of, numbers, wait_until
from tests.events.web_processes import WebProcess
from tests.feed_client import FeedClient


@pytest.fixture
def gunicorn(web: Callable[..., WebProcess]) -> WebProcess:
    """Two web processes behind one port."""
    return web(WEB_PROCESSES="2", WEBSOCKET_HEARTBEAT_SECONDS="0.5")


def connect(web: WebProcess, house: House, count: int) -> list[FeedClient]:
    url = f"ws://127.0.0.1:{web.port}/ws/noc/dashboard/"
    clients = [FeedClient(url, house.token) for _ in range(count)]
    for client in clients:
        next_of(client, "hello")
    return clients


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_says_1001_to_every_client_and_is_soon_over(
    house: House, gunicorn: WebProcess, sent: signal.Signals
) -> None:
    clients = connect(gunicorn, house, 12)
    codes: list[int] = []
    readers = [
        threading.Thread(target=lambda c=client: codes.append(c.closing_code(WAIT_SECONDS)))
        for client in clients
    ]
    for reader in readers:
        reader.start()
    gunicorn.process.send_signal(sent)
    gunicorn.process.wait(WAIT_SECONDS)
    for reader in readers:
        reader.join(WAIT_SECONDS)
    assert codes == [1001] * 12
    assert gunicorn.process.returncode == 0
    assert "Traceback" not in gunicorn.log.read_text()


def test_a_stop_waits_for_clients_however_many_requests_were_answered_before(
    house: House, gunicorn: WebProcess
) -> None:
    """Each connection is counted off once: a worker that counts twice thinks itself alone."""
    for _ in range(40):
        assert gunicorn.get("/healthz")[0] == 200
    clients = connect(gunicorn, house, 12)
    gunicorn.process.send_signal(signal.SIGTERM)
    assert [client.closing_code(WAIT_SECONDS) for client in clients] == [1001] * 12
    assert gunicorn.process.wait(WAIT_SECONDS) == 0


def test_open_sockets_leave_http_its_threads_and_both_processes_tell_of_events(
    house: House, gunicorn: WebProcess
) -> None:
    clients = connect(gunicorn, house, 14)
    house.emit(3)
    for client in clients:
        assert numbers(client, 3) == [0, 1, 2]
    wait_until(lambda: house.row(3).recipient_count == 14, "recipients add up over processes")
    assert gunicorn.get("/healthz")[0] == 200
    status, text = gunicorn.get("/metrics")
    assert status == 200
    assert f'noc_websocket_connections_active{{tenant_id="{house.tenant_id}"}} 14.0' in text
    assert 'noc_websocket_broadcasts_total{event_type="alert_created",success="true"}' in text
    for client in clients:
        client.close()
    gone = f'noc_websocket_connections_active{{tenant_id="{house.tenant_id}"}} 0.0'
    wait_until(lambda: gone in gunicorn.get("/metrics")[1], "the gauge falls as they leave")


def test_a_client_that_hangs_up_without_a_word_is_noticed(house: House, server: Server) -> None:
    client = server.connect(house.token)
    client._socket.sock.shutdown(2)
    feed = server.app.extensions["noc_feed"]
    wait_until(lambda: feed.taken == 0, "its place is free again")


def test_what_scores_with_a_model_is_loaded_before_somebody_asks(gunicorn: WebProcess) -> None:
    boss = gunicorn.process.pid
    served = Path(f"/proc/{boss}/task/{boss}/children").read_text().split()
    assert len(served) == 2
    for pid in served:
        wait_until(
            lambda pid=pid: "libxgboost" in Path(f"/proc/{pid}/maps").read_text(),
            "the library is loaded",
        )
    assert "libxgboost" not in Path(f"/proc/{boss}/maps").read_text()

"""The same thousand clients on Django Channels, channels_redis and Daphne, for comparison.

A feed as its documentation shows it: a consumer joins a group, an event is sent to the group. Its
packages are installed in a folder of their own for this benchmark alone.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from noc.settings import load_settings
from tests.bench.audience import WORD
from tests.bench.crowd import CLIENTS, RATE, SECONDS, at_the_rate, complete, listening
from tests.bench.figures import Figure
from tests.instance import free_port, running

PACKAGES = ("django==5.2.*", "channels==4.*", "channels-redis==4.*", "daphne==4.*")

_ASGI = """
import os
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="benchmark", ALLOWED_HOSTS=["*"], INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels_redis.core.RedisChannelLayer",
                                "CONFIG": {"hosts": [os.environ["REDIS_URL"]]}}},
)
django.setup()
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

class Dashboard(AsyncWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add("tenant", self.channel_name)
        await self.accept()

    async def event(self, message):
        await self.send(text_data=message["text"])

application = ProtocolTypeRouter({"websocket": URLRouter([path("feed/", Dashboard.as_asgi())])})
"""

_SENDER = """
import asyncio, sys
import asgi
from channels.layers import get_channel_layer

async def send():
    layer = get_channel_layer()
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await layer.group_send("tenant", {"type": "event", "text": line.strip()})

asyncio.run(send())
"""


def channels() -> list[Figure]:
    """An event sent to the group, to its frame on every client."""
    # Its Redis is one of ours; nothing else of the instance is used.
    with tempfile.TemporaryDirectory() as folder, running() as instance:
        home = Path(folder)
        python = _installed(home)
        (home / "asgi.py").write_text(_ASGI)
        (home / "sender.py").write_text(_SENDER)
        redis_url = load_settings(noc_data_dir=instance.data_dir).redis_url
        environment = os.environ | {"REDIS_URL": redis_url, "PYTHONPATH": folder}
        port = free_port()
        server = subprocess.Popen(
            [python, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0",
             "asgi:application"],
            cwd=home, env=environment, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        sender = subprocess.Popen(
            [python, "sender.py"],
            cwd=home, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            report = _measured(port, sender)
        finally:
            for process in (sender, server):
                process.kill()
                process.wait()
    name = f"Channels and Daphne, {CLIENTS:,} clients at {RATE:.0f} events/s"
    share = report["delivered"] / (RATE * SECONDS * (CLIENTS - 1))
    return [
        Figure(f"{name} p50", report["p50"], "ms"),
        Figure(f"{name} p99", report["p99"], "ms"),
        Figure("of the frames Channels delivered", share * 100, "%"),
        Figure("clients of Channels that had every event", complete(report), ""),
    ]


def _measured(port: int, sender: subprocess.Popen[str]) -> dict[str, float]:
    assert sender.stdin is not None
    assert sender.stdout is not None
    told = sender.stdin
    assert sender.stdout.readline().strip() == "ready"
    _wait_for(port)

    def send(number: int) -> None:
        event = {"type": "alert_created", "seq": number, "padding": "x" * 380}
        told.write(json.dumps(event | {"message": f"{WORD}{time.time_ns()}"}) + "\n")
        told.flush()

    with listening(port, "/feed/") as report:
        at_the_rate(send)
        return report()


def _installed(home: Path) -> str:
    """A Python with the packages, in the folder."""
    subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True)
    python = str(home / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Daphne did not start")

"""Workers in processes of their own, and tenants that they can see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask

from noc.extensions import redis_client
from noc.settings import Settings
from tests.conftest import Services
from tests.crowd import committed_tenant
from tests.factories import Make

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def company(app: APIFlask, services: Services) -> Iterator[Make]:
    """A tenant whose rows are committed for every process to see; gone after the test."""
    with committed_tenant(app, services) as make:
        redis_client().flushdb()
        yield make
        redis_client().flushdb()


@pytest.fixture
def start(config: Settings) -> Iterator[Start]:
    """Starts ``python -m module ...`` on the services of this run; what still runs is killed."""
    started: list[subprocess.Popen[str]] = []
    environment = {
        **os.environ,
        "NOC_DATA_DIR": str(config.noc_data_dir),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": config.secret_key,
        "LOG_LEVEL": "INFO",
    }

    def run(module: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=environment | more,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def wait_for(done: Callable[[], Any], what: str, seconds: float = 180) -> None:
    """Until ``done()`` is true; fails naming ``what`` when it takes too long."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


def stop(process: subprocess.Popen[str], seconds: float = 180) -> str:
    """Ask the process to end; its log. Fails where it does not."""
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=seconds)
    return log

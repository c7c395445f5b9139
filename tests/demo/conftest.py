"""A database of the demo's own, seeded with a small world once."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask_migrate import upgrade
from rich.console import Console
from sqlalchemy import make_url, text

from noc import create_app
from noc.database.bootstrap import prepare
from noc.database.tenancy import tenant_context
from noc.demo import marks, seed, seeding
from noc.demo.scale import Scale
from noc.extensions import db, session
from noc.settings import Settings
from tests.conftest import Services

NOW = dt.datetime(2026, 11, 16, 9, 30, tzinfo=dt.UTC)
SMALL = Scale(now=NOW, days=7, guards=30, sites=6, random_seed=7)

TABLES = (
    "attendance_event", "shift", "absence", "person", "site", "device", "noc_user", "tour",
    "checkpoint", "jobneed", "location_update", "phone_event", "task_completion",
    "fraud_prediction_log",
)  # fmt: skip

_DATABASE = "noc_demo_tests"


@pytest.fixture(scope="package")
def demo_config(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of an application on a database in which seeds may commit."""
    prepare(services.admin_url, database=_DATABASE)

    def elsewhere(url: str) -> str:
        return make_url(url).set(database=_DATABASE).render_as_string(hide_password=False)

    return Settings(
        noc_data_dir=tmp_path_factory.mktemp("demo"),
        database_url=elsewhere(services.app_url),
        database_admin_url=elsewhere(services.admin_url),
        redis_url=f"{services.redis_url}{'&' if '?' in services.redis_url else '?'}db=7",
        secret_key="demo",
        log_level="WARNING",
    )


@pytest.fixture(scope="package")
def demo_app(demo_config: Settings) -> Iterator[APIFlask]:
    """The application on that database."""
    app = create_app(demo_config)
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def demo(demo_app: APIFlask) -> Iterator[APIFlask]:
    """The application with an open context."""
    with demo_app.app_context():
        yield demo_app
        db.session.remove()


@pytest.fixture
def small_world(demo: APIFlask) -> list[marks.Simulated]:
    """The small world, seeded to the end; what a test before it has spoilt is seeded anew."""
    found = marks.simulated_tenants()
    if not (seed.is_complete() and all(one.scale == SMALL for one in found)):
        seed_here(SMALL)
    return marks.simulated_tenants()


@pytest.fixture
def new_world(demo: APIFlask) -> list[marks.Simulated]:
    """The small world, seeded just now: nothing has been streamed into it."""
    seed_here(SMALL)
    return marks.simulated_tenants()


def seed_here(scale: Scale) -> list[seed.Seeded]:
    """Seed in this process."""
    with seed.only_one(), seeding.Display(Console(quiet=True)) as display:
        return seeding.seed_all(seed.start_over(scale), display, None)


def counts() -> dict[str, int]:
    """Rows of the simulated tenants by ``tenant.table``."""
    found = {}
    for one in marks.simulated_tenants():
        with tenant_context(session(), one.tenant.id):
            for table in TABLES:
                query = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")
                number = session().scalar(query, {"tenant": one.tenant.id})
                found[f"{one.tenant.slug}.{table}"] = number or 0
        session().rollback()
    return found


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_noc(demo_config: Settings, tmp_path: Path) -> Iterator[Start]:
    """Start ``noc ...`` on the demo's database; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    environment = {
        **os.environ,
        "DATABASE_URL": demo_config.database_url,
        "REDIS_URL": demo_config.redis_url,
        "SECRET_KEY": demo_config.secret_key,
        "NOC_DATA_DIR": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "noc", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

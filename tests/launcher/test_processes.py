"""``noc web``, ``noc worker`` and ``noc scheduler`` become the programs they start."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from noc.launcher import processes


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """The program, its arguments and its environment that the command became."""
    calls: list[Any] = []
    monkeypatch.setenv("NOC_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(os, "execve", lambda *call: calls.extend(call))
    return calls


def test_web_serves_on_the_address_with_as_many_threads_as_asked_for(became: list[Any]) -> None:
    words = ["--host", "::1", "--port", "9000", "--processes", "3", "--threads", "64"]
    assert CliRunner().invoke(processes.web, words).exit_code == 0
    program, argv, environment = became
    assert program == sys.executable
    assert argv[1:3] == ["-m", "gunicorn"]
    assert argv[argv.index("--bind") + 1] == "[::1]:9000"
    assert argv[-1] == "wsgi:app"
    assert (environment["WEB_PROCESSES"], environment["WEB_THREADS"]) == ("3", "64")
    assert environment["TZ"] == "UTC"


def test_web_takes_its_numbers_from_the_settings(
    became: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WEB_THREADS", "40")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert CliRunner().invoke(processes.web, []).exit_code == 0
    _, argv, environment = became
    assert argv[argv.index("--bind") + 1] == "127.0.0.1:8000"
    assert (environment["WEB_PROCESSES"], environment["WEB_THREADS"]) == ("1", "40")
    assert environment["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path)


def test_web_refuses_too_few_threads_to_answer_anybody(became: list[Any]) -> None:
    result = CliRunner().invoke(processes.web, ["--threads", "2"])
    assert result.exit_code == 2
    assert "--threads" in result.output
    assert became == []


def test_a_worker_works_on_the_queues_named_in_their_order(became: list[Any]) -> None:
    assert CliRunner().invoke(processes.worker, ["--queues", "scoring,reports"]).exit_code == 0
    assert became[1][1:] == ["-m", "jobs.worker", "--queues", "scoring,reports"]


def test_a_scheduler_schedules(became: list[Any]) -> None:
    assert CliRunner().invoke(processes.scheduler, []).exit_code == 0
    assert became[1][1:] == ["-m", "jobs.scheduler"]

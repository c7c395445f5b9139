"""The folder of artefacts: what nobody uses goes, and nothing that is not the cache's own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from flask import current_app
from sqlalchemy.orm import Session

from noc.extensions import settings
from noc.fraud.registry import cache
from noc.fraud.registry.artefact import digest

DAY = 86_400
DATA = b"a model"
SHA = digest(DATA)


@pytest.fixture(autouse=True)
def folder(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    changed = settings().model_copy(update={"ml_models_dir": tmp_path})
    monkeypatch.setitem(current_app.config, "NOC_SETTINGS", changed)
    return tmp_path


def age(file: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(file, (then, then))


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_what_nobody_used_for_thirty_days_is_removed_drafts_too(folder: Path) -> None:
    cache.keep(1, "v1", SHA, DATA)
    (kept,) = folder.iterdir()
    pruned = folder / f"tenant-2-v7-{SHA[:16]}.json"
    draft = folder / f".tenant-1-v2-{SHA[:16]}.json.{'0a' * 16}"
    recent = folder / f"tenant-3-v1-{SHA[:16]}.json"
    for file, days in ((pruned, 31), (draft, 31), (recent, 29), (kept, 29)):
        file.touch()
        age(file, days)

    cache.keep(1, "v2", SHA, DATA)

    assert names(folder) == {kept.name, recent.name, f"tenant-1-v2-{SHA[:16]}.json"}


def test_what_is_not_its_own_stays(folder: Path) -> None:
    others = {
        "README.md", ".gitignore", "tenant-1.json", f"my-tenant-1-v1-{SHA[:16]}.json",
        f"tenant-1-v1-{SHA[:16]}.json.bak", ".tenant-x",
    }  # fmt: skip
    for name in others:
        (folder / name).touch()
        age(folder / name, 400)
    (folder / f"tenant-9-v1-{SHA[:16]}.json").mkdir()
    age(folder / f"tenant-9-v1-{SHA[:16]}.json", 400)

    cache.keep(1, "v1", SHA, DATA)

    assert others < names(folder)
    assert f"tenant-1-v1-{SHA[:16]}.json" in names(folder)


def test_what_is_loaded_is_in_use(folder: Path) -> None:
    cache.keep(1, "v1", SHA, DATA)
    (file,) = folder.iterdir()
    age(file, 31)

    assert cache.load(1, "v1", SHA) == DATA
    cache.keep(1, "v2", SHA, DATA)

    assert file.exists()


def test_a_time_that_cannot_be_written_costs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.keep(1, "v1", SHA, DATA)

    def refuse(*_: object) -> None:
        raise PermissionError("read only")

    monkeypatch.setattr(cache.os, "utime", refuse)

    assert cache.load(1, "v1", SHA) == DATA

"""``noc train``, ``noc models``, ``noc export training-data``, as they are typed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fastparquet
import pandas as pd
import pytest
from apiflask import APIFlask
from click.testing import Result
from sqlalchemy import select
from sqlalchemy.orm import Session

from noc.database.base import utcnow
from noc.fraud.features import FEATURES
from noc.fraud.registry import serving
from noc.fraud.registry.models import FraudModel
from noc.fraud.retraining import commands, runs
from noc.fraud.retraining.commands import export, models, train
from tests.factories import Make
from tests.fraud.labelled import labelled

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _nothing_in_memory() -> None:
    serving.forget()


@pytest.fixture
def typed(app: APIFlask, make: Make) -> Run:
    """Runs a command for the tenant ``acme``."""
    known = {"train": train, "models": models, "export": export}

    def run(name: str, *words: str) -> Result:
        make.session.commit()
        return app.test_cli_runner().invoke(known[name], [*words, "--tenant", "acme"])

    return run


def test_too_few_verdicts_exit_with_the_reason(typed: Run) -> None:
    result = typed("train")
    assert result.exit_code == 1
    assert "refused: 0 punches have a verdict; a model needs 100" in result.stdout
    assert "No model yet: the rules score every punch." in typed("models", "list").stdout


def test_a_model_is_trained_listed_activated_and_taken_back(
    typed: Run, make: Make, session: Session
) -> None:
    labelled(make, 300, now=utcnow())
    result = typed("train", "--days", "90", "--test-size", "0.25", "--verbose")
    assert result.exit_code == 0, result.output
    assert "succeeded: v1 watches. Did not pass the gate" in result.stdout
    assert "average precision" in result.stdout
    assert "not met  It learned from 300 verdicts; 500 are needed" in result.stdout
    assert "fold from" in result.stdout

    listed = typed("models", "list").stdout
    assert "v1       shadow" in listed
    assert "v1 scores from the next punch on." in typed("models", "activate", "v1").stdout
    assert session.scalar(select(FraudModel.status)) == "active"
    assert "The rules score now." in typed("models", "rollback").stdout
    again = typed("models", "rollback")
    assert again.exit_code == 2
    assert "no model is active" in again.stderr
    unknown = typed("models", "activate", "v9")
    assert unknown.exit_code == 2
    assert "there is no version 'v9'" in unknown.stderr


def test_one_training_at_a_time(typed: Run, make: Make) -> None:
    runs.ask(tenant_id=make.tenant_id, trigger="manual", now=utcnow(), queued=False)
    result = typed("train")
    assert result.exit_code == 1
    assert "is under way" in result.stderr
    assert "Training queued, 0%" in typed("models", "list").stdout


@pytest.mark.parametrize("words", [("--days", "0"), ("--test-size", "0.9"), ("--days", "x")])
def test_odd_options_are_refused(typed: Run, words: tuple[str, str]) -> None:
    assert typed("train", *words).exit_code == 2


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_training_data_is_written_as_it_was_served(
    typed: Run, make: Make, tmp_path: Path, name: str
) -> None:
    punches = labelled(make, 40, now=utcnow())
    labelled(make, 10, now=utcnow(), labels=False, seed=3)
    path = tmp_path / name

    result = typed("export", "training-data", str(path))

    assert result.exit_code == 0, result.output
    assert "40 labelled punches of 50 scored in 180 days" in result.stdout
    table = _read(path)
    assert table["punch_id"].tolist() == punches
    assert set(FEATURES) < set(table.columns)
    assert set(table["label_source"]) == {"review"}
    assert table["label"].isin([0, 1]).all()


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path)
    with path.open("rb") as file:
        return fastparquet.ParquetFile(file).to_pandas()


def test_pseudonyms_hold_and_tell_nothing(typed: Run, make: Make, tmp_path: Path) -> None:
    labelled(make, 60, now=utcnow())
    plain, masked, again = (tmp_path / f"{name}.csv" for name in ("plain", "masked", "again"))
    typed("export", "training-data", str(plain))
    for path in (masked, again):
        typed("export", "training-data", str(path), "--pseudonymous")

    open_table, table = pd.read_csv(plain), pd.read_csv(masked)
    assert masked.read_bytes() == again.read_bytes()
    assert not [column for column in table.columns if column.endswith("_id")]
    assert table["person"].nunique() == open_table["person_id"].nunique() == 20
    assert table["person"].str.fullmatch("[0-9a-f]{16}").all()
    assert table["occurred_at"].str.endswith(":00:00Z").all()
    assert sorted(table["label"]) == sorted(open_table["label"])


def test_pseudonymous_rows_are_shuffled_and_rounded(typed: Run, make: Make, tmp_path: Path) -> None:
    labelled(make, 60, now=utcnow())
    plain, masked = tmp_path / "plain.csv", tmp_path / "masked.parquet"
    typed("export", "training-data", str(plain))
    typed("export", "training-data", str(masked), "--pseudonymous")

    identified, table = _read(plain), _read(masked)
    for name in (*FEATURES, "rule_score"):
        rounded = [float(f"{value:.3g}") for value in identified[name].dropna()]
        assert sorted(table[name].dropna()) == sorted(rounded), name
        assert rounded != identified[name].dropna().tolist(), "the identified one is exact"
    column = [float(f"{value:.3g}") for value in identified["rule_score"]]
    assert table["rule_score"].tolist() != column, "not in the order of time"
    # The shuffle moved whole rows: labels are still beside their vectors.
    whole = ["rule_score", "label"]
    identified["rule_score"] = column
    assert sorted(table[whole].itertuples(index=False)) == sorted(
        identified[whole].itertuples(index=False)
    )


def test_without_a_secret_there_are_no_pseudonyms(
    typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "settings", lambda: SimpleNamespace(secret_key=""))
    result = typed("export", "training-data", str(tmp_path / "out.csv"), "--pseudonymous")
    assert result.exit_code == 2
    assert "no SECRET_KEY" in result.stderr
    assert not list(tmp_path.iterdir())


def _full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("older", [None, "of last week"])
@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_full_disk_is_one_line_and_harms_nothing(
    typed: Run, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str,
    older: str | None,
) -> None:  # fmt: skip
    labelled(make, 40, now=utcnow())
    path = tmp_path / name
    if older:
        path.write_text(older)
    # Found out at the very end, when all but the last block is there.
    monkeypatch.setattr(os, "fsync", _full)

    result = typed("export", "training-data", str(path))

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr == f"Error: cannot write {path}: No space left on device\n"
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == (
        [(name, older)] if older else []
    )


def test_where_nothing_can_be_written_it_is_said_in_one_line(
    typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    for place, reason in (("missing", "No such file or directory"), ("file", "Not a directory")):
        path = tmp_path / place / "out.csv"
        result = typed("export", "training-data", str(path))
        assert result.stderr == f"Error: cannot write {path}: {reason}\n"
        assert result.exit_code == 1

    kept = tmp_path / "out.csv"
    kept.write_text("older")
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    result = typed("export", "training-data", str(kept))
    assert result.exit_code == 1
    assert "Permission denied" in result.stderr
    assert kept.read_text() == "older"


def test_an_older_file_is_replaced_through_a_link_with_its_mode(
    typed: Run, make: Make, tmp_path: Path
) -> None:
    labelled(make, 10, now=utcnow())
    path, link = tmp_path / "real.csv", tmp_path / "link.csv"
    path.write_text("older")
    path.chmod(0o640)
    link.symlink_to(path)

    assert typed("export", "training-data", str(link)).exit_code == 0

    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(_read(path)) == 10
    assert {one.name for one in tmp_path.iterdir()} == {"real.csv", "link.csv"}


def test_a_file_of_another_kind_is_refused(typed: Run, tmp_path: Path) -> None:
    result = typed("export", "training-data", str(tmp_path / "out.xlsx"))
    assert result.exit_code == 2
    assert "must end in .csv or .parquet" in result.stderr

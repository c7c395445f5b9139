"""``noc train``, ``noc models``, ``noc export training-data``, as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
from noc.fraud.retraining import runs
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
    commands = {"train": train, "models": models, "export": export}

    def run(name: str, *words: str) -> Result:
        make.session.commit()
        return app.test_cli_runner().invoke(commands[name], [*words, "--tenant", "acme"])

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
    assert table["battery_level"].equals(open_table["battery_level"])


def test_a_file_of_another_kind_is_refused(typed: Run, tmp_path: Path) -> None:
    result = typed("export", "training-data", str(tmp_path / "out.xlsx"))
    assert result.exit_code == 2
    assert "must end in .csv or .parquet" in result.stderr

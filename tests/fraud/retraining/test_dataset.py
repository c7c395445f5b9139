"""What a model learns from keeps saying where each label came from."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from noc.fraud.models import LABEL_SOURCES
from noc.fraud.retraining import dataset, export
from tests.factories import NOW, Make
from tests.fraud.labelled import labelled


@pytest.mark.parametrize("known", [LABEL_SOURCES, LABEL_SOURCES[::-1], ("new", *LABEL_SOURCES)])
def test_every_source_comes_out_as_it_was_stored_whatever_its_place_in_the_list(
    make: Make, monkeypatch: pytest.MonkeyPatch, known: tuple[str, ...]
) -> None:
    punches = labelled(make, len(LABEL_SOURCES))
    for punch, source in zip(punches, LABEL_SOURCES, strict=True):
        make.session.execute(
            text("UPDATE fraud_prediction_log SET label_source = :source"
                 " WHERE attendance_event_id = :punch"),
            {"source": source, "punch": punch},
        )  # fmt: skip
    monkeypatch.setattr(dataset, "LABEL_SOURCES", known)

    data = dataset.read(tenant_id=make.tenant_id, now=NOW, days=180)

    assert data.label_sources == list(LABEL_SOURCES)
    assert export.as_table(data)["label_source"].tolist() == list(LABEL_SOURCES)

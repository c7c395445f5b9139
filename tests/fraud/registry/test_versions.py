"""Versions of a model: one is active, whoever comes when; the way back; what is kept."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from noc.extensions import session as current
from noc.fraud.registry import activation
from noc.fraud.registry.activation import NotPossible
from noc.fraud.registry.artefact import digest
from noc.fraud.registry.models import FraudModel
from noc.fraud.registry.queries import find_model
from noc.fraud.training import TrainedModel
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.fraud.registry.conftest import register

DAY = dt.timedelta(days=1)


def states(session: Session) -> dict[str, str]:
    rows = session.execute(select(FraudModel.version, FraudModel.status))
    return {row.version: row.status for row in rows}


def kept(session: Session) -> set[str]:
    return set(session.scalars(select(FraudModel.version).where(FraudModel.artefact.is_not(None))))


def test_versions_are_numbered_and_watch_first(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    first = register(make, trained)
    second = register(make, trained, may_watch=False, now=NOW + DAY)

    assert (first.version, second.version) == ("v1", "v2")
    assert states(session) == {"v1": "shadow", "v2": "rejected"}
    assert first.class_imbalance_ratio == pytest.approx(210 / 90)


def test_three_watch_and_a_newcomer_takes_the_place_of_the_youngest(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    for week in range(8):
        register(make, trained, now=NOW + 7 * week * DAY)

    watching = {name for name, status in states(session).items() if status == "shadow"}
    assert watching == {"v1", "v2", "v8"}
    assert "Gave way to v8" in str(
        session.scalar(select(FraudModel.note).where(FraudModel.version == "v7"))
    )


def test_one_that_may_not_watch_takes_nobodys_place(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    for week in range(3):
        register(make, trained, now=NOW + 7 * week * DAY)
    register(make, trained, now=NOW + 21 * DAY, may_watch=False)

    assert list(states(session).values()).count("shadow") == 3


def test_activation_retires_the_one_before_and_remembers_it(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    first, second = (register(make, trained, now=NOW + day * DAY) for day in range(2))
    activation.activate(first.id, tenant_id=make.tenant_id, now=NOW)
    activation.activate(second.id, tenant_id=make.tenant_id, now=NOW + DAY, note="Better.")

    assert states(session) == {"v1": "retired", "v2": "active"}
    assert (second.ancestor_id, second.note) == (first.id, "Better. It had not passed its gate.")
    assert first.retired_at == second.activated_at == NOW + DAY


def test_to_activate_the_active_one_changes_nothing(make: Make, trained: TrainedModel) -> None:
    model = register(make, trained)
    activation.activate(model.id, tenant_id=make.tenant_id, now=NOW)
    activation.activate(model.id, tenant_id=make.tenant_id, now=NOW + DAY)

    assert (model.activated_at, model.ancestor_id) == (NOW, None)


def test_the_way_back_goes_to_the_ancestor_and_at_last_to_the_rules(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    first, second = (register(make, trained, now=NOW + day * DAY) for day in range(2))
    for model in (first, second):
        activation.activate(model.id, tenant_id=make.tenant_id, now=NOW)

    back = activation.roll_back(second.id, tenant_id=make.tenant_id, now=NOW)
    assert back is not None
    assert (back.version, states(session)) == ("v1", {"v1": "active", "v2": "retired"})
    assert activation.roll_back(first.id, tenant_id=make.tenant_id, now=NOW) is None
    assert states(session) == {"v1": "retired", "v2": "retired"}


def test_the_way_back_never_comes_round_to_one_that_was_taken_back(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    models = [register(make, trained, now=NOW + day * DAY) for day in range(3)]
    for model in (*models, models[0]):
        activation.activate(model.id, tenant_id=make.tenant_id, now=NOW)
    seen = ["v1"]
    active: FraudModel | None = models[0]
    while active is not None:
        active = activation.roll_back(active.id, tenant_id=make.tenant_id, now=NOW)
        seen.append(active.version if active else "rules")
        assert len(seen) < 9

    assert seen == ["v1", "v3", "v2", "rules"]


def test_from_the_rules_it_goes_back_to_the_rules(make: Make, trained: TrainedModel) -> None:
    first, second = (register(make, trained, now=NOW + day * DAY) for day in range(2))
    for model in (first, second):
        activation.activate(model.id, tenant_id=make.tenant_id, now=NOW)
    for model in (second, first):
        activation.roll_back(model.id, tenant_id=make.tenant_id, now=NOW)
    activation.activate(second.id, tenant_id=make.tenant_id, now=NOW, by="Ada", note="Try it.")

    assert second.note == "Try it. (Ada) It had not passed its gate."
    assert activation.roll_back(second.id, tenant_id=make.tenant_id, now=NOW) is None


@pytest.mark.parametrize("bytes_", [b"x", b"{}"])
@pytest.mark.parametrize("same_digest", [True, False])
def test_a_damaged_one_is_neither_activated_nor_gone_back_to(
    make: Make, session: Session, trained: TrainedModel, bytes_: bytes, same_digest: bool
) -> None:
    first, second = (register(make, trained, now=NOW + day * DAY) for day in range(2))
    for model in (first, second):
        activation.activate(model.id, tenant_id=make.tenant_id, now=NOW)
    values: dict[str, Any] = {"artefact": bytes_}
    if same_digest:
        values["artefact_sha256"] = digest(bytes_)
    session.execute(update(FraudModel).where(FraudModel.id == first.id).values(values))

    with pytest.raises(NotPossible, match="v1 cannot be loaded"):
        activation.activate(first.id, tenant_id=make.tenant_id, now=NOW)
    assert activation.roll_back(second.id, tenant_id=make.tenant_id, now=NOW) is None
    assert states(session) == {"v1": "retired", "v2": "retired"}
    assert "the rules score again. v1 cannot be loaded" in str(second.note)


def test_who_changed_what_and_why_is_kept(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    first, second = (register(make, trained, now=NOW + day * DAY) for day in range(2))
    here: dict[str, Any] = {"tenant_id": make.tenant_id, "now": NOW + 3 * DAY}
    activation.activate(first.id, by="Ada", note="Try it.", **here)
    activation.activate(second.id, by="Ben", **here)
    activation.roll_back(second.id, by="Cleo", note="Too many alarms.", **here)
    session.flush()

    def told(model: FraudModel) -> list[tuple[Any, ...]]:
        found = find_model(model.id, tenant_id=make.tenant_id)
        assert found is not None
        return [(one["change"], one["changed_by"], one["note"]) for one in found["changes"]][::-1]

    assert told(first) == [
        ("registered", None, "Passed the gate."),
        ("activated", "Ada", "Try it. (Ada) It had not passed its gate."),
        ("retired", None, "Gave way to v2."),
        ("activated", "Cleo", "Scores again: v2 was taken back."),
    ]
    assert told(second)[1:] == [
        ("activated", "Ben", "Activated by hand (Ben). It had not passed its gate."),
        ("taken_back", "Cleo", "Taken back; v1 scores again. Too many alarms."),
    ]


def test_only_the_active_one_can_be_taken_back(make: Make, trained: TrainedModel) -> None:
    model = register(make, trained)
    with pytest.raises(NotPossible, match="nothing to take back"):
        activation.roll_back(model.id, tenant_id=make.tenant_id, now=NOW)
    with pytest.raises(LookupError):
        activation.roll_back(uuid.uuid4(), tenant_id=make.tenant_id, now=NOW)


def test_the_last_three_and_the_champions_ancestor_are_kept(
    make: Make, session: Session, trained: TrainedModel
) -> None:
    old = [register(make, trained, now=NOW + day * DAY) for day in range(2)]
    for model in old:
        activation.activate(model.id, tenant_id=make.tenant_id, now=NOW)
    for day in range(2, 7):
        register(make, trained, now=NOW + day * DAY, may_watch=False)

    # v2 is active, v1 its ancestor; of the rejected the last three.
    assert kept(session) == {"v1", "v2", "v5", "v6", "v7"}
    gone = session.scalars(select(FraudModel).where(FraudModel.version == "v3")).one()
    with pytest.raises(NotPossible, match="no longer kept"):
        activation.activate(gone.id, tenant_id=make.tenant_id, now=NOW)


@pytest.fixture
def house(app: APIFlask, services: Services) -> Iterator[Make]:
    """A tenant that every connection sees."""
    with committed_tenant(app, services) as make:
        yield make


def test_of_many_activations_at_once_one_holds(
    app: APIFlask, house: Make, trained: TrainedModel
) -> None:
    models = [register(house, trained, now=NOW + day * DAY, may_watch=False).id for day in range(3)]
    works = [
        lambda one=one: activation.activate(one, tenant_id=house.tenant_id, now=NOW)
        for one in models * 4
    ]
    at_once(app, house.tenant_id, works)

    active = select(func.count()).select_from(FraudModel).where(FraudModel.is_active)
    assert current().scalar(active) == 1

"""The weekly look: what it finds, when it alarms, and that it happens once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from apiflask import APIFlask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from noc.alerts.models import Alert
from noc.fraud.features import FEATURES
from noc.fraud.models import PredictionLog
from noc.fraud.registry.models import ModelMetrics
from noc.fraud.review.models import AuditDraw
from noc.fraud.training import TrainedModel
from noc.fraud.watching.drift import watch
from tests.conftest import Services
from tests.crowd import at_once, committed_tenant
from tests.factories import Make
from tests.fraud.watching.conftest import (
    DAY,
    MIDNIGHT,
    NOW,
    register,
    serve,
    spread,
    vectors,
)

WEEK = (MIDNIGHT - 7 * DAY, MIDNIGHT)
BEFORE = (MIDNIGHT - 35 * DAY, MIDNIGHT - 7 * DAY)
BATTERY = FEATURES.index("battery_level")
SIGNAL = FEATURES.index("phone_signal_strength")


def shifted(count: int, seed: int, column: int, by: float) -> Any:
    values = vectors(count, seed)
    values[:, column] += by
    return values


def by_rules(
    make: Make, this_week: int = 600, before: int = 600, *, by: float = 0.0, column: int = BATTERY
) -> None:
    """Punches scored by rules, the week's battery (or another) ``by`` deviations higher."""
    noise = np.random.default_rng(1)
    serve(make, spread(before, *BEFORE), noise.random(before) * 0.5, features=vectors(before, 1))
    serve(
        make,
        spread(this_week, *WEEK),
        noise.random(this_week) * 0.5,
        features=shifted(this_week, 2, column, by),
    )


def alerts(session: Session) -> list[Alert]:
    return list(session.scalars(select(Alert).where(Alert.alert_type == "MODEL_DRIFT")))


def look(make: Make, now: dt.datetime = NOW) -> dict[str, Any]:
    found = watch(tenant_id=make.tenant_id, now=now)
    assert found is not None
    return found


class TestRules:
    def test_steady_punches_are_steady_and_raise_nothing(
        self, make: Make, session: Session
    ) -> None:
        by_rules(make)
        found = look(make)
        assert (found["version"], found["punches"], found["level"]) == ("rules", 600, "steady")
        assert all(one["psi"] < 0.1 for one in found["features"].values())
        assert found["features"]["battery_level"]["missing"] == pytest.approx(0.05, abs=0.03)
        assert found["anomalies_per_day"] == {"now": 0, "reference": 0}
        assert "look as they did in the four weeks before" in found["sentence"]
        assert alerts(session) == []
        row = session.scalars(select(ModelMetrics)).one()
        assert (row.kind, row.model_version, row.model_id) == ("live", "rules", None)
        assert (row.window_start, row.window_end) == WEEK
        assert (row.samples, row.psi) == (600, found["psi"])
        assert row.detail["features"] == found["features"]

    def test_the_index_of_a_whole_week_by_hand(self, make: Make) -> None:
        def battery(low: int) -> Any:
            values = np.zeros((1000, len(FEATURES)))
            values[:, BATTERY] = [10.0 if n < low else 20.0 for n in range(1000)]
            return values

        serve(make, spread(1000, *BEFORE), [0.1] * 1000, features=battery(500))
        serve(make, spread(1000, *WEEK), [0.1] * 1000, features=battery(300))
        found = look(make)
        # (.3 - .5) ln(.3/.5) + (.7 - .5) ln(.7/.5); the empty bins' ten-thousandths are equal
        assert found["features"]["battery_level"]["psi"] == pytest.approx(0.169459, abs=2e-4)
        assert found["features"]["battery_level"]["level"] == found["level"] == "watch"
        assert found["psi"] == found["features"]["battery_level"]["psi"]
        assert found["features"]["gps_accuracy"]["psi"] == found["score"]["psi"] == 0
        assert "Keep an eye on: battery." in found["sentence"]

    def test_a_feature_that_moved_alarms_and_is_named(self, make: Make, session: Session) -> None:
        by_rules(make, by=1.0)
        found = look(make)
        moved = {name for name, one in found["features"].items() if one["level"] == "alarm"}
        assert moved == {"battery_level"}
        assert found["features"]["battery_level"]["direction"] == "higher"
        assert found["level"] == "alarm"
        (alert,) = alerts(session)
        assert alert.severity == "MEDIUM"
        assert "battery (PSI" in alert.message
        assert "higher than before" in alert.message
        assert list(alert.detail["psi"]) == ["battery_level"]

    @pytest.mark.parametrize("name", ["historical_fraud_rate", "consecutive_violations"])
    def test_what_people_make_move_is_watched_and_alarms_nobody(
        self, make: Make, session: Session, name: str
    ) -> None:
        by_rules(make, by=3.0, column=FEATURES.index(name))
        found = look(make)
        assert found["features"][name]["psi"] > 0.25
        assert (found["features"][name]["level"], found["level"]) == ("watch", "watch")
        assert alerts(session) == []

    @pytest.mark.parametrize(("this_week", "before"), [(499, 600), (600, 499)])
    def test_fewer_than_five_hundred_punches_alarm_nobody(
        self, make: Make, session: Session, this_week: int, before: int
    ) -> None:
        by_rules(make, this_week, before, by=3.0)
        found = look(make)
        assert found["features"]["battery_level"]["psi"] > 0.25
        assert found["level"] == "too few"
        assert "499 punches are too few" in found["sentence"]
        assert alerts(session) == []

    def test_what_goes_missing_is_a_bin_of_its_own(self, make: Make, session: Session) -> None:
        serve(make, spread(600, *BEFORE), [0.1] * 600, features=vectors(600, 1))
        gone = vectors(600, 2)
        gone[:300, SIGNAL] = np.nan
        serve(make, spread(600, *WEEK), [0.1] * 600, features=gone)
        found = look(make)
        signal = found["features"]["phone_signal_strength"]
        assert signal["missing"] == pytest.approx(0.525, abs=0.03)
        assert signal["level"] == "alarm"
        assert "missing in 5" in alerts(session)[0].message

    def test_a_score_that_moved_is_high(self, make: Make, session: Session) -> None:
        noise = np.random.default_rng(3)
        serve(make, spread(600, *BEFORE), noise.random(600) * 0.5)
        serve(make, spread(600, *WEEK), 0.4 + noise.random(600) * 0.5)
        found = look(make)
        assert found["score"]["level"] == "alarm"
        assert found["score"]["direction"] == "higher"
        assert found["alert_rate"]["reference"] == 0
        assert found["alert_rate"]["now"] == pytest.approx(0.2, abs=0.05)
        assert alerts(session)[0].severity == "HIGH"

    def test_voided_and_shadow_rows_do_not_count(self, make: Make, session: Session) -> None:
        by_rules(make)
        punches = serve(make, spread(20, *WEEK), [0.1] * 20)
        session.execute(
            text("UPDATE attendance_event SET voided_at = now() WHERE id = ANY(:ids)"),
            {"ids": punches[:15]},
        )
        session.execute(
            text(
                "UPDATE fraud_prediction_log SET is_shadow = true"
                " WHERE attendance_event_id = ANY(:ids)"
            ),
            {"ids": punches[15:]},
        )
        assert look(make)["punches"] == 600

    def test_nobody_punched_and_nothing_is_kept(self, make: Make, session: Session) -> None:
        assert watch(tenant_id=make.tenant_id, now=NOW) is None
        assert session.scalar(select(func.count()).select_from(ModelMetrics)) == 0


class TestOnce:
    def test_a_week_is_kept_once_and_the_next_alarm_adds_to_the_open_one(
        self, make: Make, session: Session
    ) -> None:
        by_rules(make, by=1.0)
        assert look(make)["level"] == "alarm"
        assert watch(tenant_id=make.tenant_id, now=NOW + dt.timedelta(hours=5)) is None
        (alert,) = alerts(session)
        assert alert.suppressed_count == 0
        values = shifted(600, 9, BATTERY, 4.0)
        serve(make, spread(600, WEEK[1], WEEK[1] + 7 * DAY), [0.1] * 600, features=values)
        assert look(make, NOW + 7 * DAY)["level"] == "alarm"
        session.expire_all()
        (alert,) = alerts(session)
        assert alert.suppressed_count == 1
        assert session.scalar(select(func.count()).select_from(ModelMetrics)) == 2

    def test_of_two_workers_at_once_one_keeps_the_week_and_alarms(
        self, app: APIFlask, services: Services
    ) -> None:
        with committed_tenant(app, services) as make:
            by_rules(make, by=1.0)
            make.session.commit()
            work = [lambda: watch(tenant_id=make.tenant_id, now=NOW)] * 4
            found = at_once(app, make.tenant_id, work)
            assert sum(one is not None for one in found) == 1
            assert make.session.scalar(select(func.count()).select_from(ModelMetrics)) == 1
            (alert,) = alerts(make.session)
            assert alert.suppressed_count == 0
            make.session.rollback()


class TestModel:
    @pytest.fixture
    def served(self, make: Make, trained: TrainedModel) -> Make:
        """A model with 800 punches in its window (served by rules), then 700 in its week."""
        window = (MIDNIGHT - 40 * DAY, MIDNIGHT - 10 * DAY)
        register(make, trained, window=window)
        serve(make, spread(800, *window), [0.1] * 800, features=vectors(800, 21))
        self.week(make, trained, *WEEK, seed=22)
        return make

    def week(
        self,
        make: Make,
        trained: TrainedModel,
        since: dt.datetime,
        until: dt.datetime,
        *,
        seed: int,
        **values: Any,
    ) -> list[int]:
        features = values.pop("features", vectors(700, seed))
        said = trained.predict(features)
        return serve(
            make, spread(700, since, until), values.pop("scores", said), features=features,
            probabilities=said, version="v1", rules=[0.1] * 700, **values,
        )  # fmt: skip

    def test_served_is_compared_with_served_in_the_training_window(
        self, served: Make, trained: TrainedModel
    ) -> None:
        found = look(served)
        assert (found["version"], found["level"]) == ("v1", "steady")
        reference = found["reference"]
        assert reference["punches"] == reference["looked_at"] == 800
        edges = reference["features"]["battery_level"]["edges"]
        assert edges == trained.report["reference"]["battery_level"]["edges"]
        assert reference["score"]["edges"] == trained.report["score_reference"]["edges"]
        assert sum(reference["score"]["shares"]) == pytest.approx(1, abs=1e-6)
        assert found["score"]["punches"] == 700

    def test_the_reference_is_made_once(
        self, served: Make, trained: TrainedModel, session: Session
    ) -> None:
        first = look(served)["reference"]
        session.execute(text("DELETE FROM fraud_prediction_log WHERE model_version = 'rules'"))
        self.week(served, trained, WEEK[1], WEEK[1] + 7 * DAY, seed=23)
        assert look(served, NOW + 7 * DAY)["reference"] == first

    def test_what_it_said_as_a_shadow_counts_for_its_score(
        self, served: Make, session: Session
    ) -> None:
        """Activated on the last day of the week, it had watched the days before."""
        session.execute(
            text("UPDATE fraud_prediction_log SET is_shadow = true WHERE model_version = 'v1'")
        )
        serve(served, spread(600, *WEEK), [0.1] * 600, features=vectors(600, 26))
        found = look(served)
        assert (found["punches"], found["score"]["punches"]) == (600, 700)

    def test_audits_that_contradict_the_score_make_an_alarm_high(
        self, served: Make, trained: TrainedModel, session: Session
    ) -> None:
        start = WEEK[1]
        moved = shifted(700, 24, BATTERY, 4.0)
        frauds = [n < 30 for n in range(40)] + [None] * 660
        punches = self.week(
            served, trained, start, start + 7 * DAY, seed=24, features=moved, frauds=frauds,
            scores=[0.05] * 700, labelled_at=start + 6 * DAY,
        )  # fmt: skip
        for n, punch in enumerate(punches[:50]):
            values = {
                "attendance_event_id": punch,
                "site_id": session.scalar(
                    select(PredictionLog.site_id).where(PredictionLog.attendance_event_id == punch)
                ),
                "occurred_at": start + dt.timedelta(hours=n),
                "inclusion_probability": 0.1 if n < 30 else 0.2,
            }
            served.row(AuditDraw, values)
        found = look(served, NOW + 7 * DAY)
        calibration = found["calibration"]
        assert (calibration["drawn"], calibration["reviewed"], calibration["frauds"]) == (
            50,
            40,
            30,
        )
        assert calibration["predicted"] == pytest.approx(0.05)
        # The thirty frauds stand for ten punches each, the ten genuine ones for five.
        assert calibration["observed"]["value"] == pytest.approx(300 / 350, abs=1e-6)
        # Wilson at 90 % with 350^2 / (30 * 100 + 10 * 25) = 37.69 observations
        assert calibration["observed"]["low"] == pytest.approx(0.7396, abs=1e-4)
        assert calibration["brier"] == pytest.approx((300 * 0.95**2 + 50 * 0.05**2) / 350, abs=1e-6)
        assert calibration["agrees"] is False
        (alert,) = alerts(session)
        assert alert.severity == "HIGH"
        assert "85.7% found" in alert.message
        assert found["reviewed"]["verdicts"] == 40
        assert found["reviewed"]["frauds"] == 30

    def test_a_model_that_cannot_be_loaded_is_watched_by_its_features(
        self, served: Make, session: Session
    ) -> None:
        session.execute(text("UPDATE fraud_detection_model SET artefact = 'x'"))
        found = look(served)
        assert found["score"]["psi"] is None
        assert found["reference"]["score"] is None
        assert found["features"]["battery_level"]["level"] == "steady"

    def test_figures_on_verdicts_of_the_week(self, served: Make, trained: TrainedModel) -> None:
        start = WEEK[1]
        frauds = [n % 4 == 0 for n in range(100)] + [None] * 600
        scores = [0.9 if n % 4 == 0 or n % 10 == 1 else 0.1 for n in range(700)]
        self.week(
            served, trained, start, start + 7 * DAY, seed=25, frauds=frauds, scores=scores,
            labelled_at=start + 3 * DAY,
        )  # fmt: skip
        figures = look(served, NOW + 7 * DAY)["reviewed"]["figures"]
        # 25 frauds, all over; of the 75 genuine those with n % 10 == 1 that n % 4 does not take: 10
        assert figures["recall"]["value"] == 1
        assert figures["precision"]["value"] == pytest.approx(25 / 35, abs=1e-6)
        assert figures["precision"]["low"] < 25 / 35 < figures["precision"]["high"]

"""The page about the model: what it says, to whom, and what administrators do there."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dashboards import queries, words
from dashboards.model.standing import who
from dashboards.model.training import STAGES
from noc.extensions import queue
from noc.fraud.features import FEATURES
from noc.fraud.registry.artefact import digest
from noc.fraud.registry.models import CHANGES, STATUSES, FraudModel
from noc.fraud.retraining import gate, runs
from noc.fraud.training.model import TYPES
from noc.fraud.training.progress import STAGES as TRAINER_STAGES
from noc.runs import asking, following
from noc.runs.models import JobRun
from tests.dashboards.conftest import Reader
from tests.dashboards.modelled import DAY, START, drawn, report, version, watch
from tests.dashboards.test_hostile_calls import JUNK
from tests.factories import Make
from tests.fraud.labelled import labelled
from tests.signed_in import limit_to

NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def admin(app: APIFlask, make: Make) -> Reader:
    """An administrator of ``acme``."""
    return Reader(app, make, make.user("admin", name="Ada Admin"))


def page(reader: Reader, search: str = "") -> Any:
    values = {"url.pathname": "/app/model", "url.search": search}
    return reader.call("page.children", "url.pathname", values=values)


def standing(reader: Reader) -> Any:
    return reader.call("model-standing.children", "model-changed.data", values={})


def listing(reader: Reader, chosen: str | None = None) -> Any:
    values = {"model-chosen.data": chosen}
    return reader.call("model-versions.children", "model-chosen.data", values=values)


def verdict(reader: Reader, chosen: str | None = None) -> Any:
    values = {"model-chosen.data": chosen}
    return reader.call("model-verdict.children", "model-chosen.data", values=values)


def charts(reader: Reader, chosen: str | None = None) -> Any:
    values = {"model-chosen.data": chosen, "scheme.data": "dark"}
    return reader.call("model-charts.children", "model-chosen.data", values=values)


def watching(reader: Reader) -> Any:
    return reader.call("model-watching.children", "scheme.data", values={"scheme.data": "dark"})


def follow(reader: Reader, was_open: str | None = None) -> Any:
    values = {"model-open.data": was_open}
    return reader.call("model-run.children", "model-tick.data", values=values)


def press(reader: Reader, step: str, key: Any, note: str = "") -> Any:
    values = {
        "model-step": [({"type": "model-step", "step": step, "key": str(key)}, 1)],
        "model-note": [({"type": "model-note", "key": str(key)}, note)],
    }
    return reader.call("model-verdict.children", "model-step", values=values)


def steer(reader: Reader, step: str, key: str = "new", days: Any = 180) -> Any:
    values = {
        "model-run-step": [({"type": "model-run-step", "step": step, "key": key}, 1)],
        "model-days": [({"type": "model-days", "key": "new"}, days)],
    }
    return reader.call("model-run.children", "model-run-step", values=values)


def statuses(session: Session) -> dict[str, str]:
    session.expire_all()
    rows = session.execute(select(FraudModel.version, FraudModel.status))
    return {row.version: row.status for row in rows}


def test_before_the_first_model_every_part_says_what_will_fill_it(reader: Reader) -> None:
    assert "The rules score: no model has been trained yet" in standing(reader).text
    assert "When there are enough verdicts" in standing(reader).text
    assert "No versions yet" in listing(reader).text
    assert "Nothing has been trained yet" in follow(reader).text
    assert "Nobody has watched yet" in watching(reader).text
    assert "Nobody knows yet" in watching(reader).text
    assert verdict(reader).json["response"]["model-verdict"]["children"] is None
    assert charts(reader).json["response"]["model-charts"]["children"] is None


@pytest.mark.parametrize(
    ("active", "versions", "switched_on", "was_active", "said"),
    [
        ({"version": "v3", "activated_at": "2026-11-14T08:00:00+00:00"}, 3, True, True,
         "v3 scores since 14 Nov"),
        ({"version": "v3", "activated_at": "2025-12-31T08:00:00+00:00"}, 3, True, True,
         "v3 scores since 31 Dec 2025"),
        ({"version": "v3", "activated_at": None}, 3, False, True,
         "The rules score: models are switched off"),
        (None, 2, True, False, "The rules score: no model has passed yet"),
        (None, 2, True, True, "The rules score: no model is active"),
        (None, 0, True, False, "The rules score: no model has been trained yet"),
    ],
)  # fmt: skip
def test_the_title_says_who_scores(
    active: Any, versions: int, switched_on: bool, was_active: bool, said: str
) -> None:
    found = {"active": active, "versions": versions, "switched_on": switched_on, "broken": False}
    assert who(found | {"any_was_active": was_active}, NOW) == said


def test_the_title_says_that_a_damaged_model_does_not_score(
    reader: Reader, make: Make, session: Session
) -> None:
    version(make, "v4", status="active")
    assert "v4 scores since" in standing(reader).text
    session.execute(update(FraudModel).values(artefact=b"x", artefact_sha256=digest(b"x")))
    session.commit()

    text = standing(reader).text

    assert "The rules score: v4 cannot be loaded" in text
    assert "Its artefact in the registry is damaged. Take it back" in text


def test_labels_are_counted_against_what_is_needed(reader: Reader, make: Make) -> None:
    labelled(make, 130, now=dt.datetime.now(dt.UTC))
    text = standing(reader).text
    assert '"130"' in text
    assert "from 100 on, and score by itself from 500" in text
    assert "130 of 500 verdicts" in text
    assert "Tonight" in text


def test_the_next_training_is_due_a_week_after_the_newest_version(
    reader: Reader, make: Make
) -> None:
    made = dt.datetime.now(dt.UTC) - 2 * DAY
    version(make, "v1", at=made)
    due = made + 7 * DAY
    assert f"About {due.day} {due:%b}" in standing(reader).text


def test_versions_are_listed_newest_first_with_the_interval(reader: Reader, make: Make) -> None:
    version(make, "v1", status="active", at=START)
    version(make, "v2", at=START + 7 * DAY, report={}, pr_auc=None)
    text = listing(reader, "v2").text
    assert text.index("?version=v2") < text.index("?version=v1")
    assert "0.87 (0.77 to 0.97)" in text
    assert "not measured" in text
    assert text.count("is-chosen") == 1
    assert "Trees and linear" in text


def test_the_verdict_lists_each_demand_and_how_it_went(reader: Reader, make: Make) -> None:
    version(make, "v1", status="active", passed=True, at=START)
    version(make, "v2", at=START + 7 * DAY)
    text = verdict(reader, "v2").text
    assert "v2: did not pass its gate" in text
    assert "Recall is 0.62 (90 % between 0.47 and 0.75); 0.75 is needed." in text
    assert (text.count('"Met"'), text.count('"Not met"')) == (1, 1)
    assert "v1: passed its gate" in verdict(reader).text, "without a choice: the active one"
    assert "No such version" in verdict(reader, "v9").text


def test_the_choice_comes_from_the_link(reader: Reader, make: Make) -> None:
    version(make, "v2")
    text = page(reader, "?version=v2").text
    assert '"data":"v2"' in text
    assert "model-verdict" in text


def test_charts_say_period_and_sample_and_what_was_found(reader: Reader, make: Make) -> None:
    version(make, "v1")
    text = charts(reader).text
    for said in (
        "2 Nov to 11 Nov 2026, 189 reviewed punches, 32 frauds",
        "Better than the rules alone, by 0.17",
        "To find 8 of 10 frauds, 74 of 100 flags are right",
        "In 1 of 2 groups as many were fraud as it said",
        "What matters most: location updates, then battery",
        "2,000 punches drawn from 2,400, 144 frauds",
    ):
        assert said in text


def test_a_version_without_curves_says_why(reader: Reader, make: Make) -> None:
    version(make, "v1", report=report(curve=False))
    assert "The last window held no confirmed fraud" in charts(reader).text
    version(make, "v2", report={}, at=dt.datetime.now(dt.UTC))
    text = charts(reader, "v2").text
    assert text.count("Nothing to draw") == 6
    assert verdict(reader, "v2").status_code == 200


def test_the_latest_watch_is_told_and_not_a_shadows_judgement(reader: Reader, make: Make) -> None:
    model = version(make, "v1", status="active", at=START)
    monday = START.replace(hour=0)
    watch(make, "rules", monday - 7 * DAY)
    watch(make, "v1", monday, model_id=model.id)
    shadow = {"test": {}, "as": "shadow"}
    watch(make, "v2", monday + DAY, detail=shadow)
    text = watching(reader).text
    assert "Watching v1" in text
    assert "Punches no longer look as they did when it learned." in text
    assert "Past fraud rate has moved" in text
    assert "against 17,827 of 23 Sep to 22 Oct 2026" in text
    assert "26 Oct to 1 Nov 2026, 4,227 punches, against 17,827" in text
    assert "1.2% fraud expected by the scores, 1.3% found (0.3% to 2.3%) among 64" in text


def test_of_the_rules_nothing_is_expected_for_their_score_is_no_probability(
    reader: Reader, make: Make
) -> None:
    watch(make, "rules")
    text = watching(reader).text
    assert "Watching the rules" in text
    assert "1.3% found" in text
    assert "expected by the scores" not in text


def test_how_much_fraud_there_is_comes_from_random_audits(reader: Reader, make: Make) -> None:
    labelled(make, 40, share=0.1, now=dt.datetime.now(dt.UTC), days=20)
    drawn(make)
    text = watching(reader).text
    assert "Estimated from the 40 reviewed of 40 punches that chance drew (100% covered)" in text


def test_a_training_is_asked_for_once_followed_and_cancelled(
    admin: Reader, session: Session
) -> None:
    assert "Train a model" in follow(admin).text
    asked = steer(admin, "train", days=90)
    assert "Waits for a worker" in asked.text
    assert "Asked for by Ada Admin" in asked.text
    answer = asked.json["response"]
    assert answer["model-clock"]["disabled"] is False
    run_id = answer["model-open"]["data"]
    again = steer(admin, "train").json["response"]
    assert again["model-open"]["data"] == run_id
    run = session.scalars(select(JobRun)).one()
    assert (run.parameters["days"], run.trigger) == (90, "manual")
    assert run.requested_by is not None
    assert queue("ml_queue").count == 1

    gone = steer(admin, "cancel", run_id)
    assert "It was cancelled".lower() in gone.text
    assert gone.json["response"]["model-clock"]["disabled"] is True
    ended = follow(admin, run_id).json["response"]
    assert ended["model-ended"]["data"] == run_id


def test_the_stage_and_the_share_of_an_open_training_are_shown(reader: Reader, make: Make) -> None:
    now = dt.datetime.now(dt.UTC)
    run, _ = runs.ask(tenant_id=make.tenant_id, trigger="schedule", now=now)
    following.begin(run.id, tenant_id=make.tenant_id, now=now)
    following.beat(run.id, 0.42, "folds", tenant_id=make.tenant_id, started_at=now, now=now)
    make.session.commit()
    text = follow(reader).text
    assert "Checking how steady it is over time" in text
    assert "42%" in text
    assert "Cancel" not in text, "a manager looks and does not act"
    asking.cancel(run.id, tenant_id=make.tenant_id, now=now)
    make.session.commit()
    assert "Stopping" in follow(reader).text


def test_why_a_training_brought_nothing_is_told(reader: Reader, make: Make) -> None:
    now = dt.datetime.now(dt.UTC)
    run, _ = runs.ask(tenant_id=make.tenant_id, trigger="manual", now=now, queued=False)
    make.session.commit()
    runs.carry_out(run.id, tenant_id=make.tenant_id, now=now)
    text = follow(reader).text
    assert "no new version" in text
    assert "0 punches have a verdict; a model needs 100" in text


@pytest.mark.parametrize(
    "days", [0, 5000, -1, "", None, "ninety", "9o", "1.5", 1.5, True, "9" * 5000, {}]
)
def test_odd_days_are_answered_in_words_and_train_nothing(
    admin: Reader, session: Session, days: Any
) -> None:
    answer = steer(admin, "train", days=days)
    assert answer.status_code == 200
    assert "Days must be a whole number from 1 to 3650" in answer.text
    assert "Train a model" in answer.text, "the form is there to be mended"
    assert session.scalar(select(func.count()).select_from(JobRun)) == 0


def test_what_was_typed_stays_beside_the_words(admin: Reader) -> None:
    assert '"value":"ninety"' in steer(admin, "train", days="ninety").text
    assert '"value":""' in steer(admin, "train", days=None).text


def test_days_written_in_digits_are_a_number(admin: Reader, session: Session) -> None:
    assert "Waits for a worker" in steer(admin, "train", days="090").text
    assert session.scalars(select(JobRun)).one().parameters["days"] == 90


def test_activation_wants_a_reason_and_asks_where_the_gate_was_not_passed(
    admin: Reader, make: Make, session: Session
) -> None:
    version(make, "v1", status="active", passed=True, at=START)
    second = version(make, "v2")
    assert "Write why first" in press(admin, "activate", second.id).text
    asked = press(admin, "activate", second.id, "It finds more.")
    assert "v2 did not pass its gate. Not met: Recall." in asked.text
    assert "It finds more." in asked.text, "what was written stays"
    assert statuses(session)["v2"] == "shadow"
    left = press(admin, "leave", second.id, "It finds more.").text
    assert "model-question" not in left
    assert "It finds more." in left
    assert "Write why first" in press(admin, "activate-anyway", second.id, "  ").text

    done = press(admin, "activate-anyway", second.id, "It finds more.")
    assert "v2 scores from the next batch on" in done.text
    assert done.json["response"]["model-changed"]["data"]
    assert statuses(session) == {"v1": "retired", "v2": "active"}
    assert "v2 scores since" in standing(admin).text
    assert "What happened to it" in done.text
    assert " by Ada Admin" in done.text
    assert session.scalar(select(FraudModel.note).where(FraudModel.version == "v2")) == (
        "It finds more. (Ada Admin) It had not passed its gate."
    )


def test_a_version_that_passed_is_activated_without_a_question(
    admin: Reader, make: Make, session: Session
) -> None:
    second = version(make, "v2", passed=True)
    assert "v2 scores from the next batch on" in press(admin, "activate", second.id, "Go.").text
    assert statuses(session)["v2"] == "active"


def test_the_way_back_says_first_who_will_score(
    admin: Reader, make: Make, session: Session
) -> None:
    first = version(make, "v1", status="retired", at=START)
    second = version(make, "v2", status="active", ancestor_id=first.id)
    assert "v1 scores again then." in verdict(admin).text
    assert "Take v2 back? v1 scores again" in press(admin, "rollback", second.id).text
    assert statuses(session)["v2"] == "active"
    assert "v2 was taken back; v1 scores again" in press(admin, "rollback-sure", second.id).text
    assert statuses(session) == {"v1": "active", "v2": "retired"}
    refused = press(admin, "rollback-sure", second.id)
    assert "v2 does not score: there is nothing to take back." in refused.text
    assert refused.status_code == 200
    assert "The rules score again then." in verdict(admin, "v1").text
    assert "the rules score again" in press(admin, "rollback-sure", first.id).text


def test_a_version_too_old_says_so_and_cannot_be_activated(
    admin: Reader, make: Make, session: Session
) -> None:
    old = version(make, "v1", status="retired", passed=True, kept=False)
    assert "Too old to score again" in verdict(admin).text
    assert "no longer kept. Train a new one." in press(admin, "activate", old.id, "Try.").text
    assert statuses(session)["v1"] == "retired"


def test_a_manager_looks_and_does_not_act(reader: Reader, make: Make, session: Session) -> None:
    model = version(make, "v1", passed=True)
    for shown in (verdict(reader), follow(reader)):
        assert "model-step" not in shown.text
        assert "model-run-step" not in shown.text
    for answer in (
        press(reader, "activate", model.id, "Mine."),
        press(reader, "rollback", model.id),
        steer(reader, "train"),
        steer(reader, "cancel", str(uuid.uuid4())),
    ):
        assert answer.status_code == 403
        assert answer.content_type == "application/problem+json"
    assert statuses(session)["v1"] == "shadow"
    assert session.scalar(select(func.count()).select_from(JobRun)) == 0


def everything(reader: Reader, model: FraudModel) -> list[Any]:
    """What each callback of the page answers."""
    return [
        standing(reader), listing(reader), verdict(reader), charts(reader), watching(reader),
        follow(reader), press(reader, "activate", model.id, "Mine."), steer(reader, "train"),
    ]  # fmt: skip


def test_without_the_capability_the_page_says_which_it_takes(viewer: Reader, make: Make) -> None:
    model = version(make, "v1")
    assert "security:fraud:view" in page(viewer).text
    assert [answer.status_code for answer in everything(viewer, model)] == [403] * 8


def test_who_is_limited_to_sites_sees_no_model(app: APIFlask, make: Make) -> None:
    model = version(make, "v1")
    user = limit_to(make, make.user("admin"), make.site().id)
    limited = Reader(app, make, user)
    text = page(limited).text
    assert "The model is the whole company's" in text
    assert "model-verdict" not in text
    assert [answer.status_code for answer in everything(limited, model)] == [403] * 8


def test_a_part_that_fails_leaves_the_others_and_a_way_to_try_again(
    reader: Reader, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("canceling statement"))

    version(make, "v1")
    monkeypatch.setattr(queries.models, "versions", broken)
    assert "Try again" in listing(reader).text
    assert "v1: did not pass" in verdict(reader).text


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_whatever_an_administrator_posts_is_no_fault_of_ours(
    admin: Reader, make: Make, session: Session, junk: Any
) -> None:
    model = version(make, "v1", passed=True)
    key = str(model.id)
    posted = [
        press(admin, "activate", key, junk),
        press(admin, junk, key, "Note."),
        press(admin, "activate", junk, "Note."),
        steer(admin, "train", days=junk),
        steer(admin, "cancel", junk),
        steer(admin, junk),
        verdict(admin, junk),
        follow(admin, junk),
    ]
    assert all(answer.status_code < 500 for answer in posted)


def test_a_note_that_cannot_be_stored_is_refused_in_words(
    admin: Reader, make: Make, session: Session
) -> None:
    model = version(make, "v1", passed=True)
    assert "Note: " in press(admin, "activate", model.id, "a\x00b").text
    assert statuses(session)["v1"] == "shadow"


def test_everything_the_trainer_and_the_gate_name_has_words() -> None:
    assert set(words.FEATURE) == set(FEATURES)
    assert set(words.MODEL_STATUS) == set(STATUSES)
    assert set(words.MODEL_CHANGE) == set(CHANGES)
    assert {*TYPES, "rules"} <= set(words.MODEL_TYPE)
    assert set(TRAINER_STAGES) <= set(STAGES)
    judged = gate.judge(
        labels=1, positives=1, test={name: {"value": None, "low": None, "high": None}
                                     for name in ("precision", "recall", "f1", "brier")},
        against_rules=None,
        against_champion=gate.Comparison(30, {"value": 0.0, "low": 0.0, "high": 0.0}),
        needed_labels=1, needed=gate.ModelGate(),
    )  # fmt: skip
    assert {check.name for check in judged.checks} == set(words.GATE)

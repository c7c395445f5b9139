"""Seeding: what is stored, by whom, and what happens when it breaks off."""

from __future__ import annotations

import ast
import datetime as dt
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from apiflask import APIFlask
from sqlalchemy import func, select, text

import noc.demo
from noc.alerts.models import Alert
from noc.attendance.models import AttendanceEvent
from noc.database.base import Base
from noc.database.tenancy import tenant_context
from noc.demo import evaluation, marks, seed
from noc.demo.truth import Lookalike, Typology
from noc.extensions import session
from noc.fraud.models import PredictionLog
from noc.identity.models import Tenant
from noc.identity.tenants import all_tenants, create_tenant
from noc.runs.models import JobRun
from noc.telemetry.models import JobNeed
from noc.tickets.models import Ticket, TicketEvent
from noc.workforce.models import Person, Shift, Site
from tests.demo.conftest import NOW, SMALL, Start, counts, seed_here

WRITTEN_BY_THE_PRODUCT = (
    "fraud_prediction_log", "attendance_anomaly_log", "behavioral_profile", "noc_alert_event",
    "noc_alert_change", "ticket", "ticket_event", "ticket_evidence", "ticket_slot",
    "noc_event_log",
)  # fmt: skip

Small = list[marks.Simulated]


def count(table: str, tenant_id: int) -> int:
    query = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")
    return session().scalar(query, {"tenant": tenant_id}) or 0


def scores() -> dict[str, float]:
    """Score by external id, over all simulated tenants."""
    found = {}
    for one in marks.simulated_tenants():
        with tenant_context(session(), one.tenant.id):
            rows = session().execute(
                select(AttendanceEvent.external_id, PredictionLog.fraud_score).join(
                    PredictionLog,
                    (PredictionLog.tenant_id == AttendanceEvent.tenant_id)
                    & (PredictionLog.attendance_event_id == AttendanceEvent.id)
                    & ~PredictionLog.is_shadow,
                )
            )
            found |= {row.external_id: row.fraud_score for row in rows}
    return found


def test_the_model_has_a_past_that_was_judged_by_its_own_gate(small_world: Small) -> None:
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            ended = session().scalars(select(JobRun).order_by(JobRun.requested_at)).all()
            assert [run.finished_at for run in ended] == [
                NOW - weeks * dt.timedelta(days=7) for weeks in (2, 1, 0)
            ]
            # So few punches have a verdict here that no model is made, and each run says why.
            assert {run.state for run in ended} == {"refused"}
            assert all("a model needs 100" in str(run.reason) for run in ended)
            assert count("fraud_audit_draw", one.tenant.id) > 0


def test_every_punch_of_the_past_is_stored_and_scored_once(small_world: Small) -> None:
    assert {one.tenant.slug for one in small_world} == {"sentinel", "northwatch", "harbor"}
    scored = evaluation.read_scored(small_world)
    assert len(scored.truth) > 300
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            punches = count("attendance_event", one.tenant.id)
            served = select(func.count()).where(~PredictionLog.is_shadow)
            assert session().scalar(served) == punches
            unscored = select(func.count()).where(AttendanceEvent.scored_at.is_(None))
            assert session().scalar(unscored) == 0


def test_nothing_of_the_past_is_later_than_now(small_world: Small) -> None:
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            for column in ("occurred_at", "received_at", "scored_at"):
                latest = session().scalar(select(func.max(getattr(AttendanceEvent, column))))
                assert latest is not None
                assert latest <= NOW
            assert (session().scalar(select(func.max(JobNeed.endtime))) or NOW) <= NOW


def test_the_roster_and_its_rounds_reach_a_week_ahead(small_world: Small) -> None:
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            last = session().scalar(select(func.max(Shift.starts_at)))
            assert last is not None
            assert (last - NOW).days >= 6
            planned = select(func.count()).where(
                JobNeed.starts_at > NOW, JobNeed.kind == "checkpoint", JobNeed.endtime.is_(None)
            )
            assert session().scalar(planned)


def test_each_tenant_sees_only_its_own(small_world: Small) -> None:
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            prefix = one.tenant.slug[:3].upper()
            for model in (Person, Site):
                codes = session().scalars(select(model.code)).all()
                assert codes
                assert all(code.startswith(prefix) for code in codes)
            for model in (AttendanceEvent, Shift, Ticket):
                tenants = session().scalars(select(model.tenant_id).distinct()).all()
                assert set(tenants) <= {one.tenant.id}
        session().rollback()


def test_the_demo_itself_writes_no_score_alert_ticket_or_event(
    demo: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "score_punches", lambda *_, **__: [])
    monkeypatch.setattr(seed, "refresh_profiles", lambda **_: 0)
    monkeypatch.setattr(seed.Lessons, "work", lambda *_, **__: None)
    seed_here(SMALL)
    for one in marks.simulated_tenants():
        with tenant_context(session(), one.tenant.id):
            assert count("attendance_event", one.tenant.id) > 0
            assert {
                table: count(table, one.tenant.id) for table in WRITTEN_BY_THE_PRODUCT
            } == dict.fromkeys(WRITTEN_BY_THE_PRODUCT, 0)
            marks.drop(one.tenant)


def test_the_demos_sources_insert_only_what_people_and_phones_bring_about() -> None:
    allowed = {
        "shift", "location_update", "phone_event", "task_completion", "jobneed",
        "attendance_event",
    }  # fmt: skip
    inserted = set()
    for path in Path(noc.demo.__file__).parent.glob("*.py"):
        source = path.read_text()
        inserted |= set(re.findall(r"(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", source))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module == "noc.fraud.features":
                pytest.fail(f"{path.name} knows the features")
    assert inserted == allowed


def test_seeding_twice_replaces_and_doubles_nothing(small_world: Small) -> None:
    before, scored = counts(), scores()
    old = {one.tenant.id for one in small_world}
    seed_here(SMALL)
    assert counts() == before
    again = scores()
    assert again.keys() == scored.keys()
    # Random audits are drawn by the punches' ids, which are new: other verdicts, and by them
    # other past rates, for the few who were drawn.
    same = [again[punch] == pytest.approx(score, abs=1e-3) for punch, score in scored.items()]
    assert sum(same) > 0.95 * len(same)
    assert not old & {one.tenant.id for one in marks.simulated_tenants()}
    assert sum(tenant.slug == "harbor" for tenant in all_tenants()) == 1


@pytest.mark.parametrize("phase", ["rosters, rounds and signals", "punches and scores"])
def test_a_half_finished_seed_is_noticed_and_done_anew(
    small_world: Small, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    before = counts()
    real = seed.seed_company

    def breaks_off(one: marks.Simulated, report: seed.Report) -> seed.Seeded:
        def stop(name: str, share: float) -> None:
            if one.tenant.slug == "northwatch" and name == phase:
                raise KeyboardInterrupt
            report(name, share)

        return real(one, stop)

    monkeypatch.setattr("noc.demo.seeding.seed_company", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        seed_here(SMALL)
    session().rollback()
    assert not seed.is_complete()
    monkeypatch.undo()
    seed_here(SMALL)
    assert seed.is_complete()
    assert counts() == before


def test_a_killed_seed_leaves_nothing_that_stops_the_next(demo: APIFlask, start_noc: Start) -> None:
    scale = ("--guards", "18", "--sites", "6", "--days", "10", "--now", NOW.isoformat())
    first = start_noc("demo", "seed", *scale)
    assert first.stdout is not None
    for line in first.stdout:
        if "rosters" in line:
            break
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not seed.is_complete()
    session().rollback()
    second = start_noc("demo", "seed", "--if-empty", *scale)
    output, _ = second.communicate()
    assert second.returncode == 0, output
    assert "Simulated 3 companies" in output
    assert seed.is_complete()
    assert len(evaluation.read_scored(marks.simulated_tenants()).truth) > 250


def test_a_real_tenant_of_the_same_name_is_never_touched(small_world: Small) -> None:
    harbor = next(one for one in small_world if one.tenant.slug == "harbor")
    marks.drop(harbor.tenant)
    real = create_tenant("harbor", "Harbor, a real customer")
    session().commit()
    before = counts()
    try:
        with pytest.raises(seed.SeedError, match="'harbor' is not simulated"):
            seed.start_over(SMALL)
        assert counts() == before
        assert real in all_tenants()
        with pytest.raises(ValueError, match="not a simulated tenant"):
            marks.drop(real)
    finally:
        session().rollback()
        with tenant_context(session(), real.id):
            session().get_one(Tenant, real.id).active = False
            session().get_one(Tenant, real.id).slug = "real-harbor"
            session().commit()


def test_dropping_leaves_no_row_behind_but_who_did_what(small_world: Small) -> None:
    for one in small_world:
        marks.drop(one.tenant)
        with tenant_context(session(), one.tenant.id):
            left = {
                table.name: count(table.name, one.tenant.id)
                for table in Base.metadata.sorted_tables
                if "tenant_id" in table.columns
            }
        assert {name for name, number in left.items() if number} <= {"audit_trail"}
    assert marks.simulated_tenants() == []
    assert not {"sentinel", "northwatch", "harbor"} & {tenant.slug for tenant in all_tenants()}


def test_two_seeds_at_once_are_one_too_many(demo: APIFlask) -> None:
    with seed.only_one(), pytest.raises(seed.SeedError, match="another seed"), seed.only_one():
        pass
    with seed.only_one():
        pass


def test_reviewers_label_some_punches_late_and_leave_most_alone(small_world: Small) -> None:
    labelled = 0
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            rows = session().execute(
                select(
                    PredictionLog.occurred_at, PredictionLog.labelled_at, PredictionLog.label_source
                ).where(PredictionLog.actual_fraud_detected.is_not(None))
            )
            for row in rows.all():
                labelled += 1
                assert row.labelled_at > row.occurred_at
                assert row.labelled_at <= NOW
                assert row.label_source in ("ticket", "audit", "review")
    scored = evaluation.read_scored(small_world)
    assert 0 < labelled < len(scored.truth) / 2
    assert labelled == (scored.label >= 0).sum()


def test_reviewers_move_tickets_along_the_workflow_each_at_its_time(small_world: Small) -> None:
    seen = set()
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            for ticket in session().scalars(select(Ticket)).all():
                seen.add(ticket.status)
                steps = session().scalars(
                    select(TicketEvent)
                    .where(TicketEvent.ticket_id == ticket.id)
                    .order_by(TicketEvent.id)
                )
                moments = [step.at for step in steps if step.action == "transition"]
                assert moments == sorted(moments)
                assert all(ticket.created_at <= moment <= NOW for moment in moments)
                if ticket.status == "RESOLVED":
                    assert ticket.resolution in ("CONFIRMED", "FALSE_POSITIVE", "INCONCLUSIVE")
    assert "RESOLVED" in seen


def test_alerts_of_the_past_are_seen_to(small_world: Small) -> None:
    statuses = set()
    for one in small_world:
        with tenant_context(session(), one.tenant.id):
            statuses |= set(session().scalars(select(Alert.status)))
    assert "RESOLVED" in statuses


def test_labels_agree_with_the_truth_but_for_a_few_mistakes(small_world: Small) -> None:
    scored = evaluation.read_scored(small_world)
    seen = scored.label >= 0
    right = (scored.label == 1) == (scored.truth != Typology.HONEST)
    assert right[seen].mean() > 0.9


def test_average_precision_is_that_of_the_textbook() -> None:
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(3)
    truth = rng.random(500) < 0.1
    score = np.round(rng.random(500) + 0.3 * truth, 1)
    expected = average_precision_score(truth, score)
    assert evaluation.average_precision(truth, score) == pytest.approx(expected)


def test_the_evaluation_counts_every_punch_once(small_world: Small) -> None:
    scored = evaluation.read_scored(small_world)
    frauds = evaluation.found_by_typology(scored, 0.8)
    innocent = evaluation.flagged_by_lookalike(scored, 0.8)
    assert len(frauds) == len(Typology) - 1
    assert len(innocent) == len(Lookalike)
    assert sum(row.count for row in (*frauds, *innocent)) == len(scored.truth)
    whole = evaluation.quality(scored, [0.0])[0]
    assert whole.recall == 1.0
    assert whole.precision == pytest.approx((scored.truth != Typology.HONEST).mean())

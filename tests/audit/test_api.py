"""REST of findings, baselines, incidents and correlations."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session

from noc.audit.models import BaselineProfile, Finding
from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.identity import tenants, tokens
from noc.incidents.correlation import correlate
from noc.incidents.models import Incident
from noc.incidents.scoring import Signal
from noc.workforce.models import Site
from tests.audit.conftest import Post, on_post
from tests.conftest import ApiClient
from tests.factories import Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to

MINUTE = dt.timedelta(minutes=1)


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def finding(make: Make, site: Site, n: int = 0, **values: Any) -> Finding:
    detected = values.pop("detected_at", utcnow() - n * MINUTE)
    plain: dict[str, Any] = {
        "finding_type": "DEVICE_SILENT",
        "category": "DEVICE_HEALTH",
        "severity": "HIGH",
        "title": "Somebody is silent",
        "site_id": site.id,
        "subject": f"site:{site.id}",
        "window_start": detected - 20 * MINUTE,
        "window_end": detected,
        "evidence": {"silent_minutes": 20},
        "evidence_summary": "Nothing has been heard for 20 minutes.",
        "detected_at": detected,
    }
    return make.row(Finding, plain | values)


def baseline(make: Make, site: Site, **values: Any) -> BaselineProfile:
    plain = {
        "site_id": site.id, "metric_type": "phone_events_count", "level": "all", "slot": 0,
        "mean": 10.0, "std_dev": 2.0, "sample_count": 40,
    }  # fmt: skip
    return make.row(BaselineProfile, plain | values)


def incident(make: Make, post: Post, **values: Any) -> Incident:
    now = utcnow()
    post.alert(occurred_at=now, **values)
    signal = Signal(
        f"finding:{uuid.uuid4()}", "LOW", "MEDIUM", post.site.id, post.person.id, now, now
    )
    (made,) = correlate([signal], tenant_id=make.tenant_id, now=now, window_minutes=15)
    return made


class TestFindings:
    def test_a_finding_is_listed_shown_acknowledged_and_resolved(
        self, app: APIFlask, make: Make
    ) -> None:
        site = make.site()
        one = finding(make, site)
        user = make.user("operator", name="Olga")
        browser = UserClient(app, make, user)

        listed = data(browser.get("findings/"))
        assert [row["id"] for row in listed] == [one.id]
        assert "evidence" not in listed[0]
        assert data(browser.get(f"findings/{one.id}/"))["evidence"] == {"silent_minutes": 20}
        seen = data(browser.post(f"findings/{one.id}/acknowledge/"))
        assert (seen["status"], seen["acknowledged_by_name"]) == ("ACKNOWLEDGED", "Olga")
        body = {"resolution": "FIXED", "note": "New battery."}
        over = data(browser.post(f"findings/{one.id}/resolve/", json=body))
        assert (over["status"], over["resolution"]) == ("RESOLVED", "FIXED")
        assert (over["resolution_note"], over["resolved_by_name"]) == ("New battery.", "Olga")

    def test_what_was_decided_is_not_decided_again(self, api: ApiClient, make: Make) -> None:
        one = finding(make, make.site())
        path = f"findings/{one.id}/resolve/"
        data(api.post(path, json={"resolution": "FIXED"}))
        data(api.post(path, json={"resolution": "FIXED"}))
        assert_problem(api.post(path, json={"resolution": "CONFIRMED"}), 409)
        assert_problem(api.post(f"findings/{one.id}/acknowledge/"), 409)
        assert_problem(api.post(path, json={"resolution": "MAYBE"}), 422, resolution="'CONFIRMED'")

    def test_what_was_decided_can_be_taken_back(self, app: APIFlask, make: Make) -> None:
        one = finding(make, make.site())
        browser = UserClient(app, make, make.user("operator", name="Olga"))
        path = f"findings/{one.id}/"
        data(browser.post(f"{path}resolve/", json={"resolution": "FIXED"}))
        again = data(browser.post(f"{path}reopen/", json={"note": "Silent again."}))
        assert (again["status"], again["resolution"]) == ("NEW", None)
        (kept,) = again["reopened"]
        assert (kept["user_name"], kept["note"]) == ("Olga", "Silent again.")
        assert data(browser.post(f"{path}reopen/"))["status"] == "NEW"
        data(browser.post(f"{path}resolve/", json={"resolution": "EXPIRED"}))
        assert_problem(browser.post(f"{path}reopen/"), 409)
        assert_problem(browser.post(f"{path}reopen/", json={"why": "x"}), 422, why="not permitted")

    def test_pages_follow_each_other_and_filters_narrow(self, api: ApiClient, make: Make) -> None:
        here, there = make.site(), make.site()
        for n in range(7):
            finding(make, here, n, severity="HIGH" if n % 2 else "LOW")
        finding(make, there, 8, finding_type="TOUR_MISSED", category="COMPLIANCE")

        first = api.get("findings/?limit=5").get_json()
        second = api.get(
            f"findings/?limit=5&cursor={first['pagination']['next_cursor']}"
        ).get_json()
        ids = [row["id"] for page in (first, second) for row in page["data"]]
        assert len(ids) == len(set(ids)) == 8
        assert second["pagination"]["next_cursor"] is None
        assert len(data(api.get("findings/?severity=HIGH,CRITICAL"))) == 4
        assert len(data(api.get(f"findings/?site_id={there.id}"))) == 1
        assert len(data(api.get("findings/?finding_type=TOUR_MISSED&open=true"))) == 1
        assert data(api.get("findings/?open=false")) == []

    def test_statistics_tell_shares_and_times(self, api: ApiClient, make: Make) -> None:
        site = make.site()
        now = utcnow()
        empty = data(api.get("findings/escalation-stats/"))["all"]
        assert (empty["findings"], empty["escalation_rate"]) == (0, None)
        for n in range(4):
            done = {"status": "RESOLVED", "resolved_at": now}
            more: dict[str, Any] = {
                0: done | {"resolution": "FALSE_POSITIVE", "escalated_to_ticket": True},
                1: done | {"resolution": "CONFIRMED"},
                2: done | {"resolution": "EXPIRED"},
            }.get(n, {})
            at = now - (n + 2) * MINUTE
            finding(make, site, detected_at=at, acknowledged_at=at + (n + 1) * MINUTE, **more)

        told = data(api.get("findings/escalation-stats/?days=1"))

        assert told["all"] | {"findings": 4, "escalated": 1, "judged": 2} == told["all"]
        assert told["all"]["escalation_rate"] == 0.25
        assert told["all"]["false_positive_share"] == 0.5
        assert told["all"]["closed_themselves"] == 1
        assert told["all"]["median_seconds_to_acknowledge"] == 150
        assert [one["finding_type"] for one in told["by_type"]] == ["DEVICE_SILENT"]
        assert_problem(api.get("findings/escalation-stats/?days=0"), 422, days="greater than")


class TestBaselines:
    def test_one_is_pinned_let_go_and_reset_with_its_history(
        self, app: APIFlask, make: Make
    ) -> None:
        row = baseline(make, make.site())
        admin = UserClient(app, make, make.user("admin", name="Ada"))
        path = f"baselines/{row.id}/"
        assert data(admin.get(path))["threshold"] == 3.0

        pinned = data(admin.post(f"{path}pin/", json={"threshold": 2.0, "reason": "Loud"}))
        assert (pinned["threshold"], pinned["pinned_threshold"]) == (2.0, 2.0)
        assert data(admin.get("baselines/?pinned=true"))[0]["id"] == row.id
        data(admin.post(f"{path}pin/", json={"threshold": None, "reason": "Quiet"}))
        reset = data(admin.post(f"{path}reset/", json={"reason": "New client"}))

        assert reset["sample_count"] == 0
        assert [change["action"] for change in reset["changes"]] == ["reset", "unpinned", "pinned"]
        assert {change["user_name"] for change in reset["changes"]} == {"Ada"}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"threshold": 1.4, "reason": "x"}, "threshold"),
            ({"threshold": 5.1, "reason": "x"}, "threshold"),
            ({"threshold": 2}, "reason"),
            ({"threshold": 2, "reason": " "}, "reason"),
            ({"threshold": "2", "reason": "x"}, "threshold"),
        ],
    )
    def test_a_threshold_that_cannot_be_is_refused(
        self, api: ApiClient, make: Make, body: dict[str, Any], field: str
    ) -> None:
        row = baseline(make, make.site())
        assert_problem(api.post(f"baselines/{row.id}/pin/", json=body), 422, **{field: ""})
        assert row.pinned_threshold is None

    def test_only_an_admin_may(self, app: APIFlask, make: Make) -> None:
        row = baseline(make, make.site())
        operator = UserClient(app, make, make.user("operator"))
        body = {"threshold": 2, "reason": "x"}
        assert operator.get(f"baselines/{row.id}/").status_code == 200
        assert_problem(operator.post(f"baselines/{row.id}/pin/", json=body), 403)
        assert_problem(operator.post(f"baselines/{row.id}/reset/", json={"reason": "x"}), 403)


class TestIncidents:
    def test_one_is_investigated_explained_and_closed(self, app: APIFlask, make: Make) -> None:
        made = incident(make, on_post(make))
        browser = UserClient(app, make, make.user("operator", name="Olga"))
        path = f"incidents/{made.id}/"

        shown = data(browser.get(path))
        assert shown["alerts"][0]["score_parts"].keys() == {"time", "entity", "severity"}
        assert shown["alerts"][0]["score"] == pytest.approx(shown["correlation_score"])
        data(browser.post(f"{path}investigate/", json={"note": "Called."}))
        data(browser.post(f"{path}root-cause/", json={"description": "Flat battery."}))
        closed = data(browser.post(f"{path}close/"))

        assert (closed["status"], closed["root_cause_identified"]) == ("CLOSED", True)
        assert closed["investigated_by_name"] == "Olga"
        assert [note["user_name"] for note in closed["investigation_notes"]] == ["Olga"] * 3
        assert_problem(browser.post(f"{path}investigate/", json={"note": "More"}), 409)
        assert data(browser.get("incidents/?unresolved=true")) == []
        assert data(browser.post(f"{path}reopen/"))["status"] == "INVESTIGATING"
        assert len(data(browser.get("incidents/?unresolved=true"))) == 1

    def test_correlations_are_kept_for_a_while_and_asked_anew_on_demand(
        self, api: ApiClient, make: Make
    ) -> None:
        post = on_post(make)
        first = api.get("telemetry/correlations/").get_json()
        assert (first["cached"], first["data"]["correlations"]) == (False, [])
        incident(make, post)

        kept = api.get("telemetry/correlations/").get_json()
        fresh = api.get("telemetry/correlations/?fresh=1").get_json()

        assert (kept["cached"], kept["data"]["correlations"]) == (True, [])
        assert kept["data"]["collected_at"] == first["data"]["collected_at"]
        assert (fresh["cached"], len(fresh["data"]["correlations"])) == (False, 1)
        assert fresh["data"]["correlations"][0]["score_parts"]

    def test_correlations_are_filtered_and_paged(self, api: ApiClient, make: Make) -> None:
        loud, quiet = on_post(make), on_post(make)
        incident(make, loud, severity="CRITICAL")
        incident(make, quiet, severity="LOW")

        def listed(query: str) -> list[int]:
            answer = data(api.get(f"telemetry/correlations/?fresh=1&{query}"))
            return [one["person_id"] for one in answer["correlations"]]

        assert listed("min_severity=CRITICAL") == [loud.person.id]
        assert listed(f"site_id={quiet.site.id}") == [quiet.person.id]
        page = api.get("telemetry/correlations/?limit=1").get_json()
        cursor = page["pagination"]["next_cursor"]
        assert listed(f"limit=1&cursor={cursor}") == [loud.person.id]
        for query in ("hours=0", "hours=9000", "min_severity=X", "cursor=junk", "colour=red"):
            assert_problem(api.get(f"telemetry/correlations/?{query}"), 422)


PATHS = (
    "findings/{finding}/", "baselines/{baseline}/", "incidents/{incident}/",
)  # fmt: skip


def test_another_tenants_are_not_there_nor_those_of_sites_out_of_sight(
    app: APIFlask, api: ApiClient, make: Make, session: Session
) -> None:
    here = on_post(make)
    ids = {
        "finding": finding(make, here.site).id,
        "baseline": baseline(make, here.site).id,
        "incident": incident(make, here).id,
    }
    other = tenants.create_tenant("rival", "Rival Guarding")
    session.commit()
    with tenant_context(session, other.id):
        _, secret = tokens.create(other.id, "theirs", ["noc:view", "noc:operate", "admin"])
        session.commit()
    theirs = ApiClient(app.test_client(), secret)
    elsewhere = UserClient(app, make, limit_to(make, make.user("operator"), make.site().id))
    for path in PATHS:
        concrete = path.format(**ids)
        assert api.get(concrete).status_code == 200
        assert_problem(theirs.get(concrete), 404)
        assert_problem(elsewhere.get(concrete), 404)
    for listing in ("findings/", "baselines/", "incidents/"):
        assert data(theirs.get(listing)) == data(elsewhere.get(listing)) == []
    acts = (
        f"findings/{ids['finding']}/acknowledge/",
        f"findings/{ids['finding']}/reopen/",
        f"incidents/{ids['incident']}/close/",
    )
    for act in acts:
        assert_problem(theirs.post(act), 404)
        assert_problem(elsewhere.post(act), 404)


def test_who_may_not_view_sees_nothing_and_who_may_not_operate_changes_nothing(
    app: APIFlask, make: Make
) -> None:
    one = finding(make, make.site())
    _, secret = tokens.create(make.tenant_id, "phones", ["noc:ingest"])
    phones = ApiClient(app.test_client(), secret)
    for path in ("findings/", "incidents/", "baselines/", "telemetry/correlations/"):
        assert_problem(phones.get(path), 403)
    viewer = UserClient(app, make, make.user("viewer"))
    assert viewer.get("findings/").status_code == 200
    assert_problem(viewer.post(f"findings/{one.id}/acknowledge/"), 403)
    assert_problem(viewer.post(f"findings/{one.id}/reopen/"), 403)

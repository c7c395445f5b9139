"""Jobs that failed: told to whom they concern, and tried again once, whichever way."""

from __future__ import annotations

from typing import Any

import click
import pytest
import redis
from apiflask import APIFlask
from flask.testing import FlaskClient
from rq.registry import FailedJobRegistry
from rq.results import Result

from noc.extensions import queue
from noc.identity import tokens
from noc.runs import backstage
from noc.runs.commands import jobs
from tests.conftest import ApiClient
from tests.factories import Make
from tests.problems import assert_problem
from tests.signed_in import UserClient, limit_to


def failed_job(*args: Any, job_id: str) -> str:
    """A job that broke, with a trouble that names what nobody should read."""
    waiting = queue("scoring")
    job = waiting.enqueue("jobs.scoring.score", *args, job_id=job_id)
    waiting.remove(job)
    trouble = "Traceback\nsqlalchemy.exc.DataError: (secret 5) INSERT INTO x"
    waiting.failed_job_registry.add(job, ttl=600)
    Result.create_failure(job, 600, trouble)
    return job_id


@pytest.fixture
def ours(make: Make) -> str:
    """A failed job of the tenant."""
    return failed_job(make.tenant_id, job_id="ours")


@pytest.fixture
def others(make: Make) -> tuple[str, str]:
    """One of another tenant, and one of none."""
    return failed_job(make.tenant_id + 1, job_id="theirs"), failed_job(job_id="nobodys")


def listed(api: ApiClient | UserClient) -> list[dict[str, Any]]:
    response = api.get("jobs/failed/")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()["data"]
    return found


def test_a_company_sees_its_own_and_the_kind_of_trouble_alone(
    api: ApiClient, ours: str, others: tuple[str, str]
) -> None:
    (row,) = listed(api)
    assert (row["id"], row["queue"], row["job"]) == (ours, "scoring", "jobs.scoring.score")
    assert (row["reason"], row["ours"]) == ("DataError", True)
    assert "secret" not in api.get("jobs/failed/").text


def test_what_failed_is_tried_again_once_and_written_down(api: ApiClient, ours: str) -> None:
    answer = api.post(f"jobs/failed/{ours}/retry/")
    assert answer.get_json()["data"] == {"id": ours, "state": "queued"}
    assert queue("scoring").job_ids == [ours]
    assert listed(api) == []
    assert_problem(api.post(f"jobs/failed/{ours}/retry/"), 404)
    assert queue("scoring").job_ids == [ours]
    rows = api.get("audit-trail/?action=job").get_json()["data"]
    assert [(row["action"], row["target_id"], row["actor"]) for row in rows] == [
        ("job.retried", ours, "tests")
    ]


def test_what_is_anothers_or_nobodys_is_not_there(api: ApiClient, others: tuple[str, str]) -> None:
    for job_id in (*others, "no-such", "x" * 300):
        assert_problem(api.post(f"jobs/failed/{job_id}/retry/"), 404)
    assert queue("scoring").job_ids == []


def test_a_platform_admin_looks_after_what_is_nobodys(
    app: APIFlask, make: Make, ours: str, others: tuple[str, str]
) -> None:
    boss = UserClient(app, make, make.user("platform_admin"))
    assert {row["id"]: row["ours"] for row in listed(boss)} == {ours: True, "nobodys": False}
    assert_problem(boss.post("jobs/failed/theirs/retry/"), 404)
    assert boss.post("jobs/failed/nobodys/retry/").status_code == 200
    assert queue("scoring").job_ids == ["nobodys"]


def test_it_is_for_admins_of_the_whole_company(
    app: APIFlask, make: Make, client: FlaskClient, ours: str
) -> None:
    limited = UserClient(app, make, limit_to(make, make.user("admin"), make.site().id))
    _, secret = tokens.create(make.tenant_id, "trainer", ["ml:train"])
    for who in (limited, ApiClient(client, secret)):
        assert_problem(who.get("jobs/failed/"), 403)
        assert_problem(who.post(f"jobs/failed/{ours}/retry/"), 403)
    assert queue("scoring").job_ids == []


def test_of_two_who_try_again_at_once_one_does(
    api: ApiClient, ours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requeue = FailedJobRegistry.requeue

    def outrun(self: FailedJobRegistry, job: Any, *args: Any) -> Any:
        requeue(self, job, *args)
        return requeue(self, job, *args)

    monkeypatch.setattr(FailedJobRegistry, "requeue", outrun)
    assert_problem(api.post(f"jobs/failed/{ours}/retry/"), 404)
    assert queue("scoring").job_ids == [ours]
    assert api.get("audit-trail/?action=job").get_json()["data"] == []


def test_without_the_queue_it_says_when_to_ask_again(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> Any:
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(backstage, "failed", away)
    assert assert_problem(api.get("jobs/failed/"), 503)["detail"].startswith("The queue")


def run(app: APIFlask, make: Make, command: click.Group, *words: str) -> Any:
    make.session.commit()
    return app.test_cli_runner().invoke(command, [*words[:1], "--tenant", "acme", *words[1:]])


def test_commands_list_and_try_again(
    app: APIFlask, api: ApiClient, make: Make, ours: str, others: tuple[str, str]
) -> None:
    shown = run(app, make, jobs, "failed").stdout
    assert ours in shown
    assert "theirs" not in shown
    assert "nobodys" not in shown
    assert "nobodys" in run(app, make, jobs, "failed", "--platform").stdout
    done = run(app, make, jobs, "retry", ours)
    assert (done.exit_code, done.stderr.strip()) == (0, "ours waits for a worker.")
    assert queue("scoring").job_ids == [ours]
    (row,) = api.get("audit-trail/?action=job.retried").get_json()["data"]
    assert row["actor"] == "command line"
    for job_id in ("theirs", "nobodys", ours):
        refused = run(app, make, jobs, "retry", job_id)
        assert refused.exit_code == 2
        assert "There is no such failed job." in refused.stderr

"""What Prometheus reads, right across processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from prometheus_client import multiprocess
from prometheus_client.parser import text_string_to_metric_families

from noc.extensions import connect_redis, queue
from tests.conftest import ApiClient

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(client: FlaskClient) -> Samples:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


def test_requests_are_counted_by_rule_and_status(client: FlaskClient, api: ApiClient) -> None:
    rule = "/api/v2/noc/people/<int:record_id>/"
    before = scrape(client)
    api.get("people/1/")
    api.get("people/2/")
    after = scrape(client)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("noc_api_requests_total", endpoint=rule, status="404") == 2
    assert grown("noc_api_latency_seconds_count", endpoint=rule) == 2
    assert grown("noc_telemetry_api_requests_total", endpoint=rule, status="404") == 0


def test_unknown_paths_share_one_label(client: FlaskClient) -> None:
    """Whoever tries names at random must not fill the memory of Prometheus."""
    client.get("/api/v2/noc/one/")
    client.get("/api/v2/noc/two/")
    samples = scrape(client)
    assert value(samples, "noc_api_requests_total", endpoint="unmatched", status="404") >= 2
    assert not any("two" in str(labels) for _, labels in samples)


def test_telemetry_is_counted_on_its_own_too(client: FlaskClient, api: ApiClient) -> None:
    api.get("telemetry/signals/1/")
    names = {name for name, labels in scrape(client) if "telemetry" in str(labels)}
    assert "noc_telemetry_api_requests_total" in names
    assert "noc_telemetry_api_latency_seconds_count" in names


@pytest.mark.parametrize(
    "name",
    [
        "noc_api_requests",
        "noc_api_latency_seconds",
        "noc_telemetry_api_requests",
        "noc_telemetry_api_latency_seconds",
        "noc_ml_predictions",
        "noc_ml_prediction_latency_seconds",
        "noc_fraud_detections",
        "noc_fraud_tickets_created",
        "noc_websocket_broadcasts",
        "noc_websocket_broadcast_latency_seconds",
        "noc_websocket_connections_active",
        "noc_cache_requests",
        "noc_rate_limit_hits",
        "noc_queue_depth",
    ],
)
def test_the_names_that_dashboards_rely_on_are_there(client: FlaskClient, name: str) -> None:
    families = text_string_to_metric_families(client.get("/metrics").text)
    assert name in {family.name for family in families}


def test_waiting_jobs_are_seen(client: FlaskClient, app: APIFlask) -> None:
    queue("scoring").enqueue("time.time")
    samples = scrape(client)
    assert value(samples, "noc_queue_depth", queue="scoring") == 1
    assert value(samples, "noc_queue_depth", queue="reports") == 0
    assert value(samples, "noc_redis_up") == 1


def test_without_redis_the_rest_is_still_told(
    client: FlaskClient, app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = connect_redis("redis://127.0.0.1:1/0")
    monkeypatch.setitem(app.extensions, "noc_redis", nowhere)
    monkeypatch.setitem(
        app.extensions,
        "noc_queues",
        {
            name: type(one)(name, connection=nowhere)
            for name, one in app.extensions["noc_queues"].items()
        },
    )
    samples = scrape(client)
    assert value(samples, "noc_redis_up") == 0
    assert any(name == "noc_api_requests_total" for name, _ in samples)


WORKER = """
import os, sys
from noc.monitoring import metrics
requests, sockets = int(sys.argv[1]), int(sys.argv[2])
for _ in range(requests):
    metrics.API_REQUESTS.labels("/somewhere/", "200").inc()
    metrics.API_LATENCY.labels("/somewhere/").observe(0.003)
metrics.CONNECTIONS.labels("7").set(sockets)
print(os.getpid())
"""


def test_two_processes_are_summed_and_a_dead_one_leaves_only_its_counts(
    client: FlaskClient, app: APIFlask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def process(requests: int, sockets: int) -> int:
        done = subprocess.run(
            [sys.executable, "-c", WORKER, str(requests), str(sockets)],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return int(done.stdout)

    first = process(2, 10)
    process(3, 5)
    shared = app.config["NOC_SETTINGS"].model_copy(
        update={"prometheus_multiproc_dir": str(tmp_path)}
    )
    monkeypatch.setitem(app.config, "NOC_SETTINGS", shared)
    samples = scrape(client)
    where = {"endpoint": "/somewhere/"}
    assert value(samples, "noc_api_requests_total", **where, status="200") == 5
    assert value(samples, "noc_api_latency_seconds_count", **where) == 5
    assert value(samples, "noc_api_latency_seconds_bucket", **where, le="0.005") == 5
    assert value(samples, "noc_api_latency_seconds_bucket", **where, le="0.001") == 0
    assert value(samples, "noc_websocket_connections_active", tenant_id="7") == 15
    assert value(samples, "noc_queue_depth", queue="scoring") == 0

    multiprocess.mark_process_dead(first, path=str(tmp_path))
    samples = scrape(client)
    assert value(samples, "noc_websocket_connections_active", tenant_id="7") == 5
    assert value(samples, "noc_api_requests_total", **where, status="200") == 5

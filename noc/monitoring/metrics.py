"""The Prometheus metrics, by the names that dashboards and alarms rely on."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

API_REQUESTS = Counter("noc_api_requests_total", "API requests", ["endpoint", "status"])
API_LATENCY = Histogram("noc_api_latency_seconds", "API latency", ["endpoint"], buckets=_FAST)
TELEMETRY_REQUESTS = Counter(
    "noc_telemetry_api_requests_total", "Telemetry API requests", ["endpoint", "status"]
)
TELEMETRY_LATENCY = Histogram(
    "noc_telemetry_api_latency_seconds", "Telemetry API latency", ["endpoint"], buckets=_FAST
)
CACHE_REQUESTS = Counter("noc_cache_requests_total", "Cached answers asked for", ["result"])
INGESTED = Counter("noc_ingested_total", "Items taken in", ["kind", "status"])
ML_PREDICTIONS = Counter(
    "noc_ml_predictions_total", "Punches scored", ["model_type", "version", "risk_level"]
)
ML_PREDICTION_LATENCY = Histogram(
    "noc_ml_prediction_latency_seconds",
    "Scoring of one batch",
    ["model_type"],
    buckets=_FAST,
)
FRAUD_DETECTIONS = Counter("noc_fraud_detections_total", "Anomalies recorded", ["severity"])
FRAUD_TICKETS = Counter("noc_fraud_tickets_created_total", "Fraud tickets opened")
FINDINGS = Counter("noc_audit_findings_total", "Findings stored", ["finding_type", "severity"])
AUDIT_CYCLE = Histogram(
    "noc_audit_cycle_seconds",
    "One audit cycle of one tenant",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
EVENTS_LOGGED = Counter("noc_events_logged_total", "Events written to the log", ["event_type"])
BROADCASTS = Counter(
    "noc_websocket_broadcasts_total", "Events pushed on the feed", ["event_type", "success"]
)
BROADCAST_LATENCY = Histogram(
    "noc_websocket_broadcast_latency_seconds",
    "From the event's commit to the sockets",
    ["event_type"],
    buckets=_FAST,
)
CONNECTIONS = Gauge(
    "noc_websocket_connections_active",
    "Open feed sockets",
    ["tenant_id"],
    multiprocess_mode="livesum",
)
RATE_LIMITED = Counter("noc_rate_limit_hits_total", "Requests or pushes held back", ["what"])
NOTIFICATIONS_QUEUED = Counter(
    "noc_notifications_queued_total", "Notifications stored for sending", ["kind"]
)
NOTIFICATIONS = Counter(
    "noc_notifications_total", "Attempts to send a notification", ["channel", "outcome"]
)
NOTIFICATION_LATENCY = Histogram(
    "noc_notification_latency_seconds",
    "From the event to the delivery that was taken",
    ["channel"],
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0),
)
ESCALATIONS = Counter(
    "noc_escalations_total",
    "Escalations that begun, steps that told somebody or nobody, and how they ended",
    ["outcome"],
)
FAILURES = Counter("noc_failures_total", "Caught failures that degraded an answer", ["where"])

"""Every setting of the product: typed, documented, settable by environment.

Each field is an environment variable of the same name in upper case. Those marked
``tenant`` can be overridden for a tenant (and, where it makes sense, a site) through
``noc.identity.tenant_settings``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from noc.domain import Severity
from noc.smtp_url import read_smtp_url

INSTANCE_FILE = "instance.json"
OWNER_FILE = "owner.json"

TENANT: JsonDict = {"tenant": True}
"""Marks a setting that a tenant may override."""


class ModelGate(BaseModel):
    """What a new model must reach on the last window of time: precision, recall, F1, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    precision: float = Field(default=0.85, ge=0, le=1)
    recall: float = Field(default=0.75, ge=0, le=1)
    f1: float = Field(default=0.80, ge=0, le=1)


class Settings(BaseSettings):
    """The process's settings. Construct through :func:`load_settings`."""

    # An error names the setting and not its content, which may be a secret.
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    # -- where things are -------------------------------------------------------------------
    noc_data_dir: Path = Field(
        Path("var"), description="Folder of the instance: embedded services, logs, secret key."
    )
    database_url: str = Field(
        "", description="PostgreSQL as the application role; empty: the instance's own."
    )
    database_admin_url: str = Field(
        "", description="PostgreSQL as the owner, for migrations and partitions only."
    )
    redis_url: str = Field("", description="Redis; empty: the instance's own.")
    ml_models_dir: Path = Field(
        Path("ml_models"), description="Local cache of model artefacts, checked by SHA-256."
    )

    # -- the web process --------------------------------------------------------------------
    secret_key: str = Field("", description="Signs sessions; generated for an embedded instance.")
    session_hours: int = Field(
        12, ge=1, le=8_760, description="A sign-in lasts this long, in hours."
    )
    session_cookie_secure: bool = Field(
        False, description="Send cookies over TLS only; set behind a TLS proxy."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins besides the own host that may open the feed with a session."
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=16,
        description="Reverse proxies in front whose X-Forwarded-* headers are believed.",
    )
    web_threads: int = Field(128, ge=8, le=4_096, description="Threads of the web process.")
    web_processes: int = Field(
        1, ge=1, le=256, description="Web processes (each with web_threads)."
    )
    max_body_bytes: int = Field(
        16 * 1024 * 1024, ge=1024, le=1024**3, description="Largest request body, in bytes."
    )
    max_batch_items: int = Field(
        1000, ge=1, le=100_000, description="Largest batch of punches or of signals, in items."
    )
    database_pool_size: int = Field(
        16, ge=1, le=1_000, description="Open connections kept, per process."
    )
    log_format: Literal["json", "console"] = Field("json", description="How logs are written.")
    log_level: str = Field("INFO", description="Least severe log line that is written.")
    prometheus_multiproc_dir: str = Field(
        "", description="Folder where processes share their metrics; empty: one process."
    )

    # -- the feed ---------------------------------------------------------------------------
    websocket_enabled: bool = Field(True, description="Serve the feed.", json_schema_extra=TENANT)
    websocket_rate_limit: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="Events pushed per minute and tenant.",
        json_schema_extra=TENANT,
    )
    websocket_heartbeat_seconds: float = Field(
        20.0, gt=0, le=3_600, description="Feed heartbeat, seconds."
    )
    websocket_max_connections: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Feed sockets per web process; 0: three quarters of web_threads.",
    )

    event_retention_days: int = Field(
        30,
        ge=1,
        le=3_650,
        description="The event log is kept this long, days.",
        json_schema_extra=TENANT,
    )

    # -- caches -----------------------------------------------------------------------------
    telemetry_cache_ttl: int = Field(
        60, ge=0, le=86_400, description="Telemetry answers, seconds.", json_schema_extra=TENANT
    )
    fraud_cache_ttl: int = Field(
        300, ge=0, le=86_400, description="Fraud answers, seconds.", json_schema_extra=TENANT
    )

    # -- ingest -----------------------------------------------------------------------------
    clock_skew_minutes: int = Field(
        5, ge=0, le=10_080, description="How far in the future a phone's clock may be, minutes."
    )
    clock_oldest_days: int = Field(
        400,
        ge=1,
        le=36_500,
        description="Oldest punch or signal taken over the API, days; imports take any.",
    )

    # -- fraud ------------------------------------------------------------------------------
    predictive_fraud_enabled: bool = Field(
        True, description="Use the model; off leaves the rules.", json_schema_extra=TENANT
    )
    fraud_score_ticket_threshold: float = Field(
        0.80, ge=0, le=1, description="Score that opens a ticket.", json_schema_extra=TENANT
    )
    fraud_deduplication_hours: float = Field(
        24,
        gt=0,
        le=8_760,
        description="One open fraud ticket per person and type, hours.",
        json_schema_extra=TENANT,
    )
    ml_model_min_training_samples: int = Field(
        500,
        ge=1,
        le=10_000_000,
        description="Labels needed before a model activates itself.",
        json_schema_extra=TENANT,
    )
    ml_model_validation_thresholds: ModelGate = Field(
        ModelGate(),
        description="The gate a new model must pass.",
        json_schema_extra=TENANT,
    )
    fraud_reviews_per_day: int = Field(
        40,
        ge=1,
        le=10_000,
        description="Punches a day that people review; a twentieth of them are random audits.",
        json_schema_extra=TENANT,
    )

    # -- alerts -----------------------------------------------------------------------------
    alert_acknowledged_minutes_critical: int = Field(
        30,
        ge=1,
        le=10_080,
        description="A CRITICAL alert's acknowledgement lapses after, minutes.",
        json_schema_extra=TENANT,
    )
    alert_acknowledged_minutes_high: int = Field(
        120,
        ge=1,
        le=10_080,
        description="A HIGH alert's acknowledgement lapses after, minutes.",
        json_schema_extra=TENANT,
    )
    alert_acknowledged_minutes_other: int = Field(
        480,
        ge=1,
        le=10_080,
        description="Any other alert's acknowledgement lapses after, minutes.",
        json_schema_extra=TENANT,
    )
    alert_expiry_days: int = Field(
        7,
        ge=1,
        le=366,
        description="An alert not heard of again, and nobody's work, expires after, days.",
        json_schema_extra=TENANT,
    )

    # -- audit, baselines, correlation, tickets ---------------------------------------------
    audit_finding_ticket_severities: Annotated[tuple[Severity, ...], NoDecode] = Field(
        ("CRITICAL", "HIGH"), description="Findings that open a ticket.", json_schema_extra=TENANT
    )
    audit_pulse_minutes: int = Field(
        15,
        ge=1,
        le=240,
        description="Something is heard of whoever is on duty this often, minutes; a beat missed "
        "is a finding.",
        json_schema_extra=TENANT,
    )
    ticket_deduplication_hours: float = Field(
        4,
        gt=0,
        le=8_760,
        description="One open ticket per finding type and site, hours.",
        json_schema_extra=TENANT,
    )
    ticket_due_hours_high: float = Field(
        4,
        gt=0,
        le=8_760,
        description="A ticket of priority HIGH is to be done within, hours.",
        json_schema_extra=TENANT,
    )
    ticket_due_hours_medium: float = Field(
        24,
        gt=0,
        le=8_760,
        description="A ticket of priority MEDIUM is to be done within, hours.",
        json_schema_extra=TENANT,
    )
    ticket_due_hours_low: float = Field(
        72,
        gt=0,
        le=8_760,
        description="A ticket of priority LOW is to be done within, hours.",
        json_schema_extra=TENANT,
    )
    correlation_window_minutes: int = Field(
        15,
        ge=1,
        le=1_440,
        description="Alerts this close to a signal may belong to it, minutes.",
        json_schema_extra=TENANT,
    )
    baseline_fp_threshold: float = Field(
        0.3,
        ge=0,
        le=1,
        description="False-positive rate beyond which a baseline turns tolerant.",
        json_schema_extra=TENANT,
    )
    baseline_stable_sample_count: int = Field(
        100,
        ge=30,
        le=1_000_000,
        description="Samples beyond which a baseline turns sensitive.",
        json_schema_extra=TENANT,
    )
    baseline_default_threshold: float = Field(
        3.0,
        ge=1.5,
        le=5,
        description="Threshold in standard deviations.",
        json_schema_extra=TENANT,
    )
    baseline_sensitive_threshold: float = Field(
        2.5,
        ge=1.5,
        le=5,
        description="Threshold of a well-fed baseline.",
        json_schema_extra=TENANT,
    )
    baseline_conservative_threshold: float = Field(
        4.0,
        ge=1.5,
        le=5,
        description="Threshold of a baseline with many false positives.",
        json_schema_extra=TENANT,
    )

    # -- what leaves the machine ------------------------------------------------------------
    smtp_url: str = Field(
        "", description="smtp://user:password@host:port, percent-encoded, for mail; empty: none."
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description="Where users reach the pages, for links in notifications; empty: no links.",
    )
    notification_private_targets: bool = Field(
        False, description="Let webhooks reach private and loopback addresses."
    )

    @field_validator("allowed_origins", "audit_finding_ticket_severities", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("smtp_url")
    @classmethod
    def _can_be_read(cls, value: str) -> str:
        if value:
            read_smtp_url(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings


def load_settings(**overrides: Any) -> Settings:
    """Read the environment; where it names no services, use those of the running instance.

    A running ``noc up`` writes ``instance.json`` into its data folder with the addresses of
    its embedded services; every command given the same folder talks to them. The owner's
    address is not among them: what migrates or makes partitions asks :func:`owner_url`.
    """
    settings = Settings(**overrides)
    instance = read_instance(settings.noc_data_dir)
    fill = {
        name: instance[name]
        for name in ("database_url", "redis_url", "secret_key", "prometheus_multiproc_dir")
        if instance.get(name) and not getattr(settings, name)
    }
    return settings.model_copy(update=fill)


def read_instance(data_dir: Path) -> dict[str, Any]:
    """What ``noc up`` wrote about the instance in ``data_dir``; empty where none ever ran."""
    try:
        content = json.loads((data_dir / INSTANCE_FILE).read_text())
    except FileNotFoundError:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"{data_dir / INSTANCE_FILE} is not a JSON object")
    return content


def owner_url(settings: Settings) -> str:
    """PostgreSQL as the owner: ``DATABASE_ADMIN_URL``, else the running instance's; or empty.

    For migrations and partitions only.
    """
    return settings.database_admin_url or read_owner_url(settings.noc_data_dir)


def read_owner_url(data_dir: Path) -> str:
    """The owner's address that ``noc up`` wrote, in a file apart from what everyone reads."""
    try:
        return str(json.loads((data_dir / OWNER_FILE).read_text())["database_admin_url"])
    except FileNotFoundError:
        return ""


TENANT_SETTINGS: dict[str, Any] = {
    name: field
    for name, field in Settings.model_fields.items()
    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("tenant")
}
"""The settings a tenant may override, by name."""

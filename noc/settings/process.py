"""Settings of the processes: where things are, and what the web process and the feed may take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import NoDecode

from noc.settings.markers import TENANT, split_commas
from noc.smtp_url import read_smtp_url


class ProcessSettings(BaseModel):
    """What whoever runs the machines decides."""

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

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return split_commas(value)

    @field_validator("smtp_url")
    @classmethod
    def _can_be_read(cls, value: str) -> str:
        if value:
            read_smtp_url(value)
        return value

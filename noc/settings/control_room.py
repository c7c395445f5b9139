"""Settings of the control room: when something is suspicious, late or over."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode

from noc.domain import Severity
from noc.settings.markers import TENANT, split_commas


class ModelGate(BaseModel):
    """What a new model must reach on the last window of time: precision, recall, F1, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    precision: float = Field(default=0.85, ge=0, le=1)
    recall: float = Field(default=0.75, ge=0, le=1)
    f1: float = Field(default=0.80, ge=0, le=1)


class ControlRoomSettings(BaseModel):
    """What whoever runs the control room decides; each may differ from tenant to tenant."""

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

    @field_validator("audit_finding_ticket_severities", mode="before")
    @classmethod
    def _split_severities(cls, value: Any) -> Any:
        return split_commas(value)

"""What Alertmanager's webhook sends, version 4.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from noc.rest.body import Identifier

Words = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class AlertmanagerAlert(BaseModel):
    """One alert of a group. Labels and annotations are text by name."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["firing", "resolved"]
    fingerprint: Identifier = Field(description="Of the labels: the same trouble has the same.")
    labels: dict[Words, Words] = Field(default_factory=dict)
    annotations: dict[Words, Words] = Field(default_factory=dict)
    # Not read strictly: an alert whose time cannot be read is an alert all the same.
    startsAt: str = Field("", description="ISO 8601; now, where it cannot be believed.")
    endsAt: str = ""
    generatorURL: Words = ""


ALERTS = TypeAdapter(list[AlertmanagerAlert])


class AlertmanagerIn(BaseModel):
    """A group of alerts. What is wrong with one alert is said of that one alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: Literal["4"]
    alerts: list[Any] = Field(description="Each as AlertmanagerAlert.")
    receiver: Words = ""
    externalURL: Words = ""
    truncatedAlerts: int = Field(0, ge=0, description="Left out by the sender's `max_alerts`.")

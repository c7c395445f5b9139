"""Every setting of the product: typed, documented, settable by environment.

Each field is an environment variable of the same name in upper case. Those marked
``tenant`` can be overridden for a tenant (and, where it makes sense, a site) through
``noc.identity.tenant_settings``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from noc.settings.control_room import ControlRoomSettings, ModelGate
from noc.settings.process import ProcessSettings

__all__ = [
    "INSTANCE_FILE",
    "OWNER_FILE",
    "TENANT_SETTINGS",
    "ModelGate",
    "Settings",
    "load_settings",
    "owner_url",
    "read_instance",
    "read_owner_url",
]

INSTANCE_FILE = "instance.json"
OWNER_FILE = "owner.json"


class Settings(ControlRoomSettings, ProcessSettings, BaseSettings):
    """The process's settings. Construct through :func:`load_settings`."""

    # An error names the setting and not its content, which may be a secret.
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

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

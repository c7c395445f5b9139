"""How settings are marked, and how those that are lists may be written."""

from __future__ import annotations

from typing import Any

from pydantic.config import JsonDict

TENANT: JsonDict = {"tenant": True}
"""Marks a setting that a tenant may override."""


def split_commas(value: Any) -> Any:
    """``a, b`` as the environment has it, as a tuple."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value

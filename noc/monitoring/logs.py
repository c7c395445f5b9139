"""Structured logs: one JSON object a line, with request and job ids, from every library alike."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog
from flask import Flask

from noc.settings import Settings

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

_SECRET_NAMES = re.compile(r"password|secret|authorization|cookie|api_?key|^token$", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"noc_[A-Za-z0-9_-]{40,}|(?<=[Bb]earer )\S+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)
_MASK = "***"


def mask_secrets(_: Any, __: str, line: dict[str, Any]) -> dict[str, Any]:
    """Keep secrets out of the line: values named for one, tokens, passwords in addresses.

    A net below those who write log lines, for what a library or an error message lets slip.
    """
    return {
        name: _MASK if _SECRET_NAMES.search(name) else _masked(value)
        for name, value in line.items()
    }


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(_MASK, value)
    if isinstance(value, dict):
        return mask_secrets(None, "", value)
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


def init_app(_: Flask, config: Settings) -> None:
    """Set up logging for the process of the app."""
    configure(config)


def configure(config: Settings) -> None:
    """Send structlog's and every library's lines to standard error in one format."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: list[Any] = (
        [
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.processors.JSONRenderer(default=str),
        ]
        if config.log_format == "json"
        else [mask_secrets, structlog.dev.ConsoleRenderer()]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
    root = logging.getLogger()
    for handler in [h for h in root.handlers if getattr(h, "noc", False)]:
        root.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.noc = True  # type: ignore[attr-defined]
    handler.setFormatter(formatter)
    root.addHandler(handler)
    root.setLevel(config.log_level.upper())

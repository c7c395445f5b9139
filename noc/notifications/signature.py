"""How a webhook proves that it is from us, and when it was sent."""

from __future__ import annotations

import hashlib
import hmac
import secrets

HEADER = "X-NOC-Signature"
DELIVERY_HEADER = "X-NOC-Delivery"
"""The delivery's id: the same however often it is sent, so that a receiver can tell repetitions."""

_PREFIX = "noc_signing_"
"""Begins like every secret of ours, so that the log's mask knows it (``noc.monitoring.logs``)."""


def new_secret() -> str:
    """A signing secret of 256 random bits."""
    return _PREFIX + secrets.token_urlsafe(32)


def sign(secret: str, body: bytes, unix_time: int) -> str:
    """The header's value: ``t=<unix time>,v1=<hex HMAC-SHA256 of "<t>.<body>">``."""
    signed = str(unix_time).encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={unix_time},v1={digest}"

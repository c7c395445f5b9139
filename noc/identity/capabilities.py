"""What one may do, and the roles that bundle it."""

from __future__ import annotations

VIEW = "noc:view"
OPERATE = "noc:operate"
INGEST = "noc:ingest"
FRAUD_VIEW = "security:fraud:view"
FRAUD_REVIEW = "security:fraud:review"
ML_TRAIN = "ml:train"
ADMIN = "admin"
PLATFORM = "platform"

_VIEWER = frozenset({VIEW})
_OPERATOR = _VIEWER | {OPERATE}
_MANAGER = _OPERATOR | {FRAUD_VIEW, FRAUD_REVIEW}
_ADMIN = _MANAGER | {ML_TRAIN, ADMIN}

ROLES: dict[str, frozenset[str]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "security_manager": _MANAGER,
    "admin": _ADMIN,
    "platform_admin": _ADMIN | {PLATFORM},
}
"""Capabilities by role; each role holds those of the one before it."""

TOKEN_CAPABILITIES = frozenset({*_ADMIN, INGEST})
"""What an API token may carry."""

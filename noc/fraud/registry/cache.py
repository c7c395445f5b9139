"""The local copy of artefacts in ``ml_models/``: only ever a convenience, checked each time."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

import structlog

from noc.database.base import new_uuid
from noc.extensions import settings
from noc.fraud.registry.artefact import digest
from noc.monitoring import metrics

log = structlog.get_logger(__name__)

KEPT_DAYS = 30
"""A file that no process loaded for so long is removed."""

_NAME = r"tenant-\d+-.+-[0-9a-f]{16}\.json"
_OWN = re.compile(rf"{_NAME}|\.{_NAME}\.[0-9a-f]{{32}}")
"""Names of this cache: files, and drafts of processes that were killed."""


def load(tenant_id: int, version: str, sha256: str) -> bytes | None:
    """The bytes with this digest, or None. A file that has other bytes is removed."""
    path = _path(tenant_id, version, sha256)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("model_cache_unreadable", file=path.name, error=error.strerror)
        return None
    if digest(data) == sha256:
        # When it was used last, for _sweep; where that cannot be written, it is fetched again.
        with suppress(OSError):
            os.utime(path)
        return data
    metrics.FAILURES.labels("model_cache").inc()
    log.warning("model_cache_corrupted", file=path.name)
    drop(tenant_id, version, sha256)
    return None


def keep(tenant_id: int, version: str, sha256: str, data: bytes) -> None:
    """Keep the bytes for the next process; whoever reads sees the whole file or none.

    A folder that cannot be written is logged and costs nothing but the next load. What nobody
    used for KEPT_DAYS is removed: other hosts prune versions, tenants go, processes are killed.
    """
    path = _path(tenant_id, version, sha256)
    draft = path.with_name(f".{path.name}.{new_uuid().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        log.warning("model_cache_unwritable", file=path.name, error=error.strerror)
        with suppress(OSError):
            draft.unlink()
    _sweep(path.parent)


def drop(tenant_id: int, version: str, sha256: str) -> None:
    """Forget the file, if there is one."""
    try:
        _path(tenant_id, version, sha256).unlink(missing_ok=True)
    except OSError as error:
        log.warning("model_cache_unwritable", error=error.strerror)


def _sweep(folder: Path) -> None:
    """Remove the cache's own files, drafts too, that were not used for KEPT_DAYS."""
    oldest = time.time() - KEPT_DAYS * 86_400
    with suppress(OSError):
        for file in list(folder.iterdir()):
            # Another process may sweep at the same time, or use the file this very moment.
            with suppress(OSError):
                if _OWN.fullmatch(file.name) and file.stat().st_mtime < oldest:
                    file.unlink()


def _path(tenant_id: int, version: str, sha256: str) -> Path:
    # The digest keeps instances apart that share the folder.
    return settings().ml_models_dir / f"tenant-{tenant_id}-{version}-{sha256[:16]}.json"

"""Which models speak for a tenant now: asked of the registry with every batch.

One small query, in the transaction that scores: an activation is in force on every worker with the
next batch that begins after it, without a restart or a message. What is loaded stays in memory.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import select, text

from noc.extensions import session
from noc.fraud.registry import cache
from noc.fraud.registry.artefact import BrokenArtefact, Registered, unpack, whole
from noc.fraud.registry.models import FraudModel

log = structlog.get_logger(__name__)

IN_MEMORY = 128
"""Models that a process keeps loaded: 32 tenants, each with an active one and three shadows.

A process that scores for more of them would load each model anew with every batch. A model of the
demo takes 0.37 MB (0.55 MB of bytes), as measured: a full memory some 50 MB.
"""

BROKEN_SECONDS = 60.0
"""So long an artefact that is no model is not read again; a mended registry is believed then."""

_SPEAKING = text(
    """
    SELECT id, version, artefact_sha256, is_active FROM fraud_detection_model
    WHERE tenant_id = :tenant AND status IN ('active', 'shadow') ORDER BY created_at DESC
    """
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A version as the registry lists it."""

    id: uuid.UUID
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Who scores, and who watches, newest first. ``broken`` names versions that cannot be used."""

    active: Registered | None = None
    shadows: tuple[Registered, ...] = ()
    broken: tuple[str, ...] = ()


_Key = tuple[int, uuid.UUID, str]

_loaded: OrderedDict[_Key, Registered] = OrderedDict()
_broken: dict[_Key, tuple[float, str]] = {}
"""Until when (monotonic clock) an artefact is known to be broken, and why."""

_lock = threading.Lock()


def speakers(tenant_id: int) -> Loaded:
    """The models of a tenant, loaded. One that cannot be loaded is named, never an exception."""
    active: Registered | None = None
    shadows: list[Registered] = []
    broken: list[str] = []
    for row in session().execute(_SPEAKING, {"tenant": tenant_id}):
        entry = Entry(row.id, row.version, row.artefact_sha256)
        try:
            model = load(tenant_id, entry)
        except BrokenArtefact:
            broken.append(row.version)
            continue
        if row.is_active:
            active = model
        else:
            shadows.append(model)
    return Loaded(active, tuple(shadows), tuple(broken))


def load(tenant_id: int, entry: Entry) -> Registered:
    """The model from memory, else from the local file, else from the registry, which heals both.

    :class:`BrokenArtefact` where the registry's own bytes are not what was registered: logged
    when it is found, and for BROKEN_SECONDS said again without reading them.
    """
    # The version too: trained twice on the same labels, two of them have the same bytes.
    key = (tenant_id, entry.id, entry.sha256)
    with _lock:
        if key in _loaded:
            _loaded.move_to_end(key)
            return _loaded[key]
        until, reason = _broken.get(key, (0.0, ""))
    if monotonic() < until:
        raise BrokenArtefact(reason)
    try:
        model = _read(tenant_id, entry)
    except BrokenArtefact as error:
        log.error("model_not_loaded", model_version=entry.version, error=str(error))
        _remember_broken(key, str(error))
        raise
    with _lock:
        _loaded[key] = model
        _broken.pop(key, None)
        while len(_loaded) > IN_MEMORY:
            _loaded.popitem(last=False)
    return model


def forget() -> None:
    """Forget what is in memory, as a process that starts."""
    with _lock:
        _loaded.clear()
        _broken.clear()


def _remember_broken(key: _Key, reason: str) -> None:
    now = monotonic()
    with _lock:
        for old in [one for one, (until, _) in _broken.items() if until <= now]:
            del _broken[old]
        _broken[key] = (now + BROKEN_SECONDS, reason)


def _read(tenant_id: int, entry: Entry) -> Registered:
    data = cache.load(tenant_id, entry.version, entry.sha256)
    if data is None:
        data = _from_registry(tenant_id, entry)
        cache.keep(tenant_id, entry.version, entry.sha256, data)
    return Registered(entry.id, entry.version, unpack(data))


def _from_registry(tenant_id: int, entry: Entry) -> bytes:
    data: Any = session().scalar(
        select(FraudModel.artefact).where(
            FraudModel.tenant_id == tenant_id, FraudModel.id == entry.id
        )
    )
    if data is None:
        raise BrokenArtefact("its artefact is no longer kept")
    return whole(data, entry.sha256)

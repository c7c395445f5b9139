"""What a client says of itself: only what it looks at.

Its name, and whether it may see what it says it looks at, are the server's to know.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from noc.events.presence import Presence
from noc.events.subscribers import Subscriber
from noc.events.targets import find_place

BURST, PER_SECOND = 5.0, 1.0
"""What a client may say: so much at once, and so much a second after that."""

_TOO_MANY = 100.0
"""A client that has said so much more than it may is flooding."""


class Allowance:
    """How much a client may still say: a bucket that fills by the second."""

    def __init__(self) -> None:
        self._left = BURST
        self._at = time.monotonic()

    def spend(self) -> bool:
        """Take one; False where there is none."""
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        self._left -= 1.0
        return self._left >= 0

    @property
    def flooded(self) -> bool:
        """Whether the client says far more than it may."""
        return self._left < -_TOO_MANY


class Speaker:
    """One client: what it says of itself, published under its own key."""

    def __init__(self, presence: Presence, subscriber: Subscriber) -> None:
        self._presence, self._subscriber = presence, subscriber
        self._key = uuid.uuid4().hex
        self._allowance = Allowance()
        self._shown = False
        self._joined = False

    @property
    def flooded(self) -> bool:
        """Whether the client says far more than it may."""
        return self._allowance.flooded

    def hear(self, target: Any) -> None:
        """The client looks at ``target`` (``alert:7``), or at nothing; what it may not is ignored.

        Whoever has said so once, be it nothing, is told of the others from then on.
        """
        if not self._allowance.spend():
            return
        badge = self._subscriber.badge
        if badge is None or badge.principal.user_id is None:
            return
        if not self._joined:
            self._joined = True
            self._presence.join(self._subscriber)
        place = find_place(target)
        if place is None or not badge.principal.sees_site(place.site_id):
            self.leave_target()
            return
        self._shown = True
        self._presence.publish(
            tenant=badge.principal.tenant_id,
            key=self._key,
            target=target,
            site=place.site_id,
            user=badge.principal.user_id,
            name=badge.principal.name,
        )

    def leave_target(self) -> None:
        """It looks at nothing any more."""
        if self._shown:
            self._shown = False
            tenant_id = self._subscriber.subscription.tenant_id
            self._presence.publish(tenant=tenant_id, key=self._key, target=None)

    def leave(self) -> None:
        """The connection is over."""
        if self._joined:
            self._presence.leave(self._subscriber)
        self.leave_target()

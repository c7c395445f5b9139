"""Two at the same thing: whoever saves what they have not seen is told, and nothing is lost.

A form sends all its fields back, also those that somebody else has changed since it was opened.
It says which version it was filled from; under the row's lock that is compared with what there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_jsonable_python

from noc.identity import trail
from noc.identity.trail import Target
from noc.rest.problems import Problem

Version = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


def version_of(state: Mapping[str, Any]) -> str:
    """A short name for a state: the same for the same values, whenever and however often."""
    text = json.dumps(to_jsonable_python(dict(state)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check(seen: str | None, state: Mapping[str, Any], target: Target) -> None:
    """409 where ``state``, read under a lock, is not the version that was ``seen``.

    None for who acts whatever it has become. Says who changed it last, as the trail has it, and
    as ``remedy`` what to do.
    """
    current = version_of(state)
    if seen is None or seen == current:
        return
    last = trail.latest(target)
    who = f"{last.actor} changed {target.name} at {last.at:%H:%M} UTC" if last else (
        f"{target.name} has changed"
    )  # fmt: skip
    remedy = (
        f"Read {target.name} again; to put yours in its place all the same, send current_version "
        "as version."
    )
    raise Problem(409, f"{who}, after you looked.", current_version=current, remedy=remedy)

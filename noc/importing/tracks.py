"""Tracks become the phone signals of one person."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from sqlalchemy import or_, select

from noc.extensions import session
from noc.importing.loading import Reader
from noc.rest.cells import Line
from noc.rest.keyset import BIGGEST_ID
from noc.workforce.models import Person


def as_signals(read: Reader, person_id: int) -> Reader:
    """The reader with its fixes as location signals of the person.

    A fix's external id is made of the person, its moment, its place among the fixes of that
    moment in the file, and its content: a file imported twice stores nothing twice, and fixes
    of one moment keep the order of the file.
    """

    def signals(stream: BinaryIO) -> Iterator[Line]:
        seen: Counter[dt.datetime] = Counter()
        for line in read(stream):
            yield Line(line.number, _signal(line.item, person_id, seen))

    return signals


def _signal(item: Any, person_id: int, seen: Counter[dt.datetime]) -> Any:
    if not isinstance(item, dict):
        return item
    signal = {"kind": "location", "person_id": person_id} | item
    moment = item.get("occurred_at")
    if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
        content = f"{item.get('lat')},{item.get('lon')},{item.get('accuracy')}"
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        stamp = f"{moment.timestamp():.6f}"
        signal["external_id"] = f"track:{person_id}:{stamp}:{seen[moment]:04}:{digest}"
        seen[moment] += 1
    return signal


def resolve_person(name: str, *, tenant_id: int) -> int:
    """The id of the person with this id or code; LookupError where the tenant has none.

    Where one person's code is another's id, the code goes before.
    """
    by_id = Person.id == int(name) if name.isdecimal() and int(name) <= BIGGEST_ID else None
    matches = [Person.code == name] if by_id is None else [Person.code == name, by_id]
    found = session().scalar(
        select(Person.id)
        .where(Person.tenant_id == tenant_id, or_(*matches))
        .order_by((Person.code == name).desc())
        .limit(1)
    )
    if found is None:
        raise LookupError(f"there is no person {name!r} in this tenant (give an id or a code)")
    return found

"""Lists in the order their rows were made, a page at a time, for what has no moment to go by."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import Session

from noc.rest.envelope import DEFAULT_LIMIT, MAX_LIMIT
from noc.rest.keyset import BIGGEST_ID, ID_DIGITS


def _encode(key: int) -> str:
    return base64.urlsafe_b64encode(f"id:{key}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        kind, _, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).partition(b":")
    except (ValueError, binascii.Error):
        kind, key = b"", b""
    if kind != b"id" or not key.isdigit() or len(key) > ID_DIGITS or int(key) > BIGGEST_ID:
        raise ValueError("was not given out by this list")
    return cursor


QueryId = Annotated[int, Field(gt=0, le=BIGGEST_ID)]
"""An id as a filter."""


class ListQuery(BaseModel):
    """The query of a list; a filter that the list does not have is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Rows a page.")
    cursor: Annotated[str, AfterValidator(_decode)] | None = Field(
        None, description="`next_cursor` of the page before."
    )

    def filters(self) -> dict[str, Any]:
        """What was asked for beyond the page."""
        return self.model_dump(exclude={"limit", "cursor"}, exclude_none=True)


def page_by_id(
    session: Session, query: Select[Any], key: ColumnElement[int] | Any, asked: ListQuery
) -> tuple[Sequence[Any], dict[str, Any]]:
    """One page of ``query`` in the order of ``key``, and the ``pagination`` of the answer.

    Each row's first element has the ``id`` that ``key`` names.
    """
    if asked.cursor:
        padded = asked.cursor + "=" * (-len(asked.cursor) % 4)
        query = query.where(key > int(base64.urlsafe_b64decode(padded).partition(b":")[2]))
    rows = session.scalars(query.order_by(key).limit(asked.limit + 1)).all()
    page = rows[: asked.limit]
    after = _encode(page[-1].id) if len(rows) > asked.limit else None
    return page, {"next_cursor": after, "limit": asked.limit}

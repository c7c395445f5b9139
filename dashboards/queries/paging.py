"""Lists in an order of their own, a page at a time and flat in cost however far one turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import aliased


def behind(
    query: Select[Any], model: Any, place: Callable[[Any], tuple[Any, ...]], after: int | None
) -> Select[Any]:
    """``query`` in the order of ``place``, from behind the row whose id is ``after``."""
    if after is not None:
        last = aliased(model, name="last")
        query = query.join(last, (last.tenant_id == model.tenant_id) & (last.id == after))
        query = query.where(tuple_(*place(model)) > tuple_(*place(last)))
    return query.order_by(*place(model))

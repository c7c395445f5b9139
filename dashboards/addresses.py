"""What stands behind the question mark of a page's address."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from pydantic import Field

Address = Annotated[str | None, Field(max_length=4000)]


def query_of(search: str | None) -> dict[str, str]:
    """The names and values of ``?part=sites&page=2``; of a name that comes twice the last."""
    return {name: values[-1] for name, values in parse_qs((search or "").lstrip("?")).items()}

"""Where the feed and the log of a house are, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

Frame = dict[str, Any]

FEED_PATH = "/ws/noc/dashboard/"
LOG_PATH = "/api/v2/noc/events/"


class FeedRefused(Exception):
    """The server does not want this client, and trying again would not change that."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{detail} (HTTP {status})")
        self.status = status


def checked_address(url: str) -> str:
    """The address of a web process without its path; ValueError unless it is http or https."""
    parts = urlsplit(url)
    # Asked for its port, it raises ValueError for one that cannot be.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"{url!r} is not an address such as http://127.0.0.1:8000")
    return f"{parts.scheme}://{parts.netloc}"


def feed_address(base: str, query: str) -> str:
    """The address of the feed at ``base``, an http or https address."""
    return f"ws{base.removeprefix('http')}{FEED_PATH}{query}"


def query_string(
    types: Iterable[str] = (), site_ids: Iterable[int] = (), **numbers: int | None
) -> str:
    """The query of the feed or the log, with its question mark; empty where nothing is asked."""
    lists = {"types": ",".join(types), "site_id": ",".join(map(str, site_ids))}
    asked = {name: value for name, value in (lists | numbers).items() if value not in ("", None)}
    return f"?{urlencode(asked)}" if asked else ""


def refusal(status: int, body: bytes | bytearray | None) -> FeedRefused:
    """What the server says in its problem+json, field by field where it names any."""
    try:
        problem = json.loads(body or b"")
        reasons = [f"{one['field']}: {one['reason']}" for one in problem.get("errors", ())]
        detail = "; ".join(reasons) or str(problem["detail"])
    except (ValueError, KeyError, TypeError, AttributeError):
        detail = "the server refused"
    return FeedRefused(status, detail)

"""Reading the event log over REST."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from noc.feed_client.addresses import LOG_PATH, Frame, checked_address, query_string, refusal

PAGE = 500
_PATIENCE_SECONDS = 30.0
_LARGEST_REFUSAL = 64 * 1024


@dataclass(frozen=True, slots=True)
class LogReader:
    """The log of one tenant, as the token may see it.

    Each method raises FeedRefused where the server says no, 410 for events that are no longer
    kept among it, and OSError where it cannot be reached.
    """

    url: str
    token: str
    types: Sequence[str] = ()
    site_ids: Sequence[int] = ()

    def last(self, count: int) -> tuple[list[Frame], int]:
        """The newest ``count`` (1 to 500) events, oldest first, and the cursor to follow from."""
        frames, pagination = self._page(last=count)
        return frames, pagination["cursor"]

    def after(self, seq: int) -> Iterator[Frame]:
        """Every event after ``seq`` up to the end of the log as it is now."""
        until: int | None = None
        cursor: int | None = seq
        while cursor is not None:
            frames, pagination = self._page(after=cursor, limit=PAGE)
            until = pagination["last_seq"] if until is None else until
            yield from (frame for frame in frames if frame["seq"] <= until)
            cursor = pagination["next_cursor"]
            if pagination["cursor"] >= until:
                return

    def _page(self, **asked: int) -> tuple[list[Frame], Frame]:
        query = query_string(self.types, self.site_ids, **asked)
        request = Request(
            f"{checked_address(self.url)}{LOG_PATH}{query}",
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/json"},
        )
        try:
            # checked_address lets http and https through alone.
            with _OPENER.open(request, timeout=_PATIENCE_SECONDS) as answer:
                page = json.load(answer)
            return page["data"], page["pagination"]
        except HTTPError as error:
            with error:
                raise refusal(error.code, error.read(_LARGEST_REFUSAL)) from error
        except (HTTPException, URLError) as error:
            reason = getattr(error, "reason", None) or "no answer"
            raise OSError(f"{self.url}: {reason}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise OSError(f"{self.url}: what answers there is no event log") from error


class _NoRedirects(HTTPRedirectHandler):
    """The library would take the token along to wherever it is sent."""

    def redirect_request(self, *_: Any) -> None:
        """Let the 3xx be the answer."""


_OPENER = build_opener(_NoRedirects)

"""A client of the feed in one file, to copy: every event once, across cuts and restarts.

It needs `pip install websockets` and nothing of this project, since who reads the feed is another
machine's program. `noc feed --follow` does the same with more to say (`noc/feed_client`).

    NOC_TOKEN=noc_... python feed_client.py ws://127.0.0.1:8000/ws/noc/dashboard/ feed.cursor
"""

import json
import math
import os
import sys
import time
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

TRY_AGAIN = {429, 500, 502, 503, 504}


def follow(url, token, handle, cursor=0, keep=lambda cursor: None):
    """Call handle(frame) for each event after the cursor, once each, for ever.

    keep(cursor) is called as the cursor moves on: store it, and give it back after a restart of
    your own. An event is handled before the cursor passes it, so that a program that dies between
    the two is given it again: let handle() be one that may do so twice for the same event_id.
    """
    ahead = set()  # handled, but beyond the cursor: a resumed feed repeats them
    pause = 0.5
    while True:
        replay_at = math.inf
        try:
            with connect(
                f"{url}?after={cursor}",
                additional_headers={"Authorization": f"Bearer {token}"},
                compression=None,
            ) as feed:
                while (left := replay_at - time.monotonic()) > 0:
                    frame = json.loads(feed.recv(timeout=min(left, 65)))
                    pause = 0.5
                    if "event_id" in frame and frame["seq"] not in ahead:
                        handle(frame)
                        ahead.add(frame["seq"])
                    cursor = frame["cursor"]
                    ahead = {seq for seq in ahead if seq > cursor}
                    keep(cursor)
                    if frame["type"] == "rate_limited":  # stay for what is CRITICAL, then replay
                        replay_at = time.monotonic() + frame["retry_after_seconds"]
        except TimeoutError:  # time to replay, or three heartbeats did not come
            continue
        except InvalidStatus as refused:
            if refused.response.status_code not in TRY_AGAIN:  # such as 401: the token is no good
                raise
        except (ConnectionClosed, InvalidHandshake, OSError):
            pass
        time.sleep(pause)
        pause = min(2 * pause, 15)


def main():
    """Print each event; keep the cursor in a file, so that the next run goes on from there."""
    url, place = sys.argv[1], Path(sys.argv[2])
    cursor = int(place.read_text()) if place.exists() else 0

    def keep(cursor):
        place.with_suffix(".new").write_text(str(cursor))
        place.with_suffix(".new").replace(place)

    follow(url, os.environ["NOC_TOKEN"], lambda frame: print(json.dumps(frame)), cursor, keep)


if __name__ == "__main__":
    main()

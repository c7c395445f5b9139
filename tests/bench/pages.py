"""What a person waits for in a real browser: the first page, and a live page that keeps up."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests import chromium
from tests.bench.figures import Figure, percentile
from tests.bench.house import GUARDS, TENANT, House
from tests.bench.punches import punch

EMAIL, PASSWORD = "manager@bench.example", "a long night shift"
ALERTS = 400
PAGES = {
    "overview": ("overview", ".section"),
    "live feed": ("", ".ag-row"),
    "heatmap": ("heatmap", ".main-svg"),
    "alerts": ("alerts", ".ag-row"),
}
"""Where a page is, and what is there when its last part is drawn."""

TIMES = 5
RATE = 20.0
SECONDS = 30
LAST = "that ends the measurement"

# The page of the address stands, no part of it is a skeleton, and its table or chart is drawn.
_COMPLETE = """(mark) => {
    const page = document.querySelector('#page');
    return page && document.querySelector('#title')?.textContent
        && page.querySelector(mark) && !page.querySelector('.skeleton, .is-loading');
}"""

_WATCH = """() => {
    const seen = (window.benchFrames = { gaps: [], long: 0, last: performance.now() });
    const add = (list) => list.getEntries().forEach((one) => (seen.long += one.duration));
    new PerformanceObserver(add).observe({ type: 'longtask' });
    const frame = (now) => {
        seen.gaps.push(now - seen.last);
        seen.last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""


def first_page(house: House) -> list[Figure]:
    """Seconds to a page with all its parts in a browser that has nothing yet.

    From the press of "Sign in", and for somebody who is signed in already from the address alone.
    """
    _furnish(house)
    with _browser() as browser:
        floors = [_seconds(browser, None, partial(_sign_in_page, house)) for _ in range(TIMES)]
        floor = Figure("the sign-in page, p50", percentile(floors, 0.5), "s")
        figures = [floor]
        beside = {"floor": floor.value, "floor_name": floor.name}
        state = _session(house, browser)
        for name, (path, mark) in PAGES.items():
            pressed = [_from_the_press(house, browser, path, mark) for _ in range(TIMES)]
            opened = [
                _seconds(browser, state, partial(_open, house, path, mark)) for _ in range(TIMES)
            ]
            for how, seconds in (("from the press of Sign in", pressed), ("signed in", opened)):
                figures.append(
                    Figure(f"{name}, nothing cached, {how}, p50", percentile(seconds, 0.5), "s",
                           must="< 2", **beside)
                )  # fmt: skip
                figures.append(Figure(f"{name}, {how}, slowest of {TIMES}", max(seconds), "s"))
    return figures


def live_page(house: House) -> list[Figure]:
    """Gaps between frames of the live page at 20 alerts a second, beside the same page at rest."""
    _furnish(house)
    with _browser() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        _sign_in_page(house, page)
        page.get_by_role("button", name="Sign in").click()
        _complete(page, ".ag-row")
        time.sleep(3)
        rest, rest_long = _watched(page, lambda: time.sleep(SECONDS))
        began = time.monotonic()
        busy, busy_long = _watched(page, lambda: _alerts_at_the_rate(house))
        rate = RATE * SECONDS / (time.monotonic() - began)
        expect(page.get_by_text(LAST).first).to_be_visible()
        context.close()
    floor = {"floor": percentile(rest, 0.99), "floor_name": "the page at rest p99"}
    return [
        Figure("live page, alerts that were reported to it", rate, "/s"),
        Figure("live page at 20 events/s, gap between frames p50", percentile(busy, 0.5), "ms"),
        Figure("live page at 20 events/s, gap p99", percentile(busy, 0.99), "ms", **floor),
        Figure("live page at 20 events/s, longest gap", max(busy), "ms",
               floor=max(rest), floor_name="at rest, longest"),
        Figure("time in tasks over 50 ms", busy_long / SECONDS / 10, "%",
               floor=rest_long / SECONDS / 10, floor_name="at rest"),
    ]  # fmt: skip


@contextmanager
def _browser() -> Iterator[Browser]:
    program = chromium.program()
    assert program, f"none of {', '.join(chromium.PROGRAMS)} is on the PATH"
    with chromium.started(program) as browser:
        yield browser


def _furnish(house: House) -> None:
    """Somebody to sign in, and alerts to show. Both may be there from the benchmark before."""
    if EMAIL not in house.instance.noc("users", "list", "--tenant", TENANT):
        house.instance.noc(
            "users", "create", "--tenant", TENANT, "--email", EMAIL, "--name", "Bea Bench",
            "--role", "security_manager", "--password-stdin", input=PASSWORD,
        )  # fmt: skip
    connection = house.connection()
    for first in range(0, ALERTS, 50):
        _report(house, connection, [f"page-{first + n}" for n in range(50)])
    for n in range(GUARDS):
        body = json.dumps(punch(house, house.guards[n], clean=n % 20 != 0)).encode()
        house.request(connection, "POST", "attendance/events/?score=now", body)
    connection.close()


def _report(house: House, connection: http.client.HTTPConnection, keys: list[str]) -> None:
    severities = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")
    alerts = [
        {
            "alert_type": "DEVICE_OFFLINE",
            "severity": severities[n % 5],
            "message": f"The device of post {key} is offline",
            "site_id": house.site_id,
            "dedup_key": key,
        }
        for n, key in enumerate(keys)
    ]
    house.request(connection, "POST", "alerts/", json.dumps(alerts).encode())


def _sign_in_page(house: House, page: Page) -> None:
    page.goto(f"{house.instance.url}/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)


def _session(house: House, browser: Browser) -> StorageState:
    context = browser.new_context()
    page = context.new_page()
    _sign_in_page(house, page)
    page.get_by_role("button", name="Sign in").click()
    _complete(page, ".ag-row")
    state = context.storage_state()
    context.close()
    return state


def _from_the_press(house: House, browser: Browser, path: str, mark: str) -> float:
    def begin(page: Page) -> None:
        page.goto(f"{house.instance.url}/login?next=/app/{path}")
        page.get_by_label("E-mail").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)

    def press(page: Page) -> None:
        page.get_by_role("button", name="Sign in").click()
        _complete(page, mark)

    return _seconds(browser, None, press, begin)


def _open(house: House, path: str, mark: str, page: Page) -> None:
    page.goto(f"{house.instance.url}/app/{path}", wait_until="commit")
    _complete(page, mark)


def _complete(page: Page, mark: str) -> None:
    page.wait_for_function(_COMPLETE, arg=mark, timeout=60_000)


def _seconds(
    browser: Browser,
    state: StorageState | None,
    action: Callable[[Page], Any],
    begin: Callable[[Page], Any] | None = None,
) -> float:
    """How long ``action`` takes on a page of a browser that has cached nothing."""
    context: BrowserContext = browser.new_context(
        viewport={"width": 1440, "height": 900}, storage_state=state
    )
    try:
        page = context.new_page()
        if begin is not None:
            begin(page)
        started = time.perf_counter()
        action(page)
        return time.perf_counter() - started
    finally:
        context.close()


def _watched(page: Page, meanwhile: Callable[[], Any]) -> tuple[list[float], float]:
    """Milliseconds between frames while something happens, and those spent in long tasks."""
    page.evaluate(_WATCH)
    meanwhile()
    seen = page.evaluate("() => window.benchFrames")
    return seen["gaps"][1:], seen["long"]


def _alerts_at_the_rate(house: House) -> None:
    connection = house.connection()
    begin = time.monotonic()
    for number in range(int(RATE * SECONDS)):
        time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
        _report(house, connection, [f"live-{time.time_ns()}"])
    _report(house, connection, [LAST])
    connection.close()

"""``python -m tests.bench [name ...]``: measure a fresh instance and print figures and ratios."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from tests.bench import (
    alerta,
    alerts,
    channels,
    crowd,
    heatmap,
    large,
    model,
    pages,
    punches,
    telemetry,
    training,
)
from tests.bench.figures import Figure
from tests.bench.house import House, build
from tests.instance import running

BENCHMARKS: dict[str, Callable[[House], list[Figure]]] = {
    "feed": punches.to_the_feed,
    "score-now": punches.scored_at_once,
    "backlog": punches.backlog,
    "model": model.with_model,
    "history": model.history,
    "ingest": telemetry.ingest,
    "collection": telemetry.collection,
    "alerts-in": alerts.taken_in,
    "alerts-list": alerts.listed,
    "large": large.large,
    "heatmap": heatmap.heatmap,
    "first-page": pages.first_page,
    "live-page": pages.live_page,
}
ALONE: dict[str, Callable[[], list[Figure]]] = {
    "crowd": crowd.crowd,
    "cards": training.cards,
    "training": training.training,
}
"""These need no instance, or one of their own."""

ASKED_FOR: dict[str, Callable[[], list[Figure]]] = {
    "channels": channels.channels,
    "alerta": alerta.beside_alerta,
}
"""Only by name: what others do, for comparison; it installs their packages for itself."""


def main(names: list[str]) -> int:
    """Run the benchmarks named, all without names. Exit status 2 for an unknown name."""
    names = names or [*BENCHMARKS, *ALONE]
    known = [*BENCHMARKS, *ALONE, *ASKED_FOR]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"unknown: {', '.join(unknown)} (there are {', '.join(known)})")
        return 2
    table = Table(title=f"NOC Intelligence on {os.cpu_count()} cores")
    for heading in ("what", "measured", "must", "ratio to floor", "floor"):
        table.add_column(heading)
    figures = _on_an_instance([name for name in names if name in BENCHMARKS])
    for name in names:
        if name not in BENCHMARKS:
            figures += (ALONE | ASKED_FOR)[name]()
    for figure in figures:
        table.add_row(*_row(figure))
    Console(width=110).print(table)
    return 0


def _on_an_instance(names: list[str]) -> list[Figure]:
    if not names:
        return []
    # The rate limit of the feed protects people; here it would only hide what is measured.
    with running(WEBSOCKET_RATE_LIMIT="1000000") as instance:
        house = build(instance)
        return [figure for name in names for figure in BENCHMARKS[name](house)]


def _row(figure: Figure) -> tuple[str, ...]:
    floor = f"{figure.floor_name}: {figure.floor:,.1f}" if figure.floor else ""
    value = f"{figure.value:,.1f} {figure.unit}"
    return figure.name, value, figure.must, figure.ratio, floor


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

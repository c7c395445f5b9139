"""Reads files a chunk at a time, stores each chunk in a transaction, and says what was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from noc.extensions import session
from noc.rest.batches import BatchResult, Unreadable
from noc.rest.cells import Line

CHUNK = 1000
"""Rows a transaction: what is stored stays, and an import that was stopped is simply repeated."""

Reader = Callable[[BinaryIO], Iterator[Line]]
Store = Callable[[list[Any]], BatchResult]


@dataclass(slots=True)
class Totals:
    """What became of the rows."""

    stored: int = 0
    duplicates: int = 0
    refused: int = 0

    def add(self, result: BatchResult) -> None:
        """Count a chunk."""
        self.stored += result.accepted
        self.duplicates += result.duplicates
        self.refused += len(result.rejected)

    def __str__(self) -> str:
        return f"{self.stored} stored, {self.duplicates} were there already, {self.refused} refused"


def load(paths: Sequence[Path], reader_of: Callable[[Path], Reader], store: Store) -> Totals:
    """Store every row of every file through ``store``, and commit chunk by chunk.

    A progress bar and, line by line, what was refused (``file:line: field: reason``) go to
    standard error. A file that cannot be read to its end counts as one refusal; what came
    before its fault is stored.
    """
    totals = Totals()
    console = Console(stderr=True)
    with _progress(console) as progress:
        sizes = {path: path.stat().st_size for path in paths}
        task = progress.add_task("Importing", total=sum(sizes.values()))
        for path in paths:
            progress.update(task, description=path.name)
            with path.open("rb") as plain, progress.wrap_file(plain, task_id=task) as stream:
                for chunk in _chunks(reader_of(path)(stream)):
                    result = store([line.item for line in chunk])
                    session().commit()
                    totals.add(result)
                    _say_refused(console, path, chunk, result)
    return totals


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    try:
        for line in lines:
            chunk.append(line)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except ValueError as error:
        # Of the reader alone: what is raised while a chunk is stored is not raised in here.
        chunk.append(Line(0, Unreadable(str(error))))
    if chunk:
        yield chunk


def _say_refused(console: Console, path: Path, chunk: Sequence[Line], result: BatchResult) -> None:
    for refused in result.rejected:
        number = chunk[refused["index"]].number
        place = f"{path}:{number}: {refused['field']}" if number else f"{path}"
        console.print(Text(f"{place}: {refused['reason']}"), soft_wrap=True)

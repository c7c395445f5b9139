"""Answers of PostgreSQL as bytes rather than as text, for statements that ask for it.

Text is how psycopg is answered as a rule: a packed column of a megabyte comes as two, written in
hexadecimal and read back. :func:`binary` marks a statement whose columns come as they are.
"""

from __future__ import annotations

from typing import Any

from psycopg.pq import Format
from sqlalchemy import Engine, TextClause, event, text

_OPTION = "noc_binary"


def binary(statement: str) -> TextClause:
    """The statement, with its answer in binary.

    For the types that psycopg reads in binary as well as in text: numbers, dates, bytea.
    """
    return text(statement).execution_options(**{_OPTION: True})


def install(engine: Engine) -> None:
    """Heed the mark on the connections of ``engine``."""
    event.listen(engine, "before_cursor_execute", _choose)


def _choose(
    _connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    if context is not None and context.execution_options.get(_OPTION):
        cursor.format = Format.BINARY

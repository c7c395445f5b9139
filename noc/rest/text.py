"""Which text can be kept and shown as what it is."""

from __future__ import annotations

import re

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNFIT_LINES = re.compile("[\x00\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def line(value: str) -> str:
    """``value``; ValueError unless it is one line of text that shows as what it is.

    Refused are blanks alone, control characters and line breaks, and the characters that turn
    the direction of what follows (a name could then read as another). The joiners of Indic
    scripts and the marks of direction of a single letter are text.
    """
    if _UNFIT.search(value):
        raise ValueError("must be one line, without control characters")
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def lines(value: str) -> str:
    """``value``, which may have line breaks and tabs; ValueError as :func:`line`."""
    if _UNFIT_LINES.search(value):
        raise ValueError("must not contain NUL or characters that turn the direction of text")
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def identifier(value: str) -> str:
    """``value``; ValueError unless it is a line that neither begins nor ends with a blank."""
    if value != value.strip():
        raise ValueError("must neither begin nor end with a blank")
    return line(value)

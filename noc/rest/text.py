"""Which text can be kept and shown as what it is."""

from __future__ import annotations

import re
import unicodedata

_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_UNFIT_LINES = re.compile("[\x00\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def line(value: str) -> str:
    """``value``; ValueError unless it is one line of text that shows as what it is.

    Refused are blanks alone, control characters and line breaks, and the characters that turn
    the direction of what follows (a name could then read as another). The joiners of Indic
    scripts and the marks of direction of a single letter are text.
    """
    if _UNFIT.search(value):
        raise ValueError("must be one line, without control characters")
    _check_visible(value)
    return value


def lines(value: str) -> str:
    """``value``, which may have line breaks and tabs; ValueError as :func:`line`."""
    if _UNFIT_LINES.search(value):
        raise ValueError("must not contain NUL or characters that turn the direction of text")
    _check_visible(value)
    return value


def name(value: str) -> str:
    """``value`` without the blanks around it; ValueError as :func:`line`."""
    return line(value).strip()


def identifier(value: str) -> str:
    """``value``; ValueError unless it is a line that neither begins nor ends with a blank."""
    if value != value.strip():
        raise ValueError("must neither begin nor end with a blank")
    return line(value)


def code(value: str) -> str:
    """``value``; ValueError unless it is an identifier that can stand in a path.

    There "." and ".." mean places, and "/" a step; some clients and proxies take "\\" for one.
    """
    if value in (".", "..") or "/" in value or "\\" in value:
        raise ValueError('must not be "." or "..", nor contain "/" or "\\"')
    return identifier(value)


def _check_visible(value: str) -> None:
    # Separators, and what only joins or directs, is not seen.
    if all(unicodedata.category(character) in _UNSEEN for character in value):
        raise ValueError("must not be blank")


_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})

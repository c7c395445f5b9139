"""Names and addresses as people type them, checked before they are stored."""

from __future__ import annotations

import re

from noc.rest import text

MAX_LENGTH = 200

_EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s]{1,189}$")
_SLUG = re.compile(r"^[a-z][a-z0-9-]{1,62}$")


class BadField(ValueError):
    """A value that cannot be taken: its field, and the reason in words for whoever typed it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def one_line(value: str, field: str) -> str:
    """``value`` without the blanks around it; BadField unless that is one line of 1 to 200."""
    line = value.strip()
    try:
        text.line(line)
    except ValueError as error:
        raise BadField(field, f"the {field} {error}") from error
    if len(line) > MAX_LENGTH:
        raise BadField(field, f"the {field} must have at most {MAX_LENGTH} characters")
    return line


def email_address(value: str) -> str:
    """``value`` in lower case; BadField where it is no address."""
    address = value.strip().lower()
    if not _EMAIL.match(address) or not address.isprintable():
        raise BadField("email", f"{value!r} is not an e-mail address")
    return address


def slug(value: str) -> str:
    """``value``, if it can be a tenant's short name; BadField otherwise."""
    if not _SLUG.fullmatch(value):
        raise BadField(
            "slug",
            f"{value!r} cannot be a slug: 2 to 63 small letters, digits and hyphens, "
            "a letter first",
        )
    return value

"""Passwords: kept as argon2id hashes, checked in constant company."""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from noc.identity.words import BadField

MIN_LENGTH = 8
"""NIST SP 800-63B, 3.1.1.2: length is what counts; no rule about kinds of characters."""

MAX_LENGTH = 1024

_UNTYPED = re.compile("[\x00-\x1f\x7f-\x9f]")
"""What no keyboard types into a password field."""

_hasher = PasswordHasher()

# Each hash takes 64 MiB: a crowd of sign-ins waits its turn instead of taking the machine's memory.
_turns = threading.BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """An argon2id hash with the library's current parameters (RFC 9106)."""
    with _turns:
        return _hasher.hash(_normal(password))


def check_password(password: str, *, unlike: tuple[str, ...] = ()) -> str:
    """``password``, if it may be set; BadField where it may not."""
    if len(password) < MIN_LENGTH:
        raise BadField("password", f"a password has at least {MIN_LENGTH} characters")
    if len(password) > MAX_LENGTH:
        raise BadField("password", f"a password has at most {MAX_LENGTH} characters")
    if _UNTYPED.search(password) or not password.strip():
        raise BadField("password", "a password has no control characters, nor blanks alone")
    if password.casefold() in {word.casefold() for word in unlike}:
        raise BadField("password", "the password is the person's own name or address")
    return password


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; as slow for None (nobody) as for somebody."""
    if len(password) > MAX_LENGTH:
        return False
    with _turns:
        try:
            right = _hasher.verify(password_hash or _nobody(), _normal(password))
        except (Argon2Error, InvalidHashError):
            return False
    return right and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def _normal(password: str) -> str:
    """One form for the same letters, however the keyboard composed them (SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)

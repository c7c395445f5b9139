"""Guards on duty, as the audit's tests have them."""

from tests.audit.conftest import post

__all__ = ["post"]

"""Headers that tell browsers what not to do with an answer."""

from __future__ import annotations

from flask import Flask, Response, request

_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

# Data is for programs: no browser has a reason to run, style or frame anything in it.
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

_A_YEAR = 31_536_000


def init_app(app: Flask) -> None:
    """Complete every answer; what a view or a page set itself stands."""
    app.after_request(_complete)


def _complete(response: Response) -> Response:
    for name, value in _EVERYWHERE.items():
        response.headers.setdefault(name, value)
    if response.mimetype != "text/html":
        response.headers.setdefault("Content-Security-Policy", _DATA_POLICY)
    else:
        response.headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
    if request.path.startswith("/api/v2/"):
        # Guards' whereabouts and tokens are not for a proxy's or a browser's disk.
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_A_YEAR}")
    return response

"""The content security policy, which keeps foreign code off the pages."""

from __future__ import annotations

from dash import Dash
from flask import Flask, Response, request

_PAGES = ("/app/", "/login", "/assets-public/")


def init_app(app: Flask, ui: Dash) -> None:
    """Send a content security policy with each page. ``ui`` has all its callbacks by now."""
    scripts = " ".join(ui.csp_hashes())
    policy = "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )

    def protect(response: Response) -> Response:
        if request.path.startswith(_PAGES):
            response.headers.setdefault("Content-Security-Policy", policy)
        return response

    app.after_request(protect)

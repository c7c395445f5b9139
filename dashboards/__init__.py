"""The Dash front end, mounted on the Flask application below ``/app/``."""

from __future__ import annotations

from flask import Flask

from dashboards import app as front
from dashboards import headers, public_files


def mount(app: Flask) -> None:
    """Add the pages below ``/app/`` and what the sign-in page needs below ``/assets-public/``.

    Call once, after ``noc.create_app()`` and before the first request: the guard of
    ``noc.identity`` is in place by then and covers every route added here below ``/app/``.
    """
    public_files.init_app(app)
    ui = front.build(app)
    headers.init_app(app, ui)

"""Style, type and script that a page without a sign-in may have: ``/assets-public/<file>``."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, request, send_from_directory
from werkzeug.wrappers import Response as BaseResponse

from dashboards import theme

PREFIX = "/assets-public"
FOLDER = Path(__file__).parent / "public"

_YEAR = 31_536_000


def init_app(app: Flask) -> None:
    """Serve the folder ``public`` and the tokens of :mod:`dashboards.theme`."""
    bp = Blueprint("public_files", __name__, url_prefix=PREFIX)
    bp.add_url_rule("/tokens.css", "tokens", _tokens)
    bp.add_url_rule("/<path:name>", "file", _file)
    app.register_blueprint(bp)


def address(name: str) -> str:
    """Where the file is found, with its content's fingerprint, so that caches never go stale."""
    return f"{PREFIX}/{name}?v={_fingerprint(name)}"


@cache
def _fingerprint(name: str) -> str:
    content = _tokens_css().encode() if name == "tokens.css" else (FOLDER / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def _tokens_css() -> str:
    return theme.css_tokens()


def _tokens() -> BaseResponse:
    response = Response(_tokens_css(), mimetype="text/css")
    response.cache_control.max_age = _age()
    response.add_etag()
    return response.make_conditional(request)


def _file(name: str) -> Response:
    return send_from_directory(FOLDER, name, max_age=_age())


def _age() -> int:
    """What is asked for by its fingerprint never changes; the rest is asked for again."""
    return _YEAR if "v" in request.args else 0

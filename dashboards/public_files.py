"""Style, type and script below ``/assets-public/``: files for anybody, with or without a session.

The style and the script of the pages are many files in ``assets`` and one of each to the browser: a
request for each would take longer than what it brings. They are code without data, so the sign-in
page has the browser fetch them ahead, and Dash's scripts with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, request, send_from_directory
from flask_compress import Compress
from werkzeug.wrappers import Response as BaseResponse

from dashboards import theme

PREFIX = "/assets-public"
FOLDER = Path(__file__).parent / "public"
PARTS = Path(__file__).parent / "assets"

_YEAR = 31_536_000


def _joined(kind: str) -> str:
    """All files of a kind in ``assets``, in the order of their names."""
    files = sorted(PARTS.glob(f"*.{kind}"))
    return "\n".join(f"/* {file.name} */\n{file.read_text(encoding='utf-8')}" for file in files)


_MADE: dict[str, tuple[str, Callable[[], str]]] = {
    "tokens.css": ("text/css", theme.css_tokens),
    "pages.css": ("text/css", lambda: _joined("css")),
    "pages.js": ("text/javascript", lambda: _joined("js")),
}
"""What is put together once per process, by the name it is asked for: its type, and how."""


def init_app(app: Flask) -> None:
    """Serve the folder ``public`` and what is made; tell templates where each file is."""
    bp = Blueprint("public_files", __name__, url_prefix=PREFIX)
    bp.add_url_rule("/<path:name>", "file", _file)
    app.register_blueprint(bp)
    app.context_processor(lambda: {"public_file": address})


class _Compressed:
    """The files that pages load, compressed once per process: whoever asks often costs little.

    Nothing else is kept: all other answers are of somebody, or named in as many ways as one likes.
    A key is an encoding and a path.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._kept.get(key)

    def set(self, key: str, value: bytes) -> None:
        if key.partition(";")[2]:
            self._kept[key] = value


def compress(app: Flask) -> None:
    """Compress answers for whoever can read them so."""
    known: set[str] = app.extensions.setdefault("public_paths", set())
    app.config["COMPRESS_CACHE_BACKEND"] = _Compressed
    app.config["COMPRESS_CACHE_KEY"] = lambda asked: asked.path if asked.path in known else ""
    Compress(app)


def fetch_ahead(app: Flask, scripts: Sequence[str]) -> None:
    """Have the sign-in page fetch what the first page will need, ``scripts`` of others with it."""
    ahead = {"style": [address("pages.css")], "script": [address("pages.js"), *scripts]}
    for addresses in ahead.values():
        app.extensions["public_paths"].update(one.partition("?")[0] for one in addresses)
    app.context_processor(lambda: {"fetch_ahead": ahead})


def address(name: str) -> str:
    """Where the file is found, with its content's fingerprint, so that caches never go stale."""
    return f"{PREFIX}/{name}?v={_fingerprint(name)}"


@cache
def _fingerprint(name: str) -> str:
    content = _made(name).encode() if name in _MADE else (FOLDER / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def _made(name: str) -> str:
    return _MADE[name][1]()


def _file(name: str) -> BaseResponse:
    if name not in _MADE:
        return send_from_directory(FOLDER, name, max_age=_age(name))
    response = Response(_made(name), mimetype=_MADE[name][0])
    response.cache_control.max_age = _age(name)
    response.add_etag()
    return response.make_conditional(request)


def _age(name: str) -> int:
    """What is asked for by its fingerprint never changes; the rest is asked for again.

    While one release takes another's place, its process may be asked for the other's file: what it
    has instead is not to be kept under that name.
    """
    asked = request.args.get("v")
    return _YEAR if asked and name in _names() and asked == _fingerprint(name) else 0


@cache
def _names() -> frozenset[str]:
    """What there is: nothing else is looked up, or kept, because somebody asked for it."""
    files = (file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*") if file.is_file())
    return frozenset([*_MADE, *files])

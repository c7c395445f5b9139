"""Builds the Dash application: the page's frame, its layout, and every callback."""

from __future__ import annotations

import re
from typing import Any

# plotly looks for pandas in every figure that it checks. Loaded by the first model, in the thread
# of one request, it would be found half-loaded by the others, which fail.
import pandas  # noqa: F401
import plotly.io as pio
from dash import Dash, html
from dash.exceptions import DependencyException
from flask import Flask, Response, request

from dashboards import callbacks, detail, finder, routing, shell
from dashboards.places import PAGES
from dashboards.public_files import address, compress, fetch_ahead
from noc.identity.guard import CSRF_COOKIE, CSRF_HEADER
from noc.rest.problems import Problem

PREFIX = "/app/"

_LIBRARIES = f"{PREFIX}_dash-component-suites/"

_LATER = [
    f"{_LIBRARIES}dash_ag_grid/async-community.js",
    f"{_LIBRARIES}dash/dcc/async-graph.js",
    f"{_LIBRARIES}plotly/package_data/plotly.min.js",
]
"""What a page loads when its first table or chart appears: fetched while it does other things."""

_SCRIPT = re.compile(r'<script src="([^"]+)"')

_ENCODED = re.compile(r':(?:br|zstd|gzip|deflate)(?=")')
"""What compression writes behind the tag of what it has compressed."""

_INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {{%metas%}}
        <title>{{%title%}}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="icon" href="{icon}" type="image/svg+xml">
        <link rel="stylesheet" href="{tokens}">
        <link rel="stylesheet" href="{type}">
        <script src="{appearance}"></script>
        {{%css%}}
        <link rel="stylesheet" href="{style}">
        {later}
    </head>
    <body>
        {{%app_entry%}}
        <footer>{{%config%}}{{%scripts%}}<script src="{script}"></script>{{%renderer%}}</footer>
    </body>
</html>"""


def build(server: Flask) -> Dash:
    """The Dash application on ``server``, complete."""
    compress(server)
    # Not orjson, which plotly would choose: it refuses whole numbers beyond 64 bits, and whoever
    # sends one to a callback would get a fault for an answer.
    pio.json.config.default_engine = "json"
    untyped: Any = Dash
    ui: Dash = untyped(
        "dashboards",
        server=server,
        url_base_pathname=PREFIX,
        index_string=_index(),
        # Our own style and script come as one file each: public_files.
        include_assets_files=False,
        title="NOC Intelligence",
        update_title=None,
        suppress_callback_exceptions=True,
        csrf_token_name=CSRF_COOKIE,
        csrf_header_name=CSRF_HEADER,
        enable_mcp=False,
    )
    ui.layout = html.Div()
    for part in (shell, finder, detail, routing, *PAGES):
        part.register(ui)
    callbacks.guard(server, ui, PREFIX)
    server.register_error_handler(DependencyException, _no_such_script)
    server.before_request(_own_tag)
    _warm_up(server)
    fetch_ahead(server, _scripts(server, ui))
    # The layout is of whoever is signed in: only now, for the warm-up has nobody.
    ui.layout = shell.layout
    return ui


def _warm_up(server: Flask) -> None:
    """Let Dash finish itself now, and not in the first reader's request."""
    with server.test_request_context("/healthz"):
        server.preprocess_request()


def _no_such_script(_: DependencyException) -> Response:
    """Anybody may ask for a library's script; one that no page has is no fault of ours."""
    return Problem(404, "There is no such script.").response()


def _own_tag() -> None:
    """Ask for a library's script by the tag that Dash has given it.

    Else one that the browser has would be compressed before anybody sees that it has it: the 5 MB
    of plotly, which each page asks for ahead, in 0.13 s of a core.
    """
    tags = request.headers.get("If-None-Match")
    if tags and request.path.startswith(_LIBRARIES):
        request.environ["HTTP_IF_NONE_MATCH"] = _ENCODED.sub("", tags)


def _scripts(server: Flask, ui: Any) -> list[str]:
    """Where the libraries' scripts are found, in the order in which a page loads them."""
    with server.test_request_context(PREFIX):
        page: str = ui.index()
    return [script for script in _SCRIPT.findall(page) if script.startswith(_LIBRARIES)] + _LATER


def _index() -> str:
    return _INDEX.format(
        icon=address("mark.svg"),
        tokens=address("tokens.css"),
        type=address("type.css"),
        appearance=address("appearance.js"),
        style=address("pages.css"),
        script=address("pages.js"),
        later="".join(f'<link rel="prefetch" as="script" href="{one}">' for one in _LATER),
    )

"""A webhook's certificate is checked against the name, though an address is connected to."""

from __future__ import annotations

import http.server as http_server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noc.database.base import utcnow
from noc.notifications import http
from noc.notifications.targets import Unreachable

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of ``localhost``, signed by nobody else, and its key."""
    made, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture
def port(certificate: tuple[Path, Path]) -> Iterator[int]:
    """The port of a server that speaks TLS with it."""

    class Handler(http_server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http_server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def post(host: str, port: int) -> int:
    return http.post(f"https://{host}:{port}/", b"{}", {}, private=True, now=utcnow()).status


def test_the_right_name_with_a_trusted_certificate_is_told(
    certificate: tuple[Path, Path], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert post("localhost", port) == 204


def test_another_name_is_not(
    certificate: tuple[Path, Path], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with pytest.raises(Unreachable, match="SSLCertVerificationError"):
        post("127.0.0.1", port)


def test_nor_is_a_certificate_that_nobody_vouches_for(port: int) -> None:
    with pytest.raises(Unreachable, match="SSLCertVerificationError"):
        post("localhost", port)

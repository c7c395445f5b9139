"""Nothing below /app/ is for strangers, and no foreign code runs there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from flask_compress import flask_compress

from dashboards import public_files
from tests.dashboards.conftest import Reader


def test_every_address_below_app_asks_for_a_sign_in(app: APIFlask, client: FlaskClient) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/app")]
    assert len(rules) >= 8
    libraries = "/app/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"
    for rule in rules:
        if rule.rule == libraries:
            continue  # Published scripts; what they may be is tested below.
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            answer = client.open(path, method=method)
            assert answer.status_code in (302, 401), f"{method} {path}"


def test_a_page_leads_a_stranger_to_the_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/app/heatmap?days=7")
    assert answer.status_code == 302
    assert answer.location == "/login?next=/app/heatmap?days%3D7"


def test_a_callback_without_the_csrf_header_is_refused(reader: Reader) -> None:
    body = reader.request("page.children", "url.pathname", {"url.pathname": "/app/"})
    refused = reader.http.post("/app/_dash-update-component", json=body)
    assert refused.status_code == 403
    wrong = reader.post("_dash-update-component", json=body, headers={"X-CSRFToken": "wrong"})
    assert wrong.status_code == 403
    assert reader.post("_dash-update-component", json=body).status_code == 200


def test_pages_carry_a_policy_without_inline_scripts(reader: Reader) -> None:
    policy = reader.http.get("/app/").headers["Content-Security-Policy"]
    (scripts,) = re.findall(r"script-src ([^;]+)", policy)
    assert "'unsafe-inline'" not in scripts
    assert "'unsafe-eval'" not in scripts
    assert "'sha256-" in scripts
    assert "frame-ancestors 'none'" in policy


def test_pages_name_no_other_host(reader: Reader) -> None:
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', reader.http.get("/app/").text)


def test_the_sign_in_page_has_its_look_without_a_session(client: FlaskClient) -> None:
    page = client.get("/login").text
    addresses = re.findall(r'(?:src|href)="(/assets-public/[^"]+)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        with client.get(address) as answer:
            assert answer.status_code == 200, address
    assert "--accent: #" in client.get("/assets-public/tokens.css").text


def test_the_sign_in_page_fetches_ahead_what_the_first_page_loads(
    client: FlaskClient, reader: Reader
) -> None:
    ahead = re.findall(
        r'rel="prefetch" as="(style|script)" href="([^"]+)"', client.get("/login").text
    )
    page = reader.http.get("/app/").text
    loaded = set(re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page))
    early = set(
        re.findall(
            r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page.split("</head>")[0]
        )
    )
    pages_css = {name for name in early if "/pages.css" in name}
    later = {address for _, address in ahead if address not in loaded}
    assert {address for _, address in ahead} - later == loaded - early | pages_css
    assert len(later) == 3  # What they are, a test in a browser sees.
    assert len(loaded) <= 16, "a request for each file takes longer than what it brings"
    for kind, address in ahead:
        with client.get(address) as answer:
            assert answer.status_code == 200, address
            assert answer.mimetype == {"style": "text/css", "script": "text/javascript"}[kind]
            # What depends on the session would be fetched again after the sign-in.
            assert "Cookie" not in answer.headers["Vary"]
            assert address in later or answer.cache_control.max_age >= 31_536_000


def test_the_script_of_the_pages_has_every_file_of_it(client: FlaskClient) -> None:
    for kind, name in (("js", "pages.js"), ("css", "pages.css")):
        whole = client.get(f"/assets-public/{name}").text
        files = sorted(public_files.PARTS.glob(f"*.{kind}"))
        assert len(files) >= 15
        assert [whole.index(file.read_text()) for file in files] == sorted(
            whole.index(file.read_text()) for file in files
        )


def test_a_kept_script_is_asked_for_by_its_tag(client: FlaskClient) -> None:
    first = client.get("/assets-public/pages.js")
    assert first.cache_control.max_age == 0
    again = client.get("/assets-public/pages.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip", "identity"])
def test_a_script_that_the_browser_has_is_not_compressed_to_say_so(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    accepted = {"Accept-Encoding": encoding}
    script = "/app/_dash-component-suites/dash/dcc/async-graph.js"
    first = client.get(script, headers=accepted)
    assert first.headers.get("Content-Encoding", "identity") == encoding
    monkeypatch.setattr("flask_compress.flask_compress._compress_data", None)
    kept = {"If-None-Match": first.headers["ETag"]}
    again = client.get(script, headers=accepted | kept)
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["dash/../../noc/factory.py", "noc/factory.py", "flask/app.py"])
def test_libraries_for_anybody_are_scripts_of_the_page_alone(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(f"/app/_dash-component-suites/{path}")
    assert answer.status_code == 404
    assert b"import" not in answer.data


@pytest.mark.parametrize("path", ["", "/", "/x", "/x/", "//_dash-layout", "/dash//dcc/x.js"])
def test_what_names_no_file_of_a_library_is_a_page_and_guarded(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(f"/app/_dash-component-suites{path}")
    assert answer.status_code == 401
    assert b"_dash-config" not in answer.data


def test_a_file_for_anybody_renews_no_session(reader: Reader) -> None:
    with reader.http.session_transaction() as kept:
        kept.permanent = True  # As after a sign-in.
    page = reader.http.get("/app/").text
    addresses = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page)
    assert len(addresses) > 10
    for file in addresses:
        with reader.http.get(file) as answer:
            assert answer.cache_control.max_age >= 31_536_000, file
            # A cache on the way would give it to the next who asks.
            assert "Set-Cookie" not in answer.headers, file
            assert "Cookie" not in answer.headers.get("Vary", ""), file
    assert "Set-Cookie" in reader.http.get("/app/").headers


def test_only_what_is_asked_for_by_its_fingerprint_is_kept_for_a_year(client: FlaskClient) -> None:
    for name in ("pages.js", "mark.svg"):
        with client.get(public_files.address(name)) as kept:
            assert kept.cache_control.max_age == 31_536_000
        # Of the release before or after this one, from a process that does not have it.
        for other in ("", "?v=", "?v=0123456789ab"):
            with client.get(f"/assets-public/{name}{other}") as answer:
                assert not answer.cache_control.max_age


def test_public_files_end_at_their_folder(client: FlaskClient) -> None:
    for path in ("../theme.py", "%2e%2e/theme.py", "../../noc/settings/__init__.py", "nothing.css"):
        assert client.get(f"/assets-public/{path}").status_code == 404


def test_a_wrong_password_is_told_on_the_page_and_not_which_part_was_wrong(
    client: FlaskClient,
) -> None:
    answer = client.post("/login", data={"email": "nobody@acme.example", "password": "x" * 12})
    assert answer.status_code == 401
    assert "do not go together" in answer.text
    assert 'role="alert"' in answer.text


def test_no_two_callbacks_write_the_same_output_from_the_same_inputs(reader: Reader) -> None:
    """Dash keeps one of them, and says nothing."""
    outputs = [one["output"] for one in reader.http.get("/app/_dash-dependencies").json]
    assert len(outputs) > 100
    assert sorted(outputs) == sorted(set(outputs))


def test_what_pages_load_is_compressed_once_and_nothing_else_is_kept(
    client: FlaskClient, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressed: list[int] = []
    real = flask_compress._compress_data

    def counted(app: Any, data: bytes, *how: Any) -> bytes:
        compressed.append(len(data))
        return bytes(real(app, data, *how))

    monkeypatch.setattr(flask_compress, "_compress_data", counted)
    (script,) = re.findall(r'src="(/app/[^"]+dash_ag_grid[^"]+)"', reader.http.get("/app/").text)
    asking = {"Accept-Encoding": "br"}
    answers = [client.get(script, headers=asking) for _ in range(3)]
    assert len({answer.data for answer in answers}) == 1
    assert answers[0].headers["Content-Encoding"] == "br"
    assert len(compressed) <= 1
    # By another version's name it is the same file: so many names, and none is kept.
    other = re.sub(r"v[0-9_]+m[0-9]+", "v1_0_0m1", script)
    compressed.clear()
    for _ in range(2):
        assert client.get(other, headers=asking).status_code == 200
    mine = [reader.http.get("/app/", headers=asking).data for _ in range(2)]
    assert len(compressed) == 4, mine

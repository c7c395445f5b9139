"""The success envelope, limits and cursors."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from apiflask import APIFlask

from noc.rest.envelope import decode_cursor, encode_cursor, page_limit, success
from noc.rest.problems import Problem

AT = dt.datetime(2026, 11, 16, 9, 0, 0, 123456, tzinfo=dt.UTC)


def test_success_says_whether_it_was_kept() -> None:
    assert success([1]) == {"status": "success", "data": [1], "cached": False}
    paged = success([], cached=True, pagination={"next_cursor": None, "limit": 50})
    assert paged["cached"] is True
    assert paged["pagination"] == {"next_cursor": None, "limit": 50}


def test_a_cursor_leads_back_to_the_row_it_was_made_of(app: APIFlask) -> None:
    with app.test_request_context(f"/?cursor={encode_cursor(AT, 17)}"):
        assert decode_cursor() == (AT, "17")


def test_without_a_cursor_a_list_begins_at_its_beginning(app: APIFlask) -> None:
    with app.test_request_context("/"):
        assert decode_cursor() is None
        assert page_limit() == 50


def forged(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "abc",
        "%%%",
        "é",
        forged("not json"),
        forged("[]"),
        forged('["2026-11-16T09:00:00+00:00"]'),
        forged('["2026-11-16T09:00:00", 1]'),
        forged('["tomorrow", 1]'),
        forged("[17, 1]"),
        forged('{"a": 1, "b": 2}'),
    ],
)
def test_a_forged_cursor_is_refused_by_name(app: APIFlask, cursor: str) -> None:
    with app.test_request_context("/", query_string={"cursor": cursor}):
        with pytest.raises(Problem) as refused:
            decode_cursor()
        assert refused.value.status == 422
        assert refused.value.errors[0]["field"] == "cursor"


@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "ten", "", "9" * 5000])
def test_a_limit_out_of_bounds_is_refused_by_name(app: APIFlask, limit: str) -> None:
    with app.test_request_context("/", query_string={"limit": limit}):
        with pytest.raises(Problem) as refused:
            page_limit()
        assert refused.value.errors[0]["field"] == "limit"

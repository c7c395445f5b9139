"""What the lists of alerts, incidents and findings have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from dashboards import listing, queries
from noc.alerts.process import AlertInput, process_alert
from noc.database.base import utcnow
from noc.workforce.models import Site
from tests.dashboards import audited
from tests.dashboards.conftest import Reader
from tests.factories import Make

MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class ListPage:
    """A page with a list: how a row of it comes about, what it reads, what it says without any."""

    name: str
    make_row: Callable[[Make, Site, int], Any]
    reads: tuple[Any, str]
    counts: tuple[Any, str]
    quiet: str

    def show(self, reader: Reader, **chosen: str | None) -> Any:
        """The first page."""
        return reader.call(
            f"{self.name}-table.children", f"{self.name}-state.value", values=self.values(chosen)
        )

    def count(self, reader: Reader, **chosen: str | None) -> str:
        """How many there are, in words; findings are counted by a callback of their own."""
        output = "findings-summary" if self.name == "findings" else f"{self.name}-table"
        answer = reader.call(
            f"{output}.children", f"{self.name}-state.value", values=self.values(chosen)
        )
        return str(answer.json["response"][f"{self.name}-count"]["children"])

    def values(self, chosen: dict[str, str | None]) -> dict[str, Any]:
        """What the filters hold."""
        return {f"{self.name}-{name}.value": value for name, value in chosen.items()}


def alert(make: Make, site: Site, ago: int) -> Any:
    at = utcnow() - ago * MINUTE
    one = AlertInput(
        alert_type=f"DOOR_{ago}", severity="HIGH", message=f"Door {ago}", occurred_at=at,
        site_id=site.id, person_id=make.person(site).id,
    )  # fmt: skip
    return process_alert(one, now=at)


def finding(make: Make, site: Site, ago: int) -> Any:
    return audited.finding(make, make.person(site), site, at=utcnow() - ago * MINUTE)


def incident(make: Make, site: Site, ago: int) -> Any:
    return audited.incident(make, finding(make, site, ago))


PAGES = [
    ListPage(
        "alerts", alert, (queries.work, "alerts"), (queries.work, "alert_counts"), "No open alerts"
    ),
    ListPage(
        "incidents",
        incident,
        (queries.incidents, "page"),
        (queries.incidents, "counts"),
        "No open incidents",
    ),
    ListPage(
        "findings",
        finding,
        (queries.findings, "page"),
        (queries.findings, "counts"),
        "Nothing is open",
    ),
]
each = pytest.mark.parametrize("listed", PAGES, ids=lambda page: page.name)


def rows(answer: Any) -> int:
    """How many rows the table of an answer has."""
    return int(answer.text.count('"who":"') + answer.text.count('"who":null'))


@each
def test_a_list_is_read_page_by_page_to_its_end(
    reader: Reader, make: Make, listed: ListPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    site = make.site()
    for ago in (1, 2, 3):
        listed.make_row(make, site, ago)
    first = listed.show(reader)
    name = listed.name
    assert rows(first) == 2
    told = first.json["response"]
    assert told[f"{name}-more"]["hidden"] is False
    values = {f"{name}-cursor.data": told[f"{name}-cursor"]["data"]}
    last = reader.call(f"{name}-grid.rowTransaction", f"{name}-more.n_clicks", values=values)
    told = last.json["response"]
    assert len(told[f"{name}-grid"]["rowTransaction"]["add"]) == 1
    assert told[f"{name}-more"]["hidden"] is True
    assert told[f"{name}-cursor"]["data"] is None


@each
def test_a_filter_keeps_its_choice_and_says_what_the_others_would_list(
    reader: Reader, make: Make, listed: ListPage
) -> None:
    sites = [make.site(name=name) for name in ("Harbour Depot", "Quiet Yard")]
    for ago, site in enumerate((sites[0], sites[0], sites[1]), start=1):
        listed.make_row(make, site, ago)
    chosen = {"site": str(sites[1].id)}
    assert rows(listed.show(reader, **chosen)) == 1
    assert listed.count(reader, **chosen).startswith("1 ")
    assert listed.count(reader).startswith("3 ")
    output = "findings-summary" if listed.name == "findings" else f"{listed.name}-table"
    offered = reader.call(
        f"{output}.children", f"{listed.name}-state.value", values=listed.values(chosen)
    ).text
    assert '"Harbour Depot · 2"' in offered
    assert '"Quiet Yard · 1"' in offered


@each
def test_a_list_without_rows_says_what_would_bring_some_or_what_hides_them(
    reader: Reader, make: Make, listed: ListPage
) -> None:
    assert listed.quiet in listed.show(reader, state="open").text
    assert "Widen a filter" in listed.show(reader, state="all").text
    assert listed.show(reader).json["response"][f"{listed.name}-more"]["hidden"] is True


@each
@pytest.mark.parametrize("part", ["reads", "counts"])
def test_a_list_that_cannot_be_read_says_so_and_can_be_asked_again(
    reader: Reader, make: Make, listed: ListPage, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed.make_row(make, make.site(), 1)

    def broken(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("canceling statement"))

    monkeypatch.setattr(*getattr(listed, part), broken)
    callback = "table"
    if (listed.name, part) == ("findings", "counts"):
        callback = "summary"
    answer = reader.call(f"{listed.name}-{callback}.children", f"{listed.name}-state.value")
    assert answer.status_code == 200
    assert "could not be loaded" in answer.text
    told = answer.json["response"]
    assert f"{listed.name}-site" not in told, "what can be chosen is lost"
    (button,) = {wire for wire in retries(reader) if f'"page":"{page_of(answer)}"' in wire}
    assert button


def page_of(answer: Any) -> str:
    """Whom the button asks again that a failed part shows."""
    _, _, after = answer.text.partition('"type":"retry","page":"')
    return str(after.partition('"')[0])


def retries(reader: Reader) -> set[str]:
    """The buttons that callbacks listen to."""
    wires = {wire["id"] for one in reader.dependencies() for wire in one["inputs"]}
    return {wire.replace(" ", "") for wire in wires if '"retry"' in wire}


@each
@pytest.mark.parametrize("link", ["?site=x", "?site=999999", "?state=x&severity=x&type=1&days=x"])
def test_a_link_to_what_is_not_offered_leads_to_the_whole_list(
    reader: Reader, make: Make, listed: ListPage, link: str
) -> None:
    values = {"url.pathname": f"/app/{listed.name}", "url.search": link}
    page = reader.call("page.children", "url.pathname", values=values)
    assert page.status_code == 200
    held = dict(held_by(page.json["response"]["page"]["children"], f"{listed.name}-"))
    assert held["state"] == "open"
    assert held["site"] is None
    answer = listed.show(reader, **held)
    assert answer.status_code == 200


def held_by(component: Any, prefix: str) -> list[tuple[str, Any]]:
    """The name and the value of each control below a component whose id begins so."""
    if isinstance(component, list):
        return [pair for one in component for pair in held_by(one, prefix)]
    if not isinstance(component, dict):
        return []
    props = component.get("props", {})
    name = props.get("id")
    own = []
    if component.get("type") in ("Select", "SegmentedControl") and str(name).startswith(prefix):
        own = [(str(name).removeprefix(prefix), props.get("value"))]
    return own + held_by(props.get("children"), prefix)


@each
def test_a_list_asks_the_database_as_often_however_long_it_is(
    reader: Reader,
    make: Make,
    listed: ListPage,
    query_count: Callable[[Callable[[], Any]], int],
) -> None:
    listed.make_row(make, make.site(), 1)
    few = query_count(lambda: (listed.show(reader), listed.count(reader)))
    for ago in range(2, 12):
        listed.make_row(make, make.site(), ago)
    many = query_count(lambda: (listed.show(reader), listed.count(reader)))
    assert rows(listed.show(reader)) == 11
    assert many == few

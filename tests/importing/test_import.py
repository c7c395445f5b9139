"""``noc import``: files in, line by line what was refused, and nothing twice."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gpxpy.gpx
import pytest
from apiflask import APIFlask
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.attendance.models import AttendanceEvent
from noc.attendance.signals import punches_stored
from noc.importing import import_group
from noc.telemetry.formats import read_gpx
from noc.telemetry.models import LocationUpdate
from noc.workforce.models import Device, Person, Site
from tests.factories import Make

Run = Callable[..., Result]

PLT = """Geolife trajectory
WGS 84
Altitude is in Feet
Reserved 3
0,2,255,My Track,0,0,2,8421376
0
39.984702,116.318417,0,492,39744.1201851852,2008-10-23,02:53:04
39.984683,116.31845,0,492,39744.1202546296,2008-10-23,02:53:10
"""


@pytest.fixture
def run(app: APIFlask, session: Session, tmp_path: Path) -> Run:
    """Runs ``noc import`` on files written for it; ``files`` are name and content."""

    def invoke(what: str, files: dict[str, str | bytes], *options: str) -> Result:
        paths = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(str(path))
        arguments = [what, *paths, "--tenant", "acme", *options]
        session.commit()
        return CliRunner().invoke(import_group, arguments, catch_exceptions=False)

    return invoke


@pytest.fixture
def site(make: Make) -> Site:
    return make.site(code="HQ")


@pytest.fixture
def guard(make: Make, site: Site) -> Person:
    return make.person(site, code="G-7")


@pytest.fixture
def announced() -> Iterator[list[Any]]:
    heard: list[Any] = []

    def listen(_: str, punch_ids: list[int], score_now: bool, **__: Any) -> None:
        heard.append((len(punch_ids), score_now))

    kept = dict(punches_stored.receivers)
    punches_stored.receivers.clear()
    punches_stored.connect(listen)
    yield heard
    punches_stored.disconnect(listen)
    punches_stored.receivers.update(kept)


def fixes(session: Session) -> list[tuple[dt.datetime, float, float, float | None]]:
    rows = session.execute(
        select(
            LocationUpdate.occurred_at,
            LocationUpdate.lat,
            LocationUpdate.lon,
            LocationUpdate.accuracy,
        ).order_by(LocationUpdate.occurred_at, LocationUpdate.external_id)
    )
    return [tuple(row) for row in rows]


@pytest.mark.usefixtures("guard")
class TestLocations:
    def test_a_geolife_track_is_stored_whole_and_only_once(
        self, run: Run, session: Session
    ) -> None:
        first = run("locations", {"a.plt": PLT}, "--person", "G-7")
        again = run("locations", {"a.plt": PLT}, "--person", "G-7")
        assert (first.exit_code, again.exit_code) == (0, 0)
        assert first.stdout == "Locations: 2 stored, 0 were there already, 0 refused.\n"
        assert again.stdout == "Locations: 0 stored, 2 were there already, 0 refused.\n"
        stamp = dt.datetime(2008, 10, 23, 2, 53, 4, tzinfo=dt.UTC)
        assert fixes(session)[0] == (stamp, 39.984702, 116.318417, None)
        assert "a.plt" in first.stderr, "the progress bar is not in the way of the answer"

    def test_what_was_refused_is_said_line_by_line(self, run: Run, session: Session) -> None:
        broken = PLT + (
            "399.9,116.3,0,492,39744.1,2008-10-23,02:53:15\n"
            "39.9,east,0,492,39744.1,2008-10-23,02:53:20\n"
            "39.9,116.3\n"
            "39.9,116.3,0,492,39744.1,2008-10-23,25:53:20\n"
            "39.9,116.3,0,492,39744.1,2099-10-23,02:53:20\n"
            "39.9,116.3,0,492,39744.1,2008-10-23,02:53:25\n"
        )
        result = run("locations", {"a.plt": broken}, "--person", "G-7")
        assert result.exit_code == 1
        assert result.stdout == "Locations: 3 stored, 0 were there already, 5 refused.\n"
        said = [line for line in result.stderr.splitlines() if ".plt:" in line]
        places = [line.rpartition("/")[2].split(": ")[:2] for line in said]
        assert places == [
            ["a.plt:9", "lat"],
            ["a.plt:10", "lon"],
            ["a.plt:11", "item"],
            ["a.plt:12", "occurred_at"],
            ["a.plt:13", "occurred_at"],
        ]
        assert "less than or equal to 90" in said[0]
        assert len(fixes(session)) == 3

    def test_fixes_of_one_moment_are_all_kept_in_the_order_of_the_file(
        self, run: Run, session: Session
    ) -> None:
        line = "39.{}84702,116.3,0,492,39744.1,2009-01-01,00:00:00\n"
        header = PLT[: PLT.index("39.98")]
        track = header + line.format(9) + line.format(1) + line.format(9) + line.format(5)
        run("locations", {"a.plt": track}, "--person", "G-7")
        assert [fix[1] for fix in fixes(session)] == [39.984702, 39.184702, 39.984702, 39.584702]

    def test_a_csv_brings_accuracy_and_other_zones(self, run: Run, session: Session) -> None:
        track = (
            "\ufeffTime,Lat,Lon,Accuracy,Speed\n"
            "2020-05-01T12:00:00+05:30,19.1,72.8,5.5,1\n"
            "\n"
            "2020-05-01T06:31:00Z,19.2,72.9,,\n"
        )
        result = run("locations", {"a.csv": track}, "--person", "G-7")
        assert result.exit_code == 0, result.stderr
        at = dt.datetime(2020, 5, 1, 6, 30, tzinfo=dt.UTC)
        assert fixes(session) == [
            (at, 19.1, 72.8, 5.5),
            (at + dt.timedelta(minutes=1), 19.2, 72.9, None),
        ]

    def test_a_csv_time_without_a_zone_is_refused(self, run: Run) -> None:
        track = "lat,lon,time\n19.1,72.8,2020-05-01T12:00:00\n19.1,72.8,\n1,2,3,4\n"
        result = run("locations", {"a.csv": track}, "--person", "G-7")
        assert result.exit_code == 1
        assert "a.csv:2: occurred_at: needs a zone" in result.stderr
        assert "a.csv:3: occurred_at: Field required" in result.stderr
        assert "a.csv:4: item: has 4 cells; the header has 3" in result.stderr

    def test_a_line_that_cannot_be_read_costs_no_other(self, run: Run, session: Session) -> None:
        good = b"%d,72.8,2020-05-01T12:00:00Z\n"
        track = b"lat,lon,time\r\n" + good % 1 + b'"2,72.8,2020-05-01T12:00:01Z\n' + good % 3
        track += b"4,72.8,\xe9t\xe9\n" + good % 5 + b"6,72.8,2020-05-01T12:00:02Z"
        result = run("locations", {"a.csv": track}, "--person", "G-7")
        assert result.exit_code == 1
        assert "a.csv:3: item: is not CSV" in result.stderr
        assert "a.csv:5: item: is not UTF-8: byte 0xe9" in result.stderr
        assert sorted(fix[1] for fix in fixes(session)) == [1, 3, 5, 6]

    def test_a_gpx_written_by_another_library_is_read(self, run: Run, session: Session) -> None:
        gpx = gpxpy.gpx.GPX()
        track, segment = gpxpy.gpx.GPXTrack(), gpxpy.gpx.GPXTrackSegment()
        gpx.tracks.append(track)
        track.segments.append(segment)
        start = dt.datetime(2021, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
        written = [(start + dt.timedelta(seconds=n), 47.0 + n / 1e4, 8.5) for n in range(1500)]
        for at, lat, lon in written:
            segment.points.append(gpxpy.gpx.GPXTrackPoint(lat, lon, time=at, elevation=400))
        gpx.waypoints.append(gpxpy.gpx.GPXWaypoint(1, 2, time=start))
        result = run("locations", {"a.gpx": gpx.to_xml()}, "--person", "G-7")
        assert result.exit_code == 0, result.stderr
        kept = fixes(session)
        assert [fix[0] for fix in kept] == [at for at, _, _ in written]
        assert [fix[1] for fix in kept] == pytest.approx([lat for _, lat, _ in written])

    def test_a_bad_point_of_a_gpx_is_refused_by_its_line(self, run: Run, session: Session) -> None:
        gpx = (
            '<?xml version="1.0"?>\n<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>\n'
            '<trkpt lat="1" lon="2"><time>2021-03-04T05:06:07</time></trkpt>\n'
            '<trkpt lat="north" lon="2"><time>2021-03-04T05:06:08Z</time></trkpt>\n'
            '<trkpt lat="1" lon="2"/>\n'
            "</trkseg></trk></gpx>\n"
        )
        result = run("locations", {"a.gpx": gpx}, "--person", "G-7")
        assert result.exit_code == 1
        assert "a.gpx:4: lat: " in result.stderr
        assert "a.gpx:5: occurred_at: Field required" in result.stderr
        assert [fix[0] for fix in fixes(session)] == [
            dt.datetime(2021, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
        ]

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("a.plt", "lat,lon\n", "does not begin as a GeoLife track does"),
            ("a.gpx", "no xml", "is not XML"),
            ("a.gpx", "<html/>", "is not GPX"),
            ("a.csv", "lat,lon\n1,2\n", "has no column time"),
            ("a.csv", "", "is empty"),
            ("a.csv", b"lat,lon,time\n\xff\xfe,1,2\n", "a.csv:2: item: is not UTF-8: byte 0xff"),
            ("a.csv", b"lat,lon,time\xff\n1,2,3\n", "has a header that is not UTF-8"),
            ("a.csv", "lat,lon,time,Lat\n", "has the column lat more than once"),
            ("a.plt", PLT[: PLT.index("39.98")], "has no fix"),
        ],
    )
    def test_a_file_that_is_something_else_says_so(
        self, run: Run, session: Session, name: str, content: str | bytes, reason: str
    ) -> None:
        result = run("locations", {name: content}, "--person", "G-7")
        assert result.exit_code == 1
        assert reason in result.stderr
        assert fixes(session) == []

    def test_what_came_before_a_fault_in_the_file_is_kept(self, run: Run, session: Session) -> None:
        point = '<trkpt lat="1" lon="2"><time>2021-03-04T05:06:07Z</time></trkpt>'
        result = run("locations", {"a.gpx": f"<gpx>{point}</oops>{point}"}, "--person", "G-7")
        assert result.exit_code == 1
        assert result.stdout == "Locations: 1 stored, 0 were there already, 1 refused.\n"
        assert "a.gpx: is not XML: mismatched tag" in result.stderr

    def test_several_files_and_another_format_than_the_name_says(
        self, run: Run, session: Session
    ) -> None:
        later = PLT.replace("2008-10-23", "2008-10-24")
        options = ("--person", "G-7", "--format", "geolife")
        result = run("locations", {"a.plt": PLT, "b.txt": later}, *options)
        assert result.stdout == "Locations: 4 stored, 0 were there already, 0 refused.\n"

    @pytest.mark.parametrize(
        ("name", "options", "reason"),
        [
            ("a.txt", ("--person", "G-7"), "give --format"),
            ("a.plt", ("--person", "nobody"), "there is no person 'nobody'"),
            ("a.plt", ("--person", "9" * 30), "there is no person"),
            ("a.plt", ("--person", "G-7", "--tenant", "nowhere"), "there is no tenant 'nowhere'"),
            ("a.plt", (), "Missing option '--person'"),
        ],
    )
    def test_a_call_that_cannot_be_meant_is_explained(
        self, run: Run, name: str, options: tuple[str, ...], reason: str
    ) -> None:
        result = run("locations", {name: PLT}, *options)
        assert result.exit_code == 2
        assert reason in result.stderr

    def test_the_person_may_be_given_by_id(self, run: Run, guard: Person) -> None:
        assert run("locations", {"a.plt": PLT}, "--person", str(guard.id)).exit_code == 0


PUNCHES = """person_code,site_code,kind,occurred_at,lat,lon,mock_location,device_code,battery_level
G-7,HQ,in,2019-04-01T08:00:00+05:30,19.0,72.8,no,PHONE-1,80
G-7,HQ,out,2019-04-01T16:00:00+05:30,,,,PHONE-1,
"""


@pytest.mark.usefixtures("guard")
class TestAttendance:
    def test_punches_of_any_age_are_stored_once_and_left_to_the_jobs(
        self, run: Run, session: Session, guard: Person, site: Site, announced: list[Any]
    ) -> None:
        first = run("attendance", {"p.csv": PUNCHES})
        again = run("attendance", {"p.csv": PUNCHES})
        assert first.stdout == "Punches: 2 stored, 0 were there already, 0 refused.\n"
        assert again.stdout == "Punches: 0 stored, 2 were there already, 0 refused.\n"
        punch_in, punch_out = session.scalars(
            select(AttendanceEvent).order_by(AttendanceEvent.occurred_at)
        ).all()
        assert (punch_in.person_id, punch_in.site_id) == (guard.id, site.id)
        assert (punch_in.mock_location, punch_in.battery_level) == (False, 80)
        assert punch_in.occurred_at == dt.datetime(2019, 4, 1, 2, 30, tzinfo=dt.UTC)
        assert (punch_in.source, punch_in.scored_at) == ("import", None)
        assert punch_out.lat is punch_out.mock_location is punch_out.battery_level is None
        device = session.scalars(select(Device)).one()
        assert punch_in.device_id == punch_out.device_id == device.id
        assert announced == [(2, False)]

    def test_ids_do_as_well_as_codes(
        self, run: Run, guard: Person, site: Site, announced: list[Any]
    ) -> None:
        rows = (
            "external_id,person_id,site_id,kind,occurred_at\n"
            f"a,{guard.id},{site.id},in,2019-04-01T08:00:00Z\n"
        )
        assert run("attendance", {"p.csv": rows}).exit_code == 0

    def test_what_was_refused_is_said_line_by_line(
        self, run: Run, session: Session, announced: list[Any]
    ) -> None:
        rows = PUNCHES + (
            "G-8,HQ,in,2019-04-02T08:00:00Z,,,,,\n"
            "G-7,LOFT,in,2019-04-02T08:00:00Z,,,,,\n"
            "G-7,HQ,nap,2019-04-02T08:00:00Z,,,,,\n"
            "G-7,HQ,in,2019-04-02 08:00,,,,,\n"
            "G-7,HQ,in,2019-04-02T08:00:00Z,north,1,,,\n"
            "G-7,HQ,in,2019-04-02T08:00:00Z,,,perhaps,,\n"
            ",HQ,in,2019-04-02T08:00:00Z,,,,,\n"
        )
        result = run("attendance", {"p.csv": rows})
        assert result.exit_code == 1
        assert result.stdout == "Punches: 2 stored, 0 were there already, 7 refused.\n"
        said = [line for line in result.stderr.splitlines() if "p.csv:" in line]
        assert [line.rpartition("/")[2].split(": ")[:2] for line in said] == [
            ["p.csv:4", "person_code"],
            ["p.csv:5", "site_code"],
            ["p.csv:6", "kind"],
            ["p.csv:7", "occurred_at"],
            ["p.csv:8", "lat"],
            ["p.csv:9", "mock_location"],
            ["p.csv:10", "person_id"],
        ]
        assert session.scalar(select(func.count()).select_from(AttendanceEvent)) == 2

    def test_codes_and_ids_that_cannot_be_are_refused_in_the_words_of_the_interface(
        self, run: Run, session: Session
    ) -> None:
        rows = (
            "person_code,site_code,person_id,device_code,external_id,kind,occurred_at\n"
            "G\x007,HQ,,,,in,2019-04-02T08:00:00Z\n"
            "G/7,HQ,,,,in,2019-04-02T08:00:00Z\n"
            "G-7,..,,,,in,2019-04-02T08:00:00Z\n"
            f",HQ,{'9' * 5000},,,in,2019-04-02T08:00:00Z\n"
            "G-7,HQ,,a/b,,in,2019-04-02T08:00:00Z\n"
            "G-7,HQ,,,\u202ex,in,2019-04-02T08:00:00Z\n"
            "G-7,HQ,,,  x  ,in,2019-04-02T08:00:00Z\n"
        )
        result = run("attendance", {"p.csv": rows})
        said = [line.rpartition("/p.")[2] for line in result.stderr.splitlines() if "csv:" in line]
        assert [line.split(": ")[:2] for line in said] == [
            ["csv:2", "person_code"],
            ["csv:3", "person_code"],
            ["csv:4", "site_code"],
            ["csv:5", "person_id"],
            ["csv:6", "device_id"],
            ["csv:7", "external_id"],
        ]
        assert "one line" in said[0]
        assert "nor contain" in said[2]
        assert session.scalars(select(AttendanceEvent.external_id)).all() == ["x"]

    def test_a_header_without_what_a_punch_needs_is_refused(self, run: Run) -> None:
        result = run("attendance", {"p.csv": "person_id,site_id\n1,1\n"})
        assert result.exit_code == 1
        assert "has no column kind, occurred_at in its header" in result.stderr


def test_an_entity_bomb_is_not_expanded() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY l0 "ha">{laughs}]><gpx>&l11;</gpx>'
    with pytest.raises(ValueError, match="is not XML"):
        list(read_gpx(io.BytesIO(bomb.encode())))

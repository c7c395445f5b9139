"""Real phones' tracks go in completely, and distances agree with an independent library."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from geographiclib.geodesic import Geodesic
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from noc.importing import import_group
from noc.telemetry.models import LocationUpdate
from noc.workforce.models import Person
from tests.factories import Make

Fix = tuple[dt.datetime, float, float]

WINDOW = dt.timedelta(minutes=120)
FASTEST = 250_000 / 3600


def read_plainly(path: Path) -> list[Fix]:
    """The fixes of a file, read without the product's reader."""
    fixes = []
    for line in path.read_text().splitlines()[6:]:
        lat, lon, _, _, _, day, time = line.split(",")
        moment = dt.datetime.strptime(f"{day} {time} +0000", "%Y-%m-%d %H:%M:%S %z")
        fixes.append((moment, float(lat), float(lon)))
    return fixes


def walked(fixes: list[Fix]) -> float:
    """Metres by Karney's geodesics, from each fix that counted to the next."""
    total, (since, lat, lon) = 0.0, fixes[0]
    for moment, to_lat, to_lon in fixes[1:]:
        step = Geodesic.WGS84.Inverse(lat, lon, to_lat, to_lon, Geodesic.DISTANCE)["s12"]
        if step <= FASTEST * (moment - since).total_seconds():
            total += step
            since, lat, lon = moment, to_lat, to_lon
    return total


def windows_of(tracks: list[list[Fix]]) -> list[dt.datetime]:
    """Ends of windows worth asking for: in the middle, at a fix, and after the longest tracks."""
    longest = sorted(tracks, key=len)[-2:]
    middles = [track[len(track) // 2][0] for track in longest]
    return [*middles, longest[-1][-1][0], longest[0][-1][0] + dt.timedelta(minutes=45)]


def test_real_tracks_import_completely_and_measure_right(
    api: Any, make: Make, session: Session, geolife: Path
) -> None:
    site = make.site()
    people: dict[Path, Person] = {
        folder: make.person(site, code=folder.name) for folder in sorted(geolife.iterdir())
    }
    session.commit()
    compared = 0
    for folder, person in people.items():
        paths = sorted(folder.glob("*.plt"))
        arguments = ["locations", *map(str, paths), "--person", folder.name, "--tenant", "acme"]
        result = CliRunner().invoke(import_group, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.stderr

        tracks = [read_plainly(path) for path in paths]
        fixes = sorted((fix for track in tracks for fix in track), key=lambda fix: fix[0])
        stored = select(func.count()).where(LocationUpdate.person_id == person.id)
        assert session.scalar(stored) == len(fixes), "every line of every file"

        for end in windows_of(tracks):
            inside = [fix for fix in fixes if end - WINDOW <= fix[0] <= end]
            at = end.isoformat().replace("+", "%2B")
            answer = api.get(f"telemetry/signals/{person.id}/?at={at}&window_minutes=120")
            signals = answer.json["data"]["signals"]
            assert signals["location_updates_count"] == len(inside)
            assert signals["movement_distance_meters"] == pytest.approx(
                walked(inside), rel=1e-7, abs=0.01
            )
            compared += len(inside)
    assert compared > 5000, "the windows were real ones"

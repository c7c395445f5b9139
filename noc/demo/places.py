"""Where the simulated companies work: real districts of real cities, invented clients."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """A city with points in some of its districts, degrees; ``names`` picks the pool of names."""

    name: str
    timezone: str
    names: str
    districts: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class SiteKind:
    """What a kind of site does to guards and phones.

    ``radius``: its geofence, metres. ``accuracy``: median of the phones' GPS accuracy, metres.
    ``drift``: share of punches whose fix is thrown off by walls. ``signal``: median, dBm.
    ``offline``: share of punches that wait for reception.
    """

    label: str
    radius: float
    accuracy: float
    drift: float
    signal: float
    offline: float
    hours: int = 8
    slots: int = 3
    polygon: bool = False


KINDS = (
    SiteKind("Tower", 120, 21, 0.035, -82, 0.010),
    SiteKind("Logistics Park", 260, 9, 0.004, -79, 0.012, polygon=True),
    SiteKind("Mall", 170, 16, 0.010, -76, 0.006, slots=2),
    SiteKind("Data Centre", 140, 13, 0.006, -88, 0.030, hours=12, slots=2),
    SiteKind("Campus", 240, 10, 0.004, -74, 0.006, polygon=True),
    SiteKind("Hospital", 160, 15, 0.010, -80, 0.012),
    SiteKind("Residences", 110, 18, 0.020, -77, 0.006),
    SiteKind("Depot", 210, 9, 0.003, -84, 0.022),
)

CLIENTS = (
    "Meridian", "Kestrel", "Halcyon", "Asterion", "Larkspur", "Ironbark", "Quillon", "Verdant",
    "Tidewater", "Solstice", "Copperfield", "Northlight", "Palisade", "Redwing", "Silverline",
    "Umbra", "Windrose", "Yarrow", "Zephyr", "Belvoir", "Calder", "Driftwood", "Evergate",
    "Foxglove", "Greywell", "Harrow", "Inkwell", "Juniper", "Kingsley", "Lodestar",
    "Marlowe", "Nightjar", "Orchard", "Pinnacle", "Quarry", "Rosefield", "Stonebrook",
    "Thornbury", "Undercliff", "Vantage",
)  # fmt: skip
"""Invented names of clients."""


@dataclass(frozen=True, slots=True)
class CompanyPlan:
    """A simulated security company: its share of the guards and sites, and where it works."""

    slug: str
    name: str
    prefix: str
    share: float
    cities: tuple[City, ...]


_ASIA = (
    City("Mumbai", "Asia/Kolkata", "india", (
        ("Bandra Kurla", 19.0670, 72.8697), ("Andheri", 19.1197, 72.8464),
        ("Powai", 19.1176, 72.9060), ("Lower Parel", 18.9950, 72.8300))),
    City("Dubai", "Asia/Dubai", "gulf", (
        ("Business Bay", 25.1850, 55.2720), ("Al Quoz", 25.1370, 55.2340),
        ("Deira", 25.2697, 55.3095))),
    City("Singapore", "Asia/Singapore", "singapore", (
        ("Raffles Place", 1.2840, 103.8510), ("Jurong", 1.3329, 103.7436),
        ("Changi", 1.3644, 103.9915))),
    City("Delhi", "Asia/Kolkata", "india", (
        ("Connaught Place", 28.6315, 77.2167), ("Okhla", 28.5355, 77.2730),
        ("Gurugram", 28.4595, 77.0266))),
    City("Tokyo", "Asia/Tokyo", "japan", (
        ("Shinjuku", 35.6938, 139.7034), ("Shinagawa", 35.6285, 139.7388),
        ("Ueno", 35.7138, 139.7770))),
    City("Bengaluru", "Asia/Kolkata", "india", (
        ("Whitefield", 12.9698, 77.7500), ("Koramangala", 12.9352, 77.6245),
        ("Electronic City", 12.8452, 77.6602))),
)  # fmt: skip

_EUROPE = (
    City("London", "Europe/London", "britain", (
        ("City", 51.5155, -0.0922), ("Canary Wharf", 51.5054, -0.0235),
        ("Park Royal", 51.5300, -0.2720), ("Croydon", 51.3762, -0.0982))),
    City("Berlin", "Europe/Berlin", "germany", (
        ("Mitte", 52.5200, 13.4050), ("Adlershof", 52.4370, 13.5450),
        ("Spandau", 52.5360, 13.2000))),
    City("Paris", "Europe/Paris", "france", (
        ("La Défense", 48.8920, 2.2360), ("Bercy", 48.8396, 2.3828))),
    City("Athens", "Europe/Athens", "greece", (
        ("Marousi", 38.0500, 23.8050), ("Piraeus", 37.9430, 23.6470))),
    City("Warsaw", "Europe/Warsaw", "poland", (
        ("Wola", 52.2350, 20.9800), ("Służewiec", 52.1790, 20.9960))),
    City("Manchester", "Europe/London", "britain", (
        ("Spinningfields", 53.4794, -2.2530), ("Trafford Park", 53.4670, -2.3200))),
)  # fmt: skip

_AMERICA = (
    City("New York", "America/New_York", "america", (
        ("Midtown", 40.7549, -73.9840), ("Long Island City", 40.7447, -73.9485),
        ("Newark", 40.7357, -74.1724))),
    City("Los Angeles", "America/Los_Angeles", "america", (
        ("Downtown", 34.0450, -118.2570), ("Long Beach", 33.7900, -118.1800),
        ("Burbank", 34.1808, -118.3090))),
    City("Chicago", "America/Chicago", "america", (
        ("Loop", 41.8786, -87.6400), ("O'Hare", 41.9786, -87.9048))),
    City("Denver", "America/Denver", "america", (
        ("LoDo", 39.7530, -104.9990), ("Aurora", 39.7294, -104.8319))),
    City("Phoenix", "America/Phoenix", "america", (
        ("Midtown", 33.4942, -112.0740), ("Tempe", 33.4255, -111.9400))),
    City("Miami", "America/New_York", "america", (
        ("Brickell", 25.7660, -80.1960), ("Doral", 25.8195, -80.3553))),
)  # fmt: skip

COMPANIES = (
    CompanyPlan("sentinel", "Sentinel Guarding (simulated)", "SEN", 0.40, _ASIA),
    CompanyPlan("northwatch", "Northwatch Security (simulated)", "NOR", 0.33, _EUROPE),
    CompanyPlan("harbor", "Harbor Protection (simulated)", "HAR", 0.27, _AMERICA),
)

"""The look holds for every reader: contrast, colour vision, even steps."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import dashboards
from dashboards import theme
from dashboards.theme import COLOURS, SCHEMES, SCORE_RAMP, SEVERITY_COLOURS, Scheme

# Severity 1.0 of each deficiency, Machado, Oliveira and Fernandes 2009, for linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    matrix = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
         [0.0193339, 0.1191920, 0.9503041]]
    )  # fmt: skip
    xyz = matrix @ rgb / [0.95047, 1, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_is_readable_on_both_surfaces(scheme: Scheme) -> None:
    tokens = COLOURS[scheme]
    for text, surface in itertools.product(("text", "muted", "accent"), ("bg", "surface")):
        assert contrast(tokens[text], tokens[surface]) >= 4.5, f"{text} on {surface}"
    assert contrast(tokens["on-accent"], tokens["accent"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_severities_written_in_their_colour_are_readable(scheme: Scheme) -> None:
    for severity in ("CRITICAL", "HIGH"):
        assert contrast(SEVERITY_COLOURS[scheme][severity], COLOURS[scheme]["surface"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("vision", VISION)
def test_severities_differ_for_every_colour_vision(scheme: Scheme, vision: str) -> None:
    seen = {
        name: lab(np.clip(VISION[vision] @ linear(colour), 0, 1))
        for name, colour in SEVERITY_COLOURS[scheme].items()
    }
    for one, other in itertools.combinations(seen, 2):
        distance = np.linalg.norm(seen[one] - seen[other])
        assert distance > 10, f"{one} and {other} look alike to {vision}"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_scores_grow_evenly_and_away_from_the_surface(scheme: Scheme) -> None:
    lightness = [lab(linear(stop))[0] for stop in SCORE_RAMP[scheme]]
    steps = np.diff(lightness) * (1 if scheme == "dark" else -1)
    assert (steps > 0).all()
    assert steps.max() < 1.6 * steps.min()


def test_the_stylesheets_take_every_colour_from_the_tokens() -> None:
    folder = Path(dashboards.__file__).parent
    for sheet in [*folder.glob("assets/noc*.css"), folder / "public" / "sign-in.css"]:
        hexes = re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", sheet.read_text())
        assert not hexes, f"{sheet.name}: {hexes}"


def test_the_stylesheets_know_no_size_of_type_beyond_the_scale() -> None:
    folder = Path(dashboards.__file__).parent
    for sheet in [*folder.glob("assets/noc*.css"), folder / "public" / "sign-in.css"]:
        sizes = set(re.findall(r"font-size: ([^;]+);", sheet.read_text()))
        allowed = {f"var(--fs-{size})" for size in theme.TYPE_SCALE} | {"0", "16px"}
        assert sizes <= allowed, f"{sheet.name}: {sizes - allowed}"

"""The look, stated once: tokens, and what pages, kit, charts and the sign-in make of them.

Everything else (``assets/noc.css``, ``public/sign-in.css``, the grid) names these tokens as CSS
variables and never a colour or a size of its own.
"""

from __future__ import annotations

from typing import Any, Literal

import plotly.graph_objects as go

from noc.domain import SEVERITIES, Severity

Scheme = Literal["dark", "light"]
SCHEMES: tuple[Scheme, ...] = ("dark", "light")

TYPE_SCALE = (12, 13, 14, 16, 20, 28)
SPACING = (4, 8, 12, 16, 24, 32)
RADIUS = 6
FONT = '"Inter", "Segoe UI", system-ui, -apple-system, "Noto Sans", sans-serif'

COLOURS: dict[Scheme, dict[str, str]] = {
    "dark": {
        "bg": "#0e1116",
        "surface": "#161b22",
        "line": "#2b323d",
        "text": "#e7eaf0",
        "muted": "#9aa4b2",
        "accent": "#4fc1ae",
        "on-accent": "#06211d",
        "unmeasured": "#232932",
    },
    "light": {
        "bg": "#f5f6f8",
        "surface": "#ffffff",
        "line": "#dce0e6",
        "text": "#171b21",
        "muted": "#566070",
        "accent": "#0b7568",
        "on-accent": "#ffffff",
        "unmeasured": "#f0f1f3",
    },
}
"""Two surfaces, one line, one accent per scheme; ``unmeasured`` is the grey of what is unknown."""

SEVERITY_COLOURS: dict[Scheme, dict[Severity, str]] = {
    "dark": {
        "CRITICAL": "#ff4d6d",
        "HIGH": "#f28a2e",
        "MEDIUM": "#f5e58c",
        "LOW": "#4c9be0",
        "INFO": "#8d98a7",
    },
    "light": {
        "CRITICAL": "#8e0b3e",
        "HIGH": "#b54000",
        "MEDIUM": "#ad9200",
        "LOW": "#1d64b4",
        "INFO": "#5f6b7c",
    },
}
"""Told apart by readers of every colour vision (simulated after Machado et al. 2009 in the tests);
a shape and a word always go with them."""

SEVERITY_SYMBOLS: dict[Severity, str] = {
    "CRITICAL": "diamond",
    "HIGH": "triangle-up",
    "MEDIUM": "square",
    "LOW": "circle",
    "INFO": "circle-open",
}
"""The shape of each severity in charts; ``noc.css`` draws the same ones."""

SCORE_RAMP: dict[Scheme, tuple[str, ...]] = {
    "dark": ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"),
    "light": ("#d5e3ee", "#a2b9d5", "#7391b8", "#496a97", "#234574", "#00224e"),
}
"""Scores from 0 to 1, even in lightness and the same for colour-blind readers: cividis (Nuñez,
Anderton and Renslow 2018) on dark, its blue alone on light. High is what stands out."""


def score_scale(scheme: Scheme) -> list[list[Any]]:
    """Plotly colour scale for scores in [0, 1]: what matters stands out from the surface."""
    stops = SCORE_RAMP[scheme]
    return [[i / (len(stops) - 1), colour] for i, colour in enumerate(stops)]


def css_tokens() -> str:
    """The tokens as CSS variables, for both schemes.

    The scheme is the attribute ``data-mantine-color-scheme`` of the root element; without one it
    is what the reader's system prefers. Paper is light.
    """
    shared = [f"--fs-{size}: {size / 16:g}rem;" for size in TYPE_SCALE]
    shared += [f"--sp-{step}: {step}px;" for step in SPACING]
    shared += [f"--radius: {RADIUS}px;", f"--font: {FONT};"]
    dark, light = (_variables(scheme) for scheme in SCHEMES)
    return "\n".join(
        (
            f":root {{ {' '.join(shared)} color-scheme: light; {light} }}",
            "@media screen {",
            f'  :root[data-mantine-color-scheme="dark"] {{ color-scheme: dark; {dark} }}',
            "}",
            "@media screen and (prefers-color-scheme: dark) {",
            f"  :root:not([data-mantine-color-scheme]) {{ color-scheme: dark; {dark} }}",
            "}",
        )
    )


def _variables(scheme: Scheme) -> str:
    tokens = dict(COLOURS[scheme])
    tokens |= {f"sev-{name.lower()}": SEVERITY_COLOURS[scheme][name] for name in SEVERITIES}
    stops = ", ".join(stop[1] for stop in score_scale(scheme))
    tokens["score-ramp"] = f"linear-gradient(90deg, {stops})"
    return " ".join(f"--{name}: {value};" for name, value in tokens.items())


def mantine() -> dict[str, Any]:
    """The theme of the component kit, in our scale; its colours come from ``noc.css``."""
    sizes = ("xs", "sm", "md", "lg", "xl")
    controls = {"size": "xs", "radius": RADIUS}
    named = ("Select", "TextInput", "MultiSelect", "Textarea", "SegmentedControl", "Button")
    return {
        "fontFamily": FONT,
        "fontSizes": {
            name: f"{size / 16:g}rem" for name, size in zip(sizes, TYPE_SCALE[:5], strict=True)
        },
        "spacing": {name: f"{step}px" for name, step in zip(sizes, SPACING[:5], strict=True)},
        "defaultRadius": RADIUS,
        "primaryColor": "accent",
        "primaryShade": {"dark": 4, "light": 7},
        "colors": {"accent": _shades()},
        "cursorType": "pointer",
        "components": {name: {"defaultProps": controls} for name in named},
    }


def _shades() -> list[str]:
    """Ten shades from light to dark around the accent of each scheme, as the kit wants them."""
    dark, light = COLOURS["dark"]["accent"], COLOURS["light"]["accent"]
    return [
        "#e8f6f3", "#cfece6", "#a9ddd3", "#7dcfc1", dark,
        "#2f9f8e", "#178578", light, "#085a50", "#06423b",
    ]  # fmt: skip


def template(scheme: Scheme) -> go.layout.Template:
    """The look of charts: the page's font, grid and colours on the page's own surface."""
    tokens = COLOURS[scheme]
    text = {"family": FONT, "size": TYPE_SCALE[0], "color": tokens["muted"]}
    axis = {
        "gridcolor": tokens["line"],
        "linecolor": tokens["line"],
        "zeroline": False,
        "ticks": "",
        "tickangle": 0,
        "tickfont": text,
        "title": {"font": text},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": text,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [tokens["accent"], *SEVERITY_COLOURS[scheme].values()],
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "showlegend": False,
            "hoverlabel": {
                "bgcolor": tokens["surface"],
                "bordercolor": tokens["line"],
                "font": {"family": FONT, "size": TYPE_SCALE[1], "color": tokens["text"]},
                "align": "left",
            },
            "dragmode": False,
            "hovermode": "closest",
        }
    )

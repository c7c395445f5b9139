"""Who a guard is linked with, as a graph: the guard in the middle, the others around."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from dashboards import theme

HEIGHT = 320
LOW = 150
"""For one or two others, who stand beside the guard and not above."""

_WIDE, _HIGH = 1.0, 0.78
"""Half axes of the ellipse that the others stand on: wide enough for their names."""


def figure(person_id: int, name: str, links: dict[str, Any], scheme: theme.Scheme) -> go.Figure:
    """``links`` of ``noc.fraud.links``; the layout follows from their order alone.

    A full line is a shared phone, a dashed one punches together; wider is more. A click on a
    point gives the person's id.
    """
    tokens = theme.COLOURS[scheme]
    people = links["people"]
    places = {person_id: (0.0, 0.0)} | _around([one["person_id"] for one in people])
    height = HEIGHT if len(people) > 2 else LOW
    chart = go.Figure(layout={"template": theme.template(scheme), "height": height})
    for edge in links["edges"]:
        if edge["a"] in places and edge["b"] in places:
            chart.add_trace(_line(
                places[edge["a"]], places[edge["b"]], edge["shared"], tokens["line"], "solid"
            ))  # fmt: skip
    for one in people:
        here, there = places[person_id], places[one["person_id"]]
        if one["shared"]:
            chart.add_trace(_line(here, there, one["shared"], tokens["accent"], "solid"))
        if one["unusual"]:
            # Beside the line of the phone, not on it.
            shift = 0.03 if one["shared"] else 0.0
            chart.add_trace(_line(
                (here[0], here[1] + shift), (there[0], there[1] + shift), one["together"],
                tokens["muted"], "dash",
            ))  # fmt: skip
    chart.add_trace(go.Scatter(
        x=[places[one["person_id"]][0] for one in people],
        y=[places[one["person_id"]][1] for one in people],
        mode="markers+text", name="People", text=[_short(one["name"]) for one in people],
        textposition=[_beside(places[one["person_id"]]) for one in people],
        textfont={"color": tokens["text"], "size": theme.TYPE_SCALE[0]},
        marker={
            "size": 14, "opacity": 1, "color": tokens["surface"],
            "line": {"width": 2, "color": tokens["text"]},
        },
        customdata=[[one["person_id"]] for one in people],
        hovertext=[f"<b>{one['name']}</b><br>{'<br>'.join(told(one))}" for one in people],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    chart.add_trace(go.Scatter(
        x=[0], y=[0], mode="markers", name="This guard", hoverinfo="skip",
        marker={"size": 18, "opacity": 1, "color": tokens["text"],
                "line": {"width": 3, "color": tokens["surface"]}},
    ))  # fmt: skip
    # On the surface's colour: lines lead to every side.
    chart.add_annotation(
        x=0,
        y=0,
        yshift=-22,
        text=_short(name),
        showarrow=False,
        bgcolor=tokens["surface"],
        font={"color": tokens["text"], "size": theme.TYPE_SCALE[1]},
    )
    bare = {"showgrid": False, "showticklabels": False, "fixedrange": True, "zeroline": False}
    chart.update_layout(
        xaxis=bare | {"range": [-1.7, 1.7]},
        yaxis=bare | {"range": [-1.05, 1.05]},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )
    return chart


def told(one: dict[str, Any]) -> list[str]:
    """What links a person with the guard, in sentences."""
    said = []
    if one["shared"]:
        phones = ", ".join(one["phones"])
        times = "once" if one["shared"] == 1 else f"{one['shared']} times"
        said.append(f"Both used {phones}, each at least {times}")
    if one["met"]:
        said.append(
            f"{one['together']} of {one['met']} arrivals and departures within 5 min "
            f"came within 1 min; usual is {one['usual']:.0%}"
        )
    return said


def _around(people: list[int]) -> dict[int, tuple[float, float]]:
    """Places on the ellipse, the first at the right, then round it."""
    turn = 2 * math.pi / max(len(people), 1)
    return {
        person: (_WIDE * math.cos(index * turn), _HIGH * math.sin(index * turn))
        for index, person in enumerate(people)
    }


def _beside(place: tuple[float, float]) -> str:
    x, y = place
    if abs(x) < 0.3 * _WIDE:
        return "top center" if y > 0 else "bottom center"
    return "middle right" if x > 0 else "middle left"


def _line(
    start: tuple[float, float], end: tuple[float, float], weight: int, colour: str, dash: str
) -> go.Scatter:
    return go.Scatter(
        x=[start[0], end[0]], y=[start[1], end[1]], mode="lines", hoverinfo="skip", name="Link",
        line={"width": min(1 + math.sqrt(weight) / 1.5, 5), "color": colour, "dash": dash},
    )  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"

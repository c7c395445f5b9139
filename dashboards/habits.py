"""What is usual for a person, beside what stood out."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks, words

_METRICS = (
    ("biometric_quality_score", "Face or finger match", "{:.2f}"),
    ("gps_accuracy", "Location accuracy", "{:.0f} m"),
    ("phone_signal_strength", "Phone signal", "{:.0f} dBm"),
    ("battery_level", "Battery", "{:.0f} %"),
)


def panel(habits: dict[str, Any] | None) -> html.Section:
    """The habits of 90 days; says so where there are none yet."""
    if habits is None:
        body: Any = html.P(
            "Habits are learnt each night from the last 90 days of punches.", className="muted pad"
        )
        return marks.section("Habits", body)
    pairs: list[tuple[str, str | None]] = [
        ("Punches", f"{habits['punches']:,} in {habits['days']} days")
    ]
    pairs += [(name, _usual(habits["metrics"].get(key), form)) for key, name, form in _METRICS]
    return marks.section(
        "Habits",
        html.Div(
            [
                html.P(sentence(habits["hour_histogram"]), className="habit"),
                marks.facts([(name, value) for name, value in pairs if value]),
            ],
            className="section-body",
        ),
        aside=html.Span(f"{habits['days']} days", className="muted"),
    )


def sentence(hours: list[int]) -> str:
    """When the person usually punches in: the shortest run of hours with most of the punches."""
    total = sum(hours)
    if not total:
        return "No punches in yet."
    spans = (
        (length, start, sum(hours[(start + i) % 24] for i in range(length)))
        for length in range(1, 25)
        for start in range(24)
    )
    length, start, inside = next(span for span in spans if span[2] >= 0.8 * total)
    return (
        f"{inside} of {words.count(total, 'punch in', 'punches in')} "
        f"came between {start:02}:00 and {(start + length) % 24:02}:00."
    )


def _usual(metric: dict[str, Any] | None, form: str) -> str | None:
    if not metric or not metric.get("count") or metric.get("mean") is None:
        return None
    spread = f" ± {form.format(metric['std'])}" if metric.get("std") else ""
    return form.format(metric["mean"]) + spread

"""The changes of a site's thresholds: when, from what to what, by whom and why."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import marks, words
from dashboards.figures import baseline_week


def section(rows: list[dict[str, Any]], zone: str) -> html.Section:
    """The latest changes of all hours; says so where there are none."""
    steps = [
        html.Li(
            [
                html.Div(
                    [
                        html.Span(
                            f"{words.say(words.BASELINE_CHANGE, row['action'])}, "
                            f"{row['old_threshold']:g} to {row['new_threshold']:g} deviations"
                        ),
                        html.Span(f"by {row['user_name'] or 'the weekly tuning'}"),
                        marks.moment(row["at"], zone),
                    ],
                    className="step-head",
                ),
                html.P(f"{_scope(row)}. {row['reason']}"),
            ]
        )
        for row in rows
    ]
    nothing = html.P(
        "No threshold has changed yet. The tuning looks every Sunday at what people said of the "
        "alerts.",
        className="muted",
    )
    return marks.section(
        "Changes of thresholds",
        html.Div(html.Ol(steps, className="steps") if steps else nothing,
                 className="section-body"),
        aside=html.Span(f"the last {len(rows)}" if rows else "", className="muted"),
    )  # fmt: skip


def _scope(row: dict[str, Any]) -> str:
    if row["level"] == "hour_of_week":
        return baseline_week.hour_name(row["slot"])
    if row["level"] == "hour_of_day":
        return f"Every day {row['slot']:02}:00"
    return "All hours"

"""What the parts of the page have in common towards the browser."""

from __future__ import annotations

from dash import ALL, Input


def retry(part: str) -> Input:
    """The button that asks again for a part that could not be read."""
    return Input({"type": "retry", "page": f"oncall-{part}", "n": ALL}, "n_clicks")

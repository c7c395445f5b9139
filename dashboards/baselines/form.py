"""Where an administrator changes the threshold of the chosen hour."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from dashboards import marks
from dashboards.marks import aria
from noc.identity.capabilities import ADMIN
from noc.identity.principal import required_principal


def may_change() -> bool:
    """Whether this reader may change thresholds: an administrator of the whole company."""
    principal = required_principal()
    return principal.may(ADMIN) and principal.site_ids is None


def form() -> html.Section | None:
    """Where an administrator pins, lets go and resets; None for everybody else."""
    if not may_change():
        return None
    return marks.section(
        "Change the threshold of this hour",
        html.Div(
            [
                html.Div(
                    [
                        dmc.NumberInput(
                            id="baselines-threshold",
                            label="Deviations",
                            min=1.5,
                            max=5,
                            step=0.1,
                            decimalScale=2,
                            size="xs",
                            className="baseline-number",
                        ),
                        dmc.TextInput(
                            id="baselines-reason",
                            label="Why",
                            placeholder="Who comes after you will read it",
                            className="baseline-why",
                        ),
                    ],
                    className="baseline-fields",
                ),
                html.Div(
                    [
                        button("pin", "Pin"),
                        button("let-go", "Let go"),
                        html.Span(className="spring"),
                        button("reset", "Forget and learn anew"),
                    ],
                    className="actions",
                ),
                html.Div(id="baselines-confirm", role="status", **aria(live="polite")),
            ],
            className="section-body act",
        ),
    )


def button(step: str, label: str, *, primary: bool = False) -> html.Button:
    """A button that takes a step with the baseline of the chosen hour."""
    return html.Button(
        label,
        id={"type": "baseline-step", "step": step},
        className="btn btn-primary" if primary else "btn",
        n_clicks=0,
        type="button",
    )

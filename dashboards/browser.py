"""Callbacks that run in the reader's browser: functions of ``window.noc`` in ``assets``."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output


def call(ui: Dash, name: str, *wires: Any, on_load: bool = True) -> None:
    """Call ``noc.<name>`` when an input of ``wires`` changes, and when it appears."""
    untyped: Any = ui
    untyped.clientside_callback(
        ClientsideFunction("noc", name),
        *wires,
        prevent_initial_call="initial_duplicate" if on_load else True,
    )


def keep_address(ui: Dash, *controls: str) -> None:
    """Keep the values of the controls in the page's address, ``heatmap-days`` as ``?days=``."""
    done = Output("sink", "data", allow_duplicate=True)
    call(ui, "keepAddress", done, *(Input(control, "value") for control in controls))

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


def keep_address(ui: Dash, *controls: str | Input) -> None:
    """Keep the values of the controls in the page's address, ``heatmap-days`` as ``?days=``.

    A control whose value is not its ``value`` is given as the input that has it.
    """
    done = Output("sink", "data", allow_duplicate=True)
    wires = (Input(one, "value") if isinstance(one, str) else one for one in controls)
    call(ui, "keepAddress", done, *wires)

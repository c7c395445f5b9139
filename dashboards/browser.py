"""Callbacks that run in the reader's browser: functions of ``window.noc`` in ``assets``."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash


def call(ui: Dash, name: str, *wires: Any, on_load: bool = True) -> None:
    """Call ``noc.<name>`` when an input of ``wires`` changes, and when it appears."""
    untyped: Any = ui
    untyped.clientside_callback(
        ClientsideFunction("noc", name),
        *wires,
        prevent_initial_call="initial_duplicate" if on_load else True,
    )

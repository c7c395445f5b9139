"""x"""

from dash import Dash, html

TITLE = "Fraud heatmap"


def layout(_q: dict[str, str], **_: int) -> html.Div:
    return html.Div()


def register(ui: Dash) -> None:
    return

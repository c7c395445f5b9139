"""x"""

from dash import Dash, html

TITLE = "People"


def layout(_q: dict[str, str], **_: int) -> html.Div:
    return html.Div()


def register(ui: Dash) -> None:
    return

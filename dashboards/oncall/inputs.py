"""The fields and buttons of the forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboards import words
from dashboards.marks import aria, data, icon_button
from dashboards.oncall.forms import Errors, Fields, said
from noc.domain import SEVERITIES


class Form:
    """Makes fields with the value and the error that belong to them."""

    def __init__(self, fields: Fields, errors: Errors) -> None:
        self._fields = fields
        self._errors = errors

    def text(self, name: str, label: str, **props: Any) -> dmc.TextInput:
        """A line of text."""
        return dmc.TextInput(**self._common(name, label, 0), **props)

    def number(
        self,
        name: str,
        label: str,
        low: int,
        high: int,
        *,
        n: int = 0,
        field: str = "",
        **props: Any,
    ) -> dmc.NumberInput:
        """A whole number."""
        return dmc.NumberInput(
            **self._common(name, label, n, field),
            min=low,
            max=high,
            allowDecimal=False,
            clampBehavior="none",
            size="xs",
            **props,
        )

    def select(self, name: str, label: str, choices: Mapping[str, str], **props: Any) -> dmc.Select:
        """One of the choices."""
        return dmc.Select(
            **self._common(name, label, 0), data=_options(choices), allowDeselect=False, **props
        )

    def several(
        self,
        name: str,
        label: str,
        choices: Mapping[int, str],
        *,
        n: int = 0,
        field: str = "",
        **props: Any,
    ) -> dmc.MultiSelect:
        """Some of the choices, ids all of them; what is gone stays until taken out."""
        common = self._common(name, label, n, field, below=True)
        chosen = common["value"] if isinstance(common["value"], list) else []
        gone = {key: "No longer there" for key in chosen if key not in map(str, choices)}
        options = {str(key): text for key, text in choices.items()} | gone
        return dmc.MultiSelect(
            **common | {"value": chosen},
            data=_options(options),
            searchable=True,
            size="xs",
            **props,
        )

    def tags(self, name: str, label: str, **props: Any) -> dmc.TagsInput:
        """Types of alerts: those known by name, or any other."""
        return dmc.TagsInput(
            **self._common(name, label, 0, below=True), data=sorted(words.ALERT), size="xs", **props
        )

    def switch(self, name: str, label: str, choices: Mapping[str, str]) -> html.Div:
        """One of a few choices, side by side."""
        return html.Div(
            [
                html.Span(label, className="mantine-InputWrapper-label"),
                dmc.SegmentedControl(
                    id={"type": "oncall-field", "name": name, "n": 0},
                    value=self._fields.get((name, 0)) or next(iter(choices)),
                    data=_options(choices),
                ),
            ],
            role="group",
            **aria(label=label),
        )

    def severities(self, name: str, label: str) -> dmc.Select:
        """The lowest severity."""
        choices: dict[str, str] = {
            code: words.say(words.SEVERITY, code) for code in reversed(SEVERITIES)
        }
        return self.select(name, label, choices)

    def _common(
        self, name: str, label: str, n: int, field: str = "", *, below: bool = False
    ) -> dict[str, Any]:
        return {
            "id": {"type": "oncall-field", "name": name, "n": n},
            "label": label,
            "value": self._fields.get((name, n)),
            "error": said(self._errors, field or name, below=below),
        }


def button(
    step: str, label: Any, *, n: int = 0, key: str = "", primary: bool = False, **props: Any
) -> html.Button:
    """A button of the form or of the list; ``n`` is the step, member or row it is for."""
    return html.Button(
        label,
        id=_step(step, key, n),
        className="btn btn-primary" if primary else props.pop("className", "btn"),
        n_clicks=0,
        type="button",
        **props,
    )


def small(step: str, mark: str, told: str, *, n: int, focus: str = "", **props: Any) -> html.Button:
    """A button with an icon alone; ``told`` says what it does."""
    marked = data(focus=focus) if focus else {}
    return icon_button(mark, told, id=_step(step, "", n), n_clicks=0, **marked, **props)


def _step(step: str, key: str, n: int) -> dict[str, Any]:
    return {"type": "oncall-step", "step": step, "key": key, "n": n}


def _options(choices: Mapping[Any, str]) -> list[dict[str, str]]:
    return [{"value": str(key), "label": label} for key, label in choices.items()]

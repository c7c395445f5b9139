"""A form's fields, filled with what was typed, each with its own fault beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dash_mantine_components as dmc

from dashboards.admin.steps import Refusal


class Form:
    """Fields of a part, filled with what was typed, each with its own fault beside it."""

    def __init__(self, part: str, values: Mapping[str, Any], refusal: Refusal | None = None):
        self._part, self._values = part, values
        self._faults = refusal.fields if refusal else {}
        self.names: list[str] = []

    def _common(self, name: str, label: str, hint: str | None) -> dict[str, Any]:
        self.names.append(name)
        fault = self._faults.get(name)
        return {
            "id": {"type": f"admin-{self._part}-field", "name": name},
            "label": label,
            "description": hint,
            "error": fault,
        }

    def text(self, name: str, label: str, hint: str | None = None, **props: Any) -> dmc.TextInput:
        """One line."""
        value = str(self._values.get(name) or "")
        return dmc.TextInput(**self._common(name, label, hint), value=value, **props)

    def prose(self, name: str, label: str, hint: str | None = None) -> dmc.Textarea:
        """Several lines."""
        value = str(self._values.get(name) or "")
        return dmc.Textarea(
            **self._common(name, label, hint), value=value, autosize=True, minRows=2, maxRows=6
        )

    def choice(
        self, name: str, label: str, options: Iterable[tuple[str, str]], hint: str | None = None,
        **props: Any,
    ) -> dmc.Select:  # fmt: skip
        """One of several."""
        value = self._values.get(name)
        return dmc.Select(
            **self._common(name, label, hint),
            data=_options(options),
            value=None if value is None else str(value),
            **({"allowDeselect": False} | props),
        )

    def several(
        self, name: str, label: str, options: Iterable[tuple[str, str]], hint: str | None = None,
        **props: Any,
    ) -> dmc.MultiSelect:  # fmt: skip
        """Any of several."""
        return dmc.MultiSelect(
            **self._common(name, label, hint),
            data=_options(options),
            value=[str(value) for value in self._values.get(name) or ()],
            searchable=True,
            clearable=True,
            **props,
        )

    def typed(self, name: str, label: str, hint: str | None = None, **props: Any) -> dmc.TagsInput:
        """Several words that are typed."""
        value = [str(one) for one in self._values.get(name) or ()]
        return dmc.TagsInput(**self._common(name, label, hint), value=value, **props)

    def boxes(
        self, name: str, label: str, options: Iterable[tuple[str, str, str]], hint: str | None
    ) -> dmc.CheckboxGroup:
        """Boxes to tick, each with what it means."""
        boxes = [
            dmc.Checkbox(value=value, label=word, description=meaning, size="xs")
            for value, word, meaning in options
        ]
        return dmc.CheckboxGroup(
            boxes,
            **self._common(name, label, hint),
            value=[str(value) for value in self._values.get(name) or ()],
            className="admin-boxes",
        )

    def moment(self, name: str, label: str, hint: str | None = None) -> dmc.DateTimePicker:
        """A day and a time, local to the place that the form names."""
        return dmc.DateTimePicker(
            **self._common(name, label, hint),
            value=self._values.get(name) or None,
            valueFormat="DD MMM YYYY HH:mm",
            clearable=True,
            size="xs",
        )


def _options(options: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in options]

"""What narrows a list: fields and choices, as they stand on the page and in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc

from dashboards.admin import steps
from dashboards.marks import aria, icon


@dataclass(frozen=True)
class Find:
    """A field for a part of a name; ``name`` is what the address calls it.

    ``told`` is for assistive technology, where the ``label`` says too little.
    """

    label: str
    name: str = "search"
    told: str = ""

    def control(self, key: str, query: Mapping[str, str]) -> dmc.TextInput:
        """The field, filled as the link says."""
        return dmc.TextInput(
            id=key,
            value=query.get(self.name, "")[:200],
            placeholder=self.label,
            debounce=300,
            className="admin-filter",
            leftSection=icon("search"),
            **aria(label=self.told or self.label),
        )

    def read(self, value: str | None) -> str:
        """What is searched for."""
        return steps.cleaned(value)


@dataclass(frozen=True)
class Pick:
    """One of the choices, by value and word; ``anything`` says that none of them is chosen."""

    label: str
    anything: str
    choices: Mapping[str, str]
    name: str

    def control(self, key: str, query: Mapping[str, str]) -> dmc.Select:
        """The choices, that of the link chosen."""
        return dmc.Select(
            id=key,
            value=self.read(query.get(self.name)) or None,
            placeholder=self.anything,
            data=[{"value": value, "label": word} for value, word in self.choices.items()],
            clearable=True,
            className="toolbar-select",
            **aria(label=self.label),
        )

    def read(self, value: str | None) -> str:
        """What is chosen; "" for what is not offered."""
        return value if value is not None and value in self.choices else ""


Control = Find | Pick

Asked = Mapping[str, str]
"""What the controls hold, by name; "" where they hold nothing."""


def asked(controls: tuple[Control, ...], values: Mapping[str, Any]) -> Asked:
    """What ``values`` of the controls ask for."""
    return {one.name: one.read(values.get(one.name)) for one in controls}

"""Goes over every operation of the interface."""

from __future__ import annotations

import re
from typing import Any

from apiflask import APIFlask

from noc.rest.openapi import API_PREFIX

NOTHING = {"int": "987654321", "uuid": "01a1fc50-5e68-73f2-9602-e1f8191796f4", "default": "x"}
"""What leads nowhere, by the kind of place in a path."""


def concrete(rule: str, places: dict[str, str] = NOTHING) -> str:
    """A rule's path below the prefix, with something in each place."""

    def filled(found: re.Match[str]) -> str:
        return places[(found[1] or "default:").partition(":")[0]]

    return re.sub(r"<(\w+:)?\w+>", filled, rule.removeprefix(f"{API_PREFIX}/"))


def operations(app: APIFlask, spec: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, rule, description) of every operation of the interface."""
    return [
        (method.lower(), rule.rule, spec["paths"][path][method.lower()])
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(f"{API_PREFIX}/")
        for path in [re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]

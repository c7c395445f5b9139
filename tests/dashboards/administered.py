"""The page Administration as its browser calls it: parts, steps, and lists."""

from __future__ import annotations

import re
from typing import Any

from dashboards.admin import sight
from tests.dashboards.conftest import Answer, Reader

PARTS = tuple(sight.NEEDS)

LISTS = {
    "users": ("users",),
    "tokens": ("tokens",),
    "sites": ("sites",),
    "notifications": ("routes", "deliveries"),
    "windows": ("windows",),
    "trail": ("trail",),
}
"""The lists of each part, which have callbacks of their own."""

SEARCHED = {"deliveries": "sent", "trail": "target"}
"""What the search of a list is called, where that is not ``search``."""

PAGED = {"deliveries": "sent-page"}


def part(reader: Reader, name: str, search: str = "") -> Any:
    """The part, as the address ``?part=...`` with ``search`` has it."""
    values = {"admin-part.data": name, "url.search": search}
    return reader.call("admin-body.children", "admin-part.data", values=values)


def answers_in(name: str) -> str:
    """The id of what a step of the part is answered in: beside its lists, or as a whole."""
    return f"admin-{name}-side" if name in LISTS else f"admin-{name}"


def press(
    reader: Reader, name: str, step: str, key: Any = "", fields: dict[str, Any] | None = None
) -> Answer:
    """What a button of the part answers, with the form's fields as they were filled."""
    kind = f"admin-{name}"
    values = {
        kind: [({"type": kind, "step": step, "key": str(key)}, 1)],
        f"{kind}-field": [
            ({"type": f"{kind}-field", "name": field}, value)
            for field, value in (fields or {}).items()
        ],
    }
    answer = reader.call(f"{answers_in(name)}.children", kind, values=values)
    assert isinstance(answer, Answer)
    return answer


def searched(name: str) -> str:
    """The id of the field in which a list is searched."""
    return f"{name}-{SEARCHED.get(name, 'search')}"


def paged(name: str) -> str:
    """The id of what holds how many pages of a list are shown."""
    return f"{name}-{PAGED.get(name, 'page')}"


def listed(
    reader: Reader, name: str, text: str | None = None, after: Any = None, **chosen: Any
) -> Answer:
    """A list: what is found, or with ``after`` the page behind that place.

    ``chosen`` are its other controls, ``state="dead"``; ``of`` what it is listed for.
    """
    kind = f"admin-{name}"
    changed = f"{searched(name)}.value" if after is None else f"{kind}-more.n_clicks"
    values = {
        f"{searched(name)}.value": text,
        f"{kind}-place.data": after,
        f"{kind}-of.data": chosen.pop("of", None),
        **{f"{name}-{control}.value": value for control, value in chosen.items()},
    }
    answer = reader.call(f"{kind}-table-rows.children", changed, values=values)
    assert isinstance(answer, Answer)
    return answer


def held(answer: Answer, key: str, prop: str = "data") -> Any:
    """What the answer gives the component with the id ``key``."""
    return answer.json["response"][key][prop]


def rows_in(answer: Answer) -> list[str]:
    """The keys of the rows, in order."""
    return re.findall(r'"data-key":"([0-9a-f-]+)"', answer.text)


def lines_in(answer: Answer) -> int:
    """How many rows there are, also of a table whose rows have no keys."""
    return answer.text.count('"type":"Tr"')


def who_did(reader: Reader, **chosen: Any) -> Answer:
    """The list of who did what, by ``actor``, ``target``, ``kind`` and ``days``."""
    return listed(reader, "trail", chosen.pop("target", None), **chosen)


def page(reader: Reader, search: str = "") -> Any:
    """The page itself."""
    values = {"url.pathname": "/app/admin", "url.search": search}
    return reader.call("page.children", "url.pathname", values=values)


def ids_in(answer: Any) -> set[str]:
    """The steps that buttons of an answer take."""
    return set(re.findall(r'"step":"([a-z-]+)"', answer.text))


def version_in(answer: Answer, step: str = "save") -> str:
    """The key of the button, as the form has it."""
    found = re.search(rf'"step":"{step}","key":"([^"]+)"', answer.text)
    assert found is not None
    return found[1]

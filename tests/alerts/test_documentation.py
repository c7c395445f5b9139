"""What people read of alerts and tickets is what the code keeps to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from noc.alerts.transitions import TRANSITIONS, Action
from noc.tickets.schemas import Category

DOCUMENT = Path(__file__).parents[2] / "docs" / "alerts-and-tickets.md"
ACTIONS: tuple[Action, ...] = ("acknowledge", "assign", "shelve", "resolve", "reopen")


def test_the_table_of_the_documents_is_the_codes() -> None:
    written = {}
    for text in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        if len(cells) == 6 and cells[0] in TRANSITIONS["note"]:
            for action, cell in zip(ACTIONS, cells[1:], strict=True):
                if cell:
                    written[action, cells[0]] = cells[0] if cell == "(stays)" else cell
    kept = {(name, old): new for name in ACTIONS for old, new in TRANSITIONS[name].items()}

    assert written == kept


def test_the_categories_of_the_documents_are_the_codes() -> None:
    told = re.search(r"with a `category` of (.*?)\.", DOCUMENT.read_text(), re.DOTALL)
    assert told is not None
    assert re.findall(r"[A-Z_]{5,}", told[1]) == list(get_args(Category))

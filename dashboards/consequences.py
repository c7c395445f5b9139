"""What one step ended or took back elsewhere, in words; from ``noc.aftermath``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards import words
from noc.aftermath import KINDS, joined

_NAMES = {"labels": "verdict", "findings": "finding", "alerts": "alert", "tickets": "ticket"}
_KINDS = {"label": "verdict"}


def and_with_it(taken: Sequence[Mapping[str, Any]]) -> str:
    """``, and 2 verdicts and 1 finding with it. 1 alert stays: ...``; empty where there is none."""
    told = joined(taken)
    parts = _counted(told)
    said = f", and {parts} with {'it' if len(taken) == 1 else 'them'}" if parts else ""
    kept = _kept(told)
    return f"{said}. {kept}" if kept else said


def line(detail: Mapping[str, Any] | None) -> str:
    """What an entry of a history says of it, as a sentence of its own; empty where nothing."""
    told = detail or {}
    named = told.get("evidence") if isinstance(told.get("evidence"), list) else None
    ended = _counted(told.get("set_off") or {})
    back = told.get("taken_back") or {}
    opened = _counted(back)
    parts = [
        _named(named or []),
        f"Also given or ended by it: {ended}." if ended else "",
        f"Also taken back: {opened}." if opened else "",
        _kept(back),
    ]
    return " ".join(part for part in parts if part)


def _named(links: Sequence[Sequence[str]]) -> str:
    """``Punch 12, alert 7 and 3 more.``"""
    if not links:
        return ""
    shown = ", ".join(f"{kind} {ref[:8]}" for kind, ref in links[:_SHOWN])
    more = f" and {len(links) - _SHOWN} more" if len(links) > _SHOWN else ""
    return f"{shown[:1].upper()}{shown[1:]}{more}."


_SHOWN = 3
"""Pieces of evidence that an entry names; the ticket lists all."""


def _counted(told: Mapping[str, Any]) -> str:
    parts = [words.count(len(told[name]), _NAMES[name]) for name in KINDS if told.get(name)]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _kept(told: Mapping[str, Any]) -> str:
    """What stays as it was, with its reason, by kind: ``1 verdict stays: ...``"""
    by_reason: dict[tuple[str, str], int] = {}
    for one in told.get("left", ()):
        key = (one["kind"], one["reason"])
        by_reason[key] = by_reason.get(key, 0) + 1
    return " ".join(
        f"{words.count(number, _KINDS.get(kind, kind))} "
        f"{'stays' if number == 1 else 'stay'}: {reason[:1].lower()}{reason[1:]}"
        for (kind, reason), number in by_reason.items()
    )

"""Batches of items that are taken one by one: what is wrong with one never loses another.

A batch is checked as a whole first, which costs about a microsecond an item; only when
something in it is refused is the rest checked again without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from noc.rest.problems import Problem, not_json, plain

T = TypeVar("T")

NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
"""Media types of one JSON value a line."""


class Rejection(TypedDict):
    """Why the item at ``index`` was refused: its first bad field, and the reason in words."""

    index: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of each item of a batch.

    ``items`` has one entry an item, in order: ``{"index", "id", "status"}``, with ``id`` None
    for what was rejected. ``rejected`` has exactly one entry for each rejected item, so that
    ``accepted + duplicates + len(rejected)`` is the size of the batch. ``scores`` is None
    unless scores were asked for.
    """

    items: list[dict[str, Any]]
    rejected: list[Rejection] = field(default_factory=list)
    scores: list[dict[str, Any]] | None = None

    @property
    def accepted(self) -> int:
        """Items stored by this batch."""
        return self.counts()["stored"]

    @property
    def duplicates(self) -> int:
        """Items that were there before, or earlier in the batch."""
        return self.counts()["duplicate"]

    def counts(self) -> Counter[str]:
        """How many items have each status."""
        return Counter(item["status"] for item in self.items)

    def body(self) -> dict[str, Any]:
        """The answer's ``data``."""
        counts = self.counts()
        data: dict[str, Any] = {
            "accepted": counts["stored"],
            "duplicates": counts["duplicate"],
            "rejected": self.rejected,
            "items": self.items,
        }
        if self.scores is not None:
            data["scores"] = self.scores
        return data


def outcome(
    size: int,
    outcomes: dict[int, dict[str, Any]],
    rejected: list[Rejection],
    scores: list[dict[str, Any]] | None = None,
) -> BatchResult:
    """The result of a batch of ``size`` from the outcome of each item that was not rejected.

    ``outcomes`` maps an index to its ``id``, ``status`` and whatever else its item says.
    """
    nothing = {"id": None, "status": "rejected"}
    items = [{"index": index} | outcomes.get(index, nothing) for index in range(size)]
    return BatchResult(items, sorted(rejected, key=lambda one: one["index"]), scores)


# -- reading a request's body ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in a batch for what could not be read at all; it is rejected with ``reason``."""

    reason: str
    field: str = "item"


@dataclass(frozen=True, slots=True)
class Body:
    """The items of a request, and whether it was one object rather than a batch."""

    items: list[Any]
    single: bool = False


def read_body(content: bytes, mimetype: str, *, limit: int) -> Body:
    """The items of a body: an object, an array, ``{"events": [...]}``, or NDJSON by ``mimetype``.

    Problem 400 for what is not JSON (of NDJSON only the broken line is lost, as an
    :class:`Unreadable`), 413 for more than ``limit`` items, 422 for JSON of another shape.
    """
    body = Body(_lines(content)) if mimetype in NDJSON else _whole(content)
    if len(body.items) > limit:
        reason = f"has {len(body.items)} items; at most {limit} are taken at once"
        raise Problem(
            413,
            "The batch is too large. Nothing of it was stored.",
            errors=[{"field": "body", "reason": reason}],
            limit=limit,
        )
    return body


def _whole(content: bytes) -> Body:
    try:
        value = from_json(content)
    except ValueError as error:
        raise not_json(str(error)) from error
    if isinstance(value, dict):
        if "events" not in value:
            return Body([value], single=True)
        value = value["events"]
    if not isinstance(value, list):
        raise Problem(
            422,
            "The body has no items.",
            errors=[
                {"field": "body", "reason": 'must be an object, an array or {"events": [...]}'}
            ],
        )
    return Body(value)


def _lines(content: bytes) -> list[Any]:
    return [_line(line) for line in content.split(b"\n") if line.strip()]


def _line(line: bytes) -> Any:
    try:
        return from_json(line)
    except ValueError as error:
        return Unreadable(f"is not JSON: {error}")


def answer(result: BatchResult, *, single: bool) -> tuple[dict[str, Any], int]:
    """The ``data`` and the HTTP status of a batch.

    201 when every item was stored by this request, else 200 with the fate of each. A single
    object that was rejected is a problem of its own: 422.
    """
    if single and result.rejected:
        refused = result.rejected[0]
        raise Problem(
            422,
            "The item was not accepted.",
            errors=[{"field": refused["field"], "reason": refused["reason"]}],
        )
    all_stored = bool(result.items) and result.accepted == len(result.items)
    return result.body(), 201 if all_stored else 200


# -- checking items -------------------------------------------------------------------------


def check_items(
    adapter: TypeAdapter[list[T]], items: Sequence[Any], *, depth: int = 1
) -> tuple[list[tuple[int, T]], list[Rejection]]:
    """The items that satisfy ``adapter``, each with its index, and a rejection for each other.

    ``depth``: how far below the index the name of a field stands in an error's location; 2 for
    a union told apart by a tag, which puts the tag in between.
    """
    try:
        return list(enumerate(adapter.validate_python(items))), []
    except ValidationError as error:
        rejected = _rejections(error, items, depth)
    good = [index for index in range(len(items)) if index not in rejected]
    checked = adapter.validate_python([items[index] for index in good])
    return list(zip(good, checked, strict=True)), list(rejected.values())


def _rejections(error: ValidationError, items: Sequence[Any], depth: int) -> dict[int, Rejection]:
    rejected: dict[int, Rejection] = {}
    for item in error.errors(include_url=False, include_input=False):
        location = item["loc"]
        index = int(location[0])
        if index in rejected:
            continue
        field_name, reason = "item", plain(str(item["msg"]))
        if isinstance(broken := items[index], Unreadable):
            field_name, reason = broken.field, broken.reason
        elif item["type"].startswith("union_tag"):
            field_name, reason = _tag(item)
        elif len(location) > depth:
            field_name = str(location[depth])
        rejected[index] = Rejection(index=index, field=field_name, reason=reason)
    return rejected


def _tag(item: Any) -> tuple[str, str]:
    context = item.get("ctx", {})
    name = str(context.get("discriminator", "kind")).strip("'")
    if item["type"] == "union_tag_not_found":
        return name, "Field required"
    return name, f"must be one of {context.get('expected_tags')}"

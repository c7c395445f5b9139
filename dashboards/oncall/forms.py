"""What the forms of schedules and policies hold, between the browser and the domain.

A form is told by its ``draft`` (what it is about, the members in their order, how many steps) and
by the values of its fields. Whatever they hold is for the domain's own bodies to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dashboards.callbacks import Id
from noc.identity.words import BadField
from noc.oncall.models import EscalationPolicy, OnCallSchedule
from noc.oncall.schemas import MOST_MEMBERS, MOST_STEPS, PolicyIn, ScheduleIn
from noc.rest.problems import Problem, field_errors

Kind = Literal["schedule", "policy"]

Text = Annotated[str, Field(max_length=1000)]
Value = Text | int | float | bool | None | Annotated[list[Text], Field(max_length=1000)]
"""What a field holds."""


class Draft(BaseModel):
    """A form that is open; ``key`` None: for something new. ``turn`` counts what was pressed."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    key: Id | None = None
    members: Annotated[list[Id], Field(max_length=MOST_MEMBERS + 1)] = []
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] = 1
    turn: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class FieldId(BaseModel):
    """The id of a field; ``n`` is the step that it belongs to."""

    type: Literal["oncall-field"]
    name: Annotated[str, Field(pattern="^[a-z_]{1,40}$")]
    n: Annotated[int, Field(ge=0, le=MOST_STEPS)]


Fields = dict[tuple[str, int], Any]
"""Values by the field's name and step."""

_STEP = ("after_minutes", "users", "schedules", "routes")


def together(ids: list[FieldId], values: list[Value]) -> Fields:
    """The values by their fields."""
    return {(key.name, key.n): value for key, value in zip(ids, values, strict=False)}


def of_schedule(row: OnCallSchedule | None) -> tuple[list[int], Fields]:
    """The members and the values of a stored schedule, or of a new one."""
    if row is None:
        new: dict[str, Any] = {
            "name": "", "timezone": None, "rotation": "weekly", "handover_weekday": "monday",
            "handover_time": "08:00", "starts_on": "",
        }  # fmt: skip
        return [], {(name, 0): value for name, value in new.items()}
    return list(row.members), {
        ("name", 0): row.name,
        ("timezone", 0): row.timezone,
        ("rotation", 0): row.rotation,
        ("handover_weekday", 0): row.handover_weekday or "monday",
        ("handover_time", 0): row.handover_time,
        ("starts_on", 0): "",
    }


def of_policy(row: EscalationPolicy | None, position: int) -> tuple[int, Fields]:
    """How many steps, and the values of a stored policy, or of a new one."""
    if row is None:
        fields: Fields = {
            ("name", 0): "", ("position", 0): position, ("min_severity", 0): "CRITICAL",
            ("site_ids", 0): [], ("alert_types", 0): [], ("active", 0): "on", ("repeats", 0): 0,
        }  # fmt: skip
        return 1, fields | new_step(0)
    fields = {
        ("name", 0): row.name,
        ("position", 0): row.position,
        ("min_severity", 0): row.min_severity,
        ("site_ids", 0): [str(key) for key in row.site_ids],
        ("alert_types", 0): list(row.alert_types),
        ("active", 0): "on" if row.active else "off",
        ("repeats", 0): row.repeats,
    }
    for number, step in enumerate(row.steps):
        fields[("after_minutes", number)] = step["after_minutes"]
        for name in _STEP[1:]:
            fields[(name, number)] = [str(key) for key in step[name]]
    return len(row.steps), fields


def new_step(number: int) -> Fields:
    """The values of a step that was just added."""
    targets: Fields = {(name, number): [] for name in _STEP[1:]}
    return targets | {("after_minutes", number): 5 if number == 0 else 10}


def without_step(fields: Fields, number: int, steps: int) -> Fields:
    """The values with that step gone and those after it moved up."""
    kept = {key: value for key, value in fields.items() if key[0] not in _STEP or key[1] < number}
    for later in range(number + 1, steps):
        for name in _STEP:
            kept[(name, later - 1)] = fields.get((name, later))
    return kept


def schedule_body(draft: Draft, fields: Fields) -> ScheduleIn:
    """The body that REST would be sent. ValidationError."""
    weekly = fields.get(("rotation", 0)) == "weekly"
    return ScheduleIn.model_validate(
        {
            "name": fields.get(("name", 0)) or "",
            "timezone": fields.get(("timezone", 0)) or "",
            "members": draft.members,
            "rotation": fields.get(("rotation", 0)),
            "handover_time": fields.get(("handover_time", 0)) or "",
            "handover_weekday": fields.get(("handover_weekday", 0)) if weekly else None,
            "starts_on": fields.get(("starts_on", 0)) or None,
        }
    )


def policy_body(draft: Draft, fields: Fields) -> PolicyIn:
    """The body that REST would be sent. ValidationError."""
    return PolicyIn.model_validate(
        {
            "name": fields.get(("name", 0)) or "",
            "position": _whole(fields.get(("position", 0))),
            "min_severity": fields.get(("min_severity", 0)),
            "site_ids": _ids(fields.get(("site_ids", 0))),
            "alert_types": fields.get(("alert_types", 0)) or [],
            "active": fields.get(("active", 0)) != "off",
            "repeats": _whole(fields.get(("repeats", 0))),
            "steps": [_step(fields, number) for number in range(draft.steps)],
        }
    )


def _step(fields: Fields, number: int) -> dict[str, Any]:
    targets = {name: _ids(fields.get((name, number))) for name in _STEP[1:]}
    return targets | {"after_minutes": _whole(fields.get(("after_minutes", number)))}


def _whole(typed: Any) -> Any:
    """The number that is written in digits; anything else as it is, to be refused."""
    digits = isinstance(typed, str) and len(typed) <= 9 and typed.isascii() and typed.isdigit()
    return int(typed) if digits else typed


def _ids(chosen: Any) -> Any:
    if not isinstance(chosen, list):
        return chosen or []
    return [_whole(one) for one in chosen]


Errors = dict[str, str]
"""Why it was not taken, by the domain's name of the field; "" for the whole."""


def errors_of(call: Callable[[], Any], names: Mapping[int, str]) -> Errors:
    """What the domain says against it; nothing where it was taken.

    ``names``: of the users that reasons speak of by id.
    """
    try:
        call()
    except ValidationError as error:
        return {item["field"]: _sentence(item["reason"]) for item in reversed(field_errors(error))}
    except BadField as error:
        return {error.field: _sentence(_named(str(error), names))}
    except Problem as error:
        return {"": error.detail}
    return {}


def said(errors: Errors, field: str, *, below: bool = False) -> str | None:
    """What is said of the field; ``below`` also of what is in it (``members.2``)."""
    found = errors.get(field)
    if found is None and below:
        found = next((text for key, text in errors.items() if key.startswith(f"{field}.")), None)
    return found


def _named(reason: str, names: Mapping[int, str]) -> str:
    def name(match: re.Match[str]) -> str:
        return names.get(int(match[1]), match[0])

    return re.sub(r"\buser (\d+)\b", name, reason)


_PLAINLY = (
    ("String should have at least 1", "Is needed"),
    ("List should have at least 1", "Is needed: at least one"),
    ("String should match pattern '^([01]", "Must be a time of day, such as 08:00"),
    ("Input should be a valid integer", "Must be a whole number"),
    ("Input should be a valid date", "Must be a day, such as 2026-11-16"),
)
"""How people are told what the validation of bodies says to programs."""


def _sentence(reason: str) -> str:
    plain = next((told for start, told in _PLAINLY if reason.startswith(start)), reason)
    return plain[:1].upper() + plain[1:]

"""What the reader says of punches: verdicts, and taking them back, in the order they were said."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dashboards import queries
from dashboards.callbacks import Note
from dashboards.review.side import VERDICT
from noc.fraud.review.labelling import Refused, Said, Seen, Verdict, label, take_back
from noc.fraud.review.schemas import Held
from noc.identity.principal import Principal

MOST = 25
"""Steps that one call may bring: more than anybody types while one is under way."""


class Step(BaseModel):
    """A verdict, or ``BACK``: take mine back. ``expected``: the verdict that was on the screen.

    ``to``: the verdict of a review that stood there before mine, which BACK gives again.
    """

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    verdict: Verdict | Literal["BACK"]
    note: Note = None
    expected: Held | None = None
    to: Held | None = None


class Steps(BaseModel):
    """What has been said since the last call."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=0, le=10**9)
    steps: list[Step] = Field(min_length=1, max_length=MOST)


def take(steps: list[Step], principal: Principal, now: dt.datetime) -> list[dict[str, Any]]:
    """Take the steps one after the other: for each whether it was taken, or the words why not.

    The caller commits.
    """
    return [_take(step, principal, now) for step in steps]


def _take(step: Step, principal: Principal, now: dt.datetime) -> dict[str, Any]:
    answer = {"id": str(step.id), "verdict": step.verdict, "ok": True, "words": ""}
    note = (step.note or "").strip() or None
    if step.verdict == "BACK":
        refused = _back(step, principal, now)
    else:
        said = Said(step.id, step.verdict, _kept(step, note), Seen(step.expected))
        refused = _say(said, principal, now)
        queries.review.let_go(step.id)
    if refused is None or _mine_already(refused, step):
        return answer
    return answer | {"ok": False, "words": _why(refused, step)}


def _back(step: Step, principal: Principal, now: dt.datetime) -> Refused | None:
    if step.to is not None:
        return _say(Said(step.id, step.to, None, Seen(step.expected)), principal, now)
    try:
        take_back(
            step.id,
            tenant_id=principal.tenant_id,
            site_ids=principal.site_ids,
            seen=Seen(step.expected),
        )
    except Refused as refused:
        return refused
    return None


def _say(said: Said, principal: Principal, now: dt.datetime) -> Refused | None:
    (outcome,) = label(
        [said],
        tenant_id=principal.tenant_id,
        user_id=principal.user_id,
        token=principal.name if principal.user_id is None else None,
        site_ids=principal.site_ids,
        now=now,
    )
    return outcome if isinstance(outcome, Refused) else None


def _kept(step: Step, note: str | None) -> str | None:
    """The note; of a look without an answer or words, what the one before wrote."""
    if step.verdict != "INCONCLUSIVE" or note is not None:
        return note
    found = queries.review.prediction(step.id)
    return found["looked_at"] if found else None


def _mine_already(refused: Refused, step: Step) -> bool:
    """Whether what was wanted is so: the call before got through, and its answer did not."""
    wanted = step.to if step.verdict == "BACK" else step.verdict
    return refused.stale and refused.verdict == wanted


def _why(refused: Refused, step: Step) -> str:
    if not refused.stale:
        return str(refused)
    found = queries.review.prediction(step.id)
    label_ = found["label"] if found else None
    if label_ is None:
        return "Somebody took the verdict back meanwhile. Look again."
    who = label_["labelled_by_name"] or "somebody else"
    return f"Already labelled {VERDICT[label_['verdict']].lower()} by {who}; nothing was changed."

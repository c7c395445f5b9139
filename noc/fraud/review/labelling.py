"""Verdicts on single punches: given, changed and taken back by whoever looks at them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog
from sqlalchemy import text

from noc.extensions import session
from noc.fraud.freshness import scores_changed
from noc.fraud.labels import RESTORED, REVIEWED, VERDICTS, label_punches

log = structlog.get_logger(__name__)

Verdict = Literal["CONFIRMED", "FALSE_POSITIVE", "INCONCLUSIVE"]
"""Fraud, genuine, or looked at without an answer."""

LOOKED_AT = "Looked at, inconclusive."
"""Note of an inconclusive look for which the reviewer wrote none: it marks that somebody did."""

# All rows of the punches, in one order, so that two reviewers wait for each other and do not
# deadlock. What is read after the wait is what the one before has committed.
_LOCK = text(
    """
    SELECT l.id, l.attendance_event_id AS punch, l.site_id, l.is_shadow,
        l.actual_fraud_detected AS fraud, l.label_source AS source,
        e.voided_at IS NOT NULL AS voided,
        EXISTS (SELECT FROM fraud_audit_draw d
                WHERE d.tenant_id = l.tenant_id
                  AND d.attendance_event_id = l.attendance_event_id) AS drawn
    FROM fraud_prediction_log l
    JOIN attendance_event e ON e.tenant_id = l.tenant_id AND e.id = l.attendance_event_id
    WHERE l.tenant_id = :tenant AND l.attendance_event_id = ANY(ARRAY(
        SELECT s.attendance_event_id FROM fraud_prediction_log s
        WHERE s.tenant_id = :tenant AND s.id = ANY(:ids) AND NOT s.is_shadow
          AND (CAST(:sites AS bigint[]) IS NULL OR s.site_id = ANY(:sites))))
    ORDER BY l.attendance_event_id, l.id
    FOR NO KEY UPDATE OF l
    """
)
_NOTES = text(
    """
    UPDATE fraud_prediction_log l SET label_note = v.note
    FROM unnest(CAST(:punches AS bigint[]), CAST(:notes AS text[])) AS v(punch, note)
    WHERE l.tenant_id = :tenant AND l.attendance_event_id = v.punch
      AND l.label_note IS DISTINCT FROM v.note
    """
)
_LOOKED_AT = text(
    """
    UPDATE fraud_prediction_log l
    SET label_note = v.note, labelled_by = :user, labelled_as = :token
    FROM unnest(CAST(:punches AS bigint[]), CAST(:notes AS text[])) AS v(punch, note)
    WHERE l.tenant_id = :tenant AND l.attendance_event_id = v.punch
    """
)
_TAKE_BACK = text(
    f"""
    UPDATE fraud_prediction_log SET {RESTORED}
    WHERE tenant_id = :tenant AND attendance_event_id = :punch
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The verdict that a reviewer had before them: None where there was none."""

    verdict: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of a punch. With ``seen`` it holds only if nobody said other since."""

    prediction_id: uuid.UUID
    verdict: Verdict
    note: str | None = None
    seen: Seen | None = None


class Refused(Exception):
    """A verdict that was not taken; the message says why.

    ``missing``: the prediction is not there or out of sight. ``stale``: somebody said other
    meanwhile. ``verdict``: what holds.
    """

    def __init__(
        self,
        reason: str,
        *,
        missing: bool = False,
        stale: bool = False,
        verdict: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.missing, self.stale, self.verdict = missing, stale, verdict


Outcome = Literal["labelled", "unchanged", "inconclusive"]


@dataclass(slots=True)
class _Punch:
    id: int
    fraud: bool | None
    source: str | None
    drawn: bool
    voided: bool


@dataclass(slots=True)
class _Changes:
    """By punch: the verdicts of each source, the notes, and the inconclusive looks."""

    verdicts: dict[str, dict[int, bool]] = field(default_factory=lambda: {n: {} for n in REVIEWED})
    notes: dict[int, str | None] = field(default_factory=dict)
    looks: dict[int, str] = field(default_factory=dict)


def label(
    said: Sequence[Said],
    *,
    tenant_id: int,
    user_id: int | None,
    site_ids: Collection[int] | None,
    now: dt.datetime,
    token: str | None = None,
) -> list[Outcome | Refused]:
    """Take verdicts, each by itself: what became of it, in the same order.

    ``labelled`` gave the punch a new verdict, ``unchanged`` found the same one there (it keeps
    the moment from which it was known; only the note of a review is renewed), ``inconclusive``
    gives none and clears none. :class:`Refused` where the prediction is not there or out of
    sight, the punch is voided, or somebody said other than ``seen`` meanwhile. The latest verdict
    holds (a ticket's that it overrules is kept for :func:`take_back`), said by ``user_id`` or by
    the ``token`` of that name; of one punch twice in ``said``, the later. The source is ``audit``
    for a punch that was drawn, else ``review``. Seven statements however many; the caller commits.
    """
    punches = _locked({one.prediction_id for one in said}, tenant_id, site_ids)
    changes = _Changes()
    outcomes = [_decide(one, punches.get(one.prediction_id), changes) for one in said]
    for source, verdicts in changes.verdicts.items():
        label_punches(
            verdicts,
            tenant_id=tenant_id,
            source=source,
            labelled_by=user_id,
            labelled_as=token,
            now=now,
        )
    _write(_NOTES, changes.notes, tenant_id)
    _write(_LOOKED_AT, changes.looks, tenant_id, user=user_id, token=token)
    log.info(
        "punches_reviewed",
        tenant_id=tenant_id,
        user_id=user_id,
        labelled=outcomes.count("labelled"),
        inconclusive=outcomes.count("inconclusive"),
    )
    return outcomes


def take_back(
    prediction_id: uuid.UUID,
    *,
    tenant_id: int,
    site_ids: Collection[int] | None,
    seen: Seen | None = None,
) -> bool:
    """Take the label of a punch back: nobody has looked, on its shadows' rows too.

    A ticket's verdict that it had overruled holds again, from when it was given. Whether there
    was a label; an inconclusive look is forgotten as well. :class:`Refused` as :func:`label`,
    and for a label from elsewhere: that of a ticket is changed through the ticket, or by another
    verdict. The caller commits.
    """
    punch = _locked({prediction_id}, tenant_id, site_ids).get(prediction_id)
    if punch is None:
        raise _missing()
    if punch.voided:
        raise _voided()
    if seen is not None and seen.verdict != word(punch.fraud):
        raise _stale(punch)
    if punch.fraud is not None and punch.source not in REVIEWED:
        raise Refused(
            f"This verdict comes from elsewhere ({punch.source}); only one of a review is taken "
            "back. Say another verdict instead.",
            verdict=word(punch.fraud),
        )
    session().execute(_TAKE_BACK, {"tenant": tenant_id, "punch": punch.id})
    scores_changed(session(), tenant_id)
    return punch.fraud is not None


def word(fraud: bool | None) -> str | None:
    """The verdict as people say it; None where there is none."""
    return None if fraud is None else "CONFIRMED" if fraud else "FALSE_POSITIVE"


def _locked(
    ids: Collection[uuid.UUID], tenant_id: int, site_ids: Collection[int] | None
) -> dict[uuid.UUID, _Punch]:
    """The punches of served predictions that may be seen, held until the transaction ends."""
    rows = session().execute(
        _LOCK,
        {
            "tenant": tenant_id,
            "ids": list(ids),
            "sites": None if site_ids is None else list(site_ids),
        },
    )
    return {
        row.id: _Punch(row.punch, row.fraud, row.source, row.drawn, row.voided)
        for row in rows
        if not row.is_shadow
    }


def _decide(said: Said, punch: _Punch | None, changes: _Changes) -> Outcome | Refused:
    if punch is None:
        return _missing()
    if punch.voided:
        return _voided()
    if said.seen is not None and said.seen.verdict != word(punch.fraud):
        return _stale(punch)
    fraud = VERDICTS.get(said.verdict)
    if fraud is None:
        if punch.fraud is None:
            changes.looks[punch.id] = said.note or LOOKED_AT
        return "inconclusive"
    source = "audit" if punch.drawn else "review"
    if fraud == punch.fraud:
        if said.note is not None and punch.source in REVIEWED:
            changes.notes[punch.id] = said.note
        return "unchanged"
    punch.fraud, punch.source = fraud, source
    changes.verdicts[source][punch.id] = fraud
    changes.notes[punch.id] = said.note
    changes.looks.pop(punch.id, None)
    return "labelled"


def _write(statement: Any, notes: Mapping[int, str | None], tenant_id: int, **more: Any) -> None:
    if notes:
        parameters = {"punches": list(notes), "notes": list(notes.values()), "tenant": tenant_id}
        session().execute(statement, parameters | more)


def _missing() -> Refused:
    return Refused("There is no such prediction.", missing=True)


def _voided() -> Refused:
    return Refused("The punch was voided: it counts no more.")


def _stale(punch: _Punch) -> Refused:
    holds = {None: "none", False: "FALSE_POSITIVE", True: "CONFIRMED"}[punch.fraud]
    return Refused(
        f"Somebody else was faster: the verdict is {holds} now. Look again.",
        stale=True,
        verdict=word(punch.fraud),
    )

"""Verdicts on punches: what the model learns from, and what features may know once confirmed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text

from noc.extensions import session
from noc.fraud.freshness import scores_changed
from noc.fraud.models import LABEL_SOURCES
from noc.tickets.models import Ticket, TicketEvidence

FRAUD_CATEGORY = "SECURITY_FRAUD"

REVIEWED = ("review", "audit")
"""Sources of labels that are given punch by punch, and so may be taken back punch by punch."""

VERDICTS = {"CONFIRMED": True, "FALSE_POSITIVE": False}
"""What a resolution says of a punch; any other says nothing. Unreviewed is never genuine."""

# In the order in which reviewers lock them, too: whoever comes second waits, and nobody deadlocks.
_LOCK = text(
    """
    SELECT id FROM fraud_prediction_log
    WHERE tenant_id = :tenant AND attendance_event_id = ANY(:punches)
    ORDER BY attendance_event_id, id FOR NO KEY UPDATE
    """
)
# A note belongs to the verdict it was written with. What a review overrules, and is not a review
# itself, is kept: who takes the review back has that again.
_LABEL = text(
    """
    UPDATE fraud_prediction_log l
    SET actual_fraud_detected = v.fraud, label_source = :source, labelled_at = :now,
        labelled_by = :user, labelled_as = :token, label_note = NULL,
        overruled = CASE
            WHEN CAST(:source AS text) <> ALL (CAST(:reviewed AS text[])) THEN NULL
            WHEN l.label_source = ANY (CAST(:reviewed AS text[])) THEN l.overruled
            WHEN l.actual_fraud_detected IS NULL THEN NULL
            ELSE jsonb_build_object('fraud', l.actual_fraud_detected, 'source', l.label_source,
                'at', l.labelled_at, 'by', l.labelled_by, 'as', l.labelled_as)
        END
    FROM unnest(CAST(:punches AS bigint[]), CAST(:frauds AS boolean[])) AS v(punch, fraud)
    WHERE l.tenant_id = :tenant AND l.attendance_event_id = v.punch
      AND l.actual_fraud_detected IS DISTINCT FROM v.fraud
    RETURNING l.attendance_event_id
    """
)


def label_punches(
    verdicts: Mapping[int, bool],
    *,
    tenant_id: int,
    source: str,
    labelled_by: int | None,
    now: dt.datetime,
    labelled_as: str | None = None,
) -> int:
    """Store verdicts by punch id (True: fraud) and return how many punches changed theirs.

    The latest verdict holds; the same one again changes nothing, so that a punch keeps the
    moment from which it was known. Punches that were never scored, and another tenant's, are
    left out. ``source`` is one of LABEL_SOURCES, else ValueError. ``labelled_as`` names the token
    where it was no person. The caller commits.
    """
    if source not in LABEL_SOURCES:
        raise ValueError(f"a label comes from one of {', '.join(LABEL_SOURCES)}, not {source!r}")
    if not verdicts:
        return 0
    punches = sorted(verdicts)
    session().execute(_LOCK, {"tenant": tenant_id, "punches": punches})
    changed = session().scalars(
        _LABEL,
        {
            "tenant": tenant_id,
            "punches": punches,
            "frauds": [verdicts[punch] for punch in punches],
            "source": source,
            "user": labelled_by,
            "token": labelled_as,
            "reviewed": list(REVIEWED),
            "now": now,
        },
    )
    count = len(set(changed))
    if count:
        scores_changed(session(), tenant_id)
    return count


def on_ticket_resolved(
    _: Any,
    *,
    ticket: Ticket,
    resolution: str,
    verdicts: Mapping[int, str] | None,
    user_id: int | None,
    now: dt.datetime,
) -> None:
    """Give the punches of a resolved fraud ticket their verdict.

    Confirmed is fraud, false positive is genuine; inconclusive and duplicate give none. The
    resolver's word on a single punch goes before the resolution of the ticket.
    """
    if ticket.category != FRAUD_CATEGORY:
        return
    punches = session().scalars(
        select(TicketEvidence.ref).where(
            TicketEvidence.tenant_id == ticket.tenant_id,
            TicketEvidence.ticket_id == ticket.id,
            TicketEvidence.kind == "punch",
        )
    )
    words = dict.fromkeys(map(int, punches), resolution) | dict(verdicts or {})
    label_punches(
        {punch: VERDICTS[word] for punch, word in words.items() if word in VERDICTS},
        tenant_id=ticket.tenant_id,
        source="ticket",
        labelled_by=user_id,
        now=now,
    )

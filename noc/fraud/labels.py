"""Verdicts on punches: what the model learns from, and what features may know once confirmed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text

from noc.aftermath import SetOff, left
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
# A note belongs to the verdict it was written with. What a ticket overrules is kept, and what a
# review does that is not a review itself: whoever takes the word back has that again.
_LABEL = text(
    """
    UPDATE fraud_prediction_log l
    SET actual_fraud_detected = v.fraud, label_source = :source, labelled_at = :now,
        labelled_by = :user, labelled_as = :token, label_note = NULL,
        overruled = CASE
            WHEN l.actual_fraud_detected IS NULL
                AND (CAST(:source AS text) <> 'ticket' OR l.label_note IS NULL) THEN NULL
            WHEN CAST(:source AS text) <> 'ticket'
                AND CAST(:source AS text) <> ALL (CAST(:reviewed AS text[])) THEN NULL
            WHEN CAST(:source AS text) <> 'ticket'
                AND l.label_source = ANY (CAST(:reviewed AS text[])) THEN l.overruled
            ELSE jsonb_build_object('fraud', l.actual_fraud_detected, 'source', l.label_source,
                'at', l.labelled_at, 'by', l.labelled_by, 'as', l.labelled_as,
                'note', l.label_note, 'overruled', l.overruled)
        END
    FROM unnest(CAST(:punches AS bigint[]), CAST(:frauds AS boolean[])) AS v(punch, fraud)
    WHERE l.tenant_id = :tenant AND l.attendance_event_id = v.punch
      AND l.actual_fraud_detected IS DISTINCT FROM v.fraud
    RETURNING l.attendance_event_id
    """
)
# What holds again of a label that is taken back: what it had overruled, with the note.
RESTORED = """
    actual_fraud_detected = CAST(overruled->>'fraud' AS boolean),
    label_source = overruled->>'source', labelled_at = CAST(overruled->>'at' AS timestamptz),
    labelled_by = (SELECT id FROM noc_user u WHERE u.tenant_id = :tenant
                   AND u.id = CAST(overruled->>'by' AS bigint)),
    labelled_as = overruled->>'as', label_note = overruled->>'note',
    overruled = nullif(overruled->'overruled', 'null')
"""
_WITHDRAW = text(
    f"""
    UPDATE fraud_prediction_log SET {RESTORED}
    WHERE tenant_id = :tenant AND attendance_event_id = ANY(CAST(:punches AS bigint[]))
      AND label_source = 'ticket' AND labelled_at = CAST(:at AS timestamptz)
    RETURNING attendance_event_id
    """  # noqa: S608
)
# Taken back, the review has overruled what the ticket had; a review that it overrules is no more.
_WITHDRAW_BELOW = text(
    """
    UPDATE fraud_prediction_log
    SET overruled = CASE
        WHEN overruled#>>'{overruled,source}' = ANY (CAST(:reviewed AS text[]))
            THEN nullif(overruled#>'{overruled,overruled}', 'null')
        WHEN overruled#>>'{overruled,source}' IS NULL THEN NULL
        ELSE overruled->'overruled' END
    WHERE tenant_id = :tenant AND attendance_event_id = ANY(CAST(:punches AS bigint[]))
      AND overruled->>'source' = 'ticket'
      AND CAST(overruled->>'at' AS timestamptz) = CAST(:at AS timestamptz)
    """
)
_HOLDS = text(
    """
    SELECT attendance_event_id AS punch, label_source AS source FROM fraud_prediction_log
    WHERE tenant_id = :tenant AND attendance_event_id = ANY(CAST(:punches AS bigint[]))
      AND NOT is_shadow AND actual_fraud_detected IS NOT NULL
    ORDER BY attendance_event_id
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
    changed = _relabel(
        verdicts,
        tenant_id=tenant_id,
        source=source,
        labelled_by=labelled_by,
        now=now,
        labelled_as=labelled_as,
    )
    return len(changed)


def _relabel(
    verdicts: Mapping[int, bool],
    *,
    tenant_id: int,
    source: str,
    labelled_by: int | None,
    now: dt.datetime,
    labelled_as: str | None = None,
) -> set[int]:
    """:func:`label_punches`; which punches changed theirs."""
    if source not in LABEL_SOURCES:
        raise ValueError(f"a label comes from one of {', '.join(LABEL_SOURCES)}, not {source!r}")
    if not verdicts:
        return set()
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
    found = set(changed)
    if found:
        scores_changed(session(), tenant_id)
    return found


def on_ticket_resolved(
    _: Any,
    *,
    ticket: Ticket,
    resolution: str,
    verdicts: Mapping[int, str] | None,
    user_id: int | None,
    now: dt.datetime,
) -> dict[str, Any] | None:
    """Give the punches of a resolved fraud ticket their verdict; which of them got another one.

    Confirmed is fraud, false positive is genuine; inconclusive and duplicate give none. The
    resolver's word on a single punch goes before the resolution of the ticket.
    """
    if ticket.category != FRAUD_CATEGORY:
        return None
    punches = session().scalars(
        select(TicketEvidence.ref).where(
            TicketEvidence.tenant_id == ticket.tenant_id,
            TicketEvidence.ticket_id == ticket.id,
            TicketEvidence.kind == "punch",
        )
    )
    words = dict.fromkeys(map(int, punches), resolution) | dict(verdicts or {})
    changed = _relabel(
        {punch: VERDICTS[word] for punch, word in words.items() if word in VERDICTS},
        tenant_id=ticket.tenant_id,
        source="ticket",
        labelled_by=user_id,
        now=now,
    )
    return {"labels": sorted(changed)}


def on_ticket_reopened(
    _: Any, *, ticket: Ticket, set_off: SetOff, now: dt.datetime
) -> dict[str, Any] | None:
    """Take back the verdicts that came from this very resolution; what was before holds again.

    What somebody said of a punch since stays, and has then overruled what was before the ticket.
    """
    punches = set_off.get("labels")
    if not punches:
        return None
    tenant_id = ticket.tenant_id
    asked = {"tenant": tenant_id, "punches": punches, "at": set_off["at"]}
    session().execute(_LOCK, {"tenant": tenant_id, "punches": punches})
    back = set(session().scalars(_WITHDRAW, asked))
    session().execute(_WITHDRAW_BELOW, asked | {"reviewed": list(REVIEWED)})
    kept = [punch for punch in punches if punch not in back]
    rows = session().execute(_HOLDS, {"tenant": tenant_id, "punches": kept}) if kept else ()
    scores_changed(session(), tenant_id)
    return {
        "labels": sorted(back),
        "left": [
            left("label", row.punch, _REVIEWED_SINCE if row.source in REVIEWED else _SAID_SINCE)
            for row in rows
        ],
    }


_REVIEWED_SINCE = "Somebody has judged the punch in review since: that verdict stays."
_SAID_SINCE = "The punch was judged elsewhere since: that verdict stays."

"""What people do with incidents: look into them, name the cause, close them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from noc.database.tenancy import required_tenant
from noc.extensions import session
from noc.incidents.frames import announce_incident
from noc.incidents.models import Incident
from noc.rest.problems import Problem, not_found


def investigate(
    incident_id: uuid.UUID,
    note: str,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Incident:
    """Write down what was looked into; an OPEN incident is INVESTIGATING from then on.

    Who and when is kept with each note, and of the latest on the incident. 404; 409 where it is
    closed.
    """
    incident = _locked(incident_id, site_ids)
    _must_be_open(incident, "investigated")
    _note(incident, note, user_id, now)
    if incident.status == "OPEN":
        incident.status = "INVESTIGATING"
    return _changed(incident, now)


def name_root_cause(
    incident_id: uuid.UUID,
    description: str,
    *,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Incident:
    """Say what was behind it. Said again, the later word holds, and both stay among the notes.

    404; 409 where it is closed.
    """
    incident = _locked(incident_id, site_ids)
    _must_be_open(incident, "given a root cause")
    incident.root_cause_identified = True
    incident.root_cause_description = description
    _note(incident, f"Root cause: {description}", user_id, now)
    return _changed(incident, now)


def close(
    incident_id: uuid.UUID,
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Incident:
    """Close it: it takes in nothing more, and what comes later opens another. 404.

    Closing twice keeps the first time.
    """
    incident = _locked(incident_id, site_ids)
    if incident.status == "CLOSED":
        return incident
    _note(incident, note or "Closed", user_id, now)
    incident.status, incident.closed_at = "CLOSED", now
    return _changed(incident, now)


def reopen(
    incident_id: uuid.UUID,
    *,
    note: str | None,
    user_id: int | None,
    now: dt.datetime,
    site_ids: Collection[int] | None = None,
) -> Incident:
    """Take a closed incident up again. 404; 409 where another of the same is open."""
    incident = _locked(incident_id, site_ids)
    if incident.status != "CLOSED":
        return incident
    _note(incident, note or "Reopened", user_id, now)
    incident.status, incident.closed_at = "INVESTIGATING", None
    try:
        with session().begin_nested():
            session().flush()
    except IntegrityError as error:
        raise Problem(409, "Another incident of the same is open: go on with that one.") from error
    return _changed(incident, now)


def _locked(incident_id: uuid.UUID, site_ids: Collection[int] | None) -> Incident:
    query = select(Incident).where(
        Incident.tenant_id == required_tenant(), Incident.id == incident_id
    )
    if site_ids is not None:
        query = query.where(Incident.site_id.in_(site_ids))
    incident = session().scalar(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if incident is None:
        raise not_found("incident")
    return incident


def _must_be_open(incident: Incident, what: str) -> None:
    if incident.status == "CLOSED":
        raise Problem(409, f"The incident is closed and cannot be {what}: reopen it first.")


def _note(incident: Incident, text: str, user_id: int | None, now: dt.datetime) -> None:
    entry = {"at": now.isoformat(), "user_id": user_id, "text": text}
    incident.investigation_notes = [*incident.investigation_notes, entry]
    incident.investigated_at, incident.investigated_by = now, user_id


def _changed(incident: Incident, now: dt.datetime) -> Incident:
    incident.updated_at = now
    session().flush()
    announce_incident("incident_updated", incident)
    return incident

"""The simulated companies as the stream finds them in the database."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask
from sqlalchemy import update

from noc.database.base import utcnow
from noc.database.tenancy import tenant_context
from noc.demo import history, marks, storing
from noc.demo.client import Client
from noc.demo.days import simulate
from noc.demo.desk import Desk
from noc.demo.life import Life
from noc.demo.marks import Simulated
from noc.demo.seed import AHEAD_DAYS
from noc.demo.storing import Ids
from noc.demo.world import Company, build_companies
from noc.extensions import db, session
from noc.identity import tokens
from noc.identity.capabilities import FRAUD_REVIEW, INGEST, OPERATE, VIEW
from noc.identity.models import ApiToken

TOKEN_NAME = "demo stream (simulated)"

EPOCH_ORDINAL = 719_163
"""1970-01-01 as a proleptic ordinal."""


@dataclass
class Branch:
    """One company while the stream runs."""

    simulated: Simulated
    life: Life
    client: Client
    desk: Desk


def open_branches(app: Flask, url: str, now: float) -> list[Branch]:
    """The tenants that are seeded to the end, each with a new token; earlier tokens end."""
    branches = []
    with app.app_context():
        for simulated in marks.simulated_tenants():
            if not simulated.complete:
                continue
            companies = build_companies(simulated.scale)
            company = next(c for c in companies if c.plan.slug == simulated.tenant.slug)
            with tenant_context(session(), simulated.tenant.id):
                ids = storing.read_ids(company, simulated.tenant.id)
                extend_roster(company, ids, now)
                client = Client(url, _new_token(simulated.tenant.id))
            branches.append(Branch(simulated, Life(company, ids), client, Desk(client, now)))
        db.session.remove()
    return branches


def extend_roster(company: Company, ids: Ids, now: float) -> int:
    """See to it that the roster is known for the days ahead; how many days were new. Commits."""
    today = int(now // 86_400) + EPOCH_ORDINAL
    new = 0
    with tenant_context(session(), ids.tenant_id):
        for number in range(today - 1, today + AHEAD_DAYS + 1):
            day = simulate(company, number)
            if not history.is_stored(company, ids, day):
                history.store_shifts(company, ids, [day])
                history.store_rounds(company, ids, [day], now)
                new += 1
        storing.store_absences(company, ids, today, today + AHEAD_DAYS)
        session().commit()
    return new


def _new_token(tenant_id: int) -> str:
    session().execute(
        update(ApiToken)
        .where(
            ApiToken.tenant_id == tenant_id,
            ApiToken.name == TOKEN_NAME,
            ApiToken.revoked_at.is_(None),
        )
        .values(revoked_at=utcnow())
    )
    _, secret = tokens.create(tenant_id, TOKEN_NAME, (VIEW, OPERATE, FRAUD_REVIEW, INGEST))
    session().commit()
    return secret

"""Changing sites: over REST and on the page alike, and never without a word in the trail.

What tells fraud from work (place, zone, geofence) and who is told is decided here, so each change
is written down in its transaction: ``site.created``, ``site.changed``, and where somebody else is
put in charge ``site.contacts_changed``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert

from noc.extensions import session
from noc.identity import trail, versions
from noc.identity.models import User
from noc.identity.trail import Target
from noc.rest.problems import Problem, not_found
from noc.workforce.models import Site

CONTACTS = ("security_manager_id", "site_manager_id", "noc_supervisor_id")
"""Who is in charge: to whom a site's tickets go, and who is told."""

_Asked = Mapping[str, str]
"""Under which field a column was sent: who is in charge may come as an e-mail address."""


def named(text: str) -> ColumnElement[bool]:
    """Whose name or code has ``text`` in it, in any case."""
    by_name = Site.name.icontains(text, autoescape=True)
    return by_name | Site.code.icontains(text, autoescape=True)


def put_in_charge(
    site_id: int,
    chosen: Mapping[str, int | None],
    *,
    tenant_id: int,
    now: dt.datetime,
    version: str | None = None,
) -> Site:
    """Put these users in charge of the site; None: nobody. 404; 422 names who cannot be.

    409 where who is in charge is no longer the ``version`` that was seen. The caller commits.
    """
    site = session().get(Site, (tenant_id, site_id), with_for_update={"key_share": True})
    if site is None:
        raise not_found("site")
    versions.check(version, {name: getattr(site, name) for name in CONTACTS}, _target(site))
    _change(site, {name: chosen[name] for name in CONTACTS if name in chosen}, {}, now)
    return site


def store(
    code: str,
    sent: Mapping[str, Any],
    defaults: Mapping[str, Any],
    *,
    asked: _Asked,
    tenant_id: int,
    now: dt.datetime,
) -> tuple[Site, bool]:
    """The site under its code, and whether it is new: then what was not sent has its default.

    422 names who cannot be in charge. Two at once make one site: who comes second waits, and
    changes what the first has made. The caller commits.
    """
    site = _locked(tenant_id, code)
    if site is None:
        values = {**defaults, **sent}
        names = _in_charge(tenant_id, {}, values, asked)
        made = session().scalar(
            insert(Site)
            .values(values | {"tenant_id": tenant_id, "code": code})
            .on_conflict_do_nothing(index_elements=["tenant_id", "code"])
            .returning(Site)
        )
        if made is not None:
            detail = {
                _called(name): _told(name, value, names)
                for name, value in values.items()
                if value is not None
            }
            trail.record("site.created", _target(made), {"code": code} | detail, now=now)
            return made, True
        # Somebody else has made it since.
        site = _locked(tenant_id, code)
        if site is None:
            raise not_found("site")
    _change(site, sent, asked, now)
    return site, False


def _locked(tenant_id: int, code: str) -> Site | None:
    return session().scalar(
        select(Site)
        .where(Site.tenant_id == tenant_id, Site.code == code)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _change(site: Site, wanted: Mapping[str, Any], asked: _Asked, now: dt.datetime) -> None:
    """Make the locked site so, and write down what is different."""
    before = {name: to_jsonable_python(getattr(site, name)) for name in wanted}
    after = to_jsonable_python(dict(wanted))
    names = _in_charge(site.tenant_id, before, after, asked)
    for name, value in wanted.items():
        setattr(site, name, value)
    session().flush()
    # By the values, not by what is told of them: two users may have the same name.
    changed = [name for name in wanted if before[name] != after[name]]
    for action, columns in (
        ("site.changed", [name for name in changed if name not in CONTACTS]),
        ("site.contacts_changed", [name for name in changed if name in CONTACTS]),
    ):
        if columns:
            detail = {
                _called(name): [_told(name, state[name], names) for state in (before, after)]
                for name in columns
            }
            trail.record(action, _target(site), detail, now=now)


def _in_charge(
    tenant_id: int, before: Mapping[str, Any], wanted: Mapping[str, Any], asked: _Asked
) -> dict[int, str]:
    """The names of all who were or will be in charge; 422 for who is put there and may not.

    Who is there already may stay, though they were deactivated since: a list of sites that is sent
    anew each night is not to be refused for it.
    """
    named = {values.get(name) for values in (before, wanted) for name in CONTACTS} - {None}
    if not named:
        return {}
    found = session().execute(
        select(User.id, User.name, User.active).where(
            User.tenant_id == tenant_id, User.id.in_(named)
        )
    )
    users = {row.id: row for row in found}
    errors = [
        {"field": asked.get(name, name), "reason": "is not an active user of this tenant"}
        for name in CONTACTS
        if (key := wanted.get(name)) is not None
        and key != before.get(name)
        and (key not in users or not users[key].active)
    ]
    if errors:
        raise Problem(422, "The site was not accepted.", errors=errors)
    return {key: row.name for key, row in users.items()}


def _called(column: str) -> str:
    return column.removesuffix("_id")


def _told(column: str, value: Any, names: Mapping[int, str]) -> Any:
    """A value as the trail tells it: who is in charge by name."""
    return names.get(value) if column in CONTACTS else value


def _target(site: Site) -> Target:
    return Target("site", site.id, site.name)

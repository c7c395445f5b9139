"""What the pages read: the domain's own functions, for whoever is signed in.

Each function answers for the tenant and the sites of the request's principal.
"""

from dashboards.queries import (
    activity,
    admin,
    baselines,
    findings,
    incidents,
    linked,
    models,
    on_call,
    overview,
    people,
    person,
    reader,
    review,
    scores,
    sites,
    work,
)

__all__ = [
    "activity",
    "admin",
    "baselines",
    "findings",
    "incidents",
    "linked",
    "models",
    "on_call",
    "overview",
    "people",
    "person",
    "reader",
    "review",
    "scores",
    "sites",
    "work",
]

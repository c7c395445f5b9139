"""Who may look at the model, and who may act on it: as the REST interface has it."""

from __future__ import annotations

from noc.identity.capabilities import FRAUD_VIEW, ML_TRAIN
from noc.identity.guard import check, check_whole_tenant
from noc.identity.principal import Principal, required_principal


def look() -> Principal:
    """Whoever may see the models of the whole company; 403 otherwise."""
    check(FRAUD_VIEW)
    return check_whole_tenant()


def act() -> Principal:
    """Whoever may train, activate and roll back; 403 otherwise."""
    check(ML_TRAIN)
    return look()


def may_act() -> bool:
    """Whether :func:`act` would let this reader."""
    principal = required_principal()
    return principal.may(ML_TRAIN) and principal.may(FRAUD_VIEW) and principal.site_ids is None

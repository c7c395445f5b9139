"""How far today's reviews have come, and what somebody said last."""

from __future__ import annotations

import datetime as dt
from typing import Any

from noc.fraud.labels import label_punches
from noc.fraud.review.labelling import Said, label
from noc.fraud.review.progress import progress
from tests.factories import NOW, Make
from tests.fraud.review.population import prediction, punches


def say(make: Make, punch: int, verdict: Any, user_id: int, at: dt.datetime) -> None:
    said = [Said(prediction(make, punch).id, verdict)]
    label(said, tenant_id=make.tenant_id, user_id=user_id, site_ids=None, now=at)


def test_verdicts_since_midnight_are_counted_and_mine_are_listed_latest_first(make: Make) -> None:
    maya, tomas = make.user(), make.user()
    ids = punches(make, [0.5] * 5)
    say(make, ids[0], "CONFIRMED", maya.id, NOW - dt.timedelta(days=1))
    say(make, ids[1], "CONFIRMED", maya.id, NOW)
    say(make, ids[2], "FALSE_POSITIVE", tomas.id, NOW)
    say(make, ids[3], "INCONCLUSIVE", maya.id, NOW)
    label_punches(
        {ids[4]: True}, tenant_id=make.tenant_id, source="ticket", labelled_by=maya.id, now=NOW
    )

    told = progress(tenant_id=make.tenant_id, user_id=maya.id, now=NOW)

    assert (told["given"], told["mine"]) == (2, 1)
    assert told["budget"] > 0
    assert [item["punch_id"] for item in told["latest"]] == [ids[1], ids[0]]
    assert told["latest"][0]["verdict"] == "CONFIRMED"


def test_of_sites_out_of_sight_nothing_is_counted(make: Make) -> None:
    maya, here = make.user(), make.site()
    (punch,) = punches(make, [0.5])
    say(make, punch, "CONFIRMED", maya.id, NOW)

    told = progress(
        tenant_id=make.tenant_id, user_id=maya.id, now=NOW, site_ids=frozenset({here.id})
    )

    assert (told["given"], told["mine"], told["latest"]) == (0, 0, [])

"""The workforce over REST: lists, single records, and upserts by the customer's own codes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from noc.database import tenancy
from noc.identity import tenants, tokens
from noc.identity.models import AuditTrail, UserSite
from noc.identity.users import create_user
from noc.workforce.models import Person, Site
from noc.workforce.records import KINDS, upsert
from noc.workforce.schemas import SitePut
from tests.conftest import ApiClient, Services
from tests.crowd import at_once, committed_tenant
from tests.factories import NOW, Make
from tests.identity.conftest import PASSWORD, csrf, sign_in
from tests.problems import assert_problem

NAN = float("nan")

SITE = {"name": "Harbour Gate", "timezone": "Asia/Kolkata", "lat": 19.07, "lon": 72.87}
SHIFT = {"starts_at": "2026-11-16T09:00:00+05:30", "ends_at": "2026-11-16T17:00:00+05:30"}


def data(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()["data"]


def test_a_site_is_made_then_changed_under_its_code(api: ApiClient) -> None:
    made = data(api.put("sites/by-code/HG-1/", json=SITE), 201)
    assert made["code"] == "HG-1"
    assert made["geofence_radius"] == 150.0
    changed = data(api.put("sites/by-code/HG-1/", json=SITE | {"geofence_radius": 80}))
    assert changed["id"] == made["id"]
    assert changed["geofence_radius"] == 80.0
    assert data(api.get(f"sites/{made['id']}/")) == changed
    assert data(api.get("sites/by-code/HG-1/")) == changed


def test_what_is_left_out_stays_and_null_clears(api: ApiClient, make: Make) -> None:
    manager = make.user()
    full = SITE | {"security_manager_id": manager.id, "geofence_radius": 60}
    data(api.put("sites/by-code/HG/", json=full), 201)
    kept = data(api.put("sites/by-code/HG/", json=SITE | {"name": "New name"}))
    assert (kept["name"], kept["security_manager_id"]) == ("New name", manager.id)
    assert kept["geofence_radius"] == 60.0
    cleared = data(api.put("sites/by-code/HG/", json=SITE | {"security_manager_email": None}))
    assert cleared["security_manager_id"] is None


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone", "IANA"),
        ({"timezone": "../etc/passwd"}, "timezone", "IANA"),
        ({"lat": 91}, "lat", "less than or equal to 90"),
        ({"lon": -181}, "lon", "greater than or equal to -180"),
        ({"lat": "19.07"}, "lat", "valid number"),
        ({"geofence_radius": 0}, "geofence_radius", "greater than 0"),
        ({"geofence_polygon": [[72.8, 19.0], [72.9, 19.0]]}, "geofence_polygon", "at least 3"),
        ({"geofence_polygon": [[72.8, 19.0]] * 4}, "geofence_polygon", "three different"),
        ({"geofence_polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}, "geofence_polygon", "1 and 3"),
        ({"geofence_polygon": [[0, 0], [1, 1], [2, 2]]}, "geofence_polygon", "on one line"),
        ({"geofence_polygon": [[0, 0], [1, 0], [181, 1]]}, "geofence_polygon.2.0", "equal to 180"),
        ({"geofence_polygon": [[0, 0], [1, 0], [1, -91]]}, "geofence_polygon.2.1", "equal to -90"),
        ({"geofence_polygon": [[0, 0], [1, 0], [1, NAN]]}, "geofence_polygon.2.1", "finite"),
        ({"geofence_polygon": [[0, 0]] * 1001}, "geofence_polygon", "at most 1000"),
        ({"name": " "}, "name", "blank"),
        ({"name": "Gate \u202e1"}, "name", "one line"),
        ({"name": "a\x00b"}, "name", "one line"),
        ({"name": None}, "name", "valid string"),
        ({"active": None}, "active", "valid boolean"),
        ({"colour": "red"}, "colour", "not permitted"),
        ({"security_manager_id": 0}, "security_manager_id", "greater than 0"),
        ({"security_manager_id": 987654}, "security_manager_id", "there is no user 987654"),
        ({"site_manager_email": "no@acme.example"}, "site_manager_email", "there is no user"),
    ],
)
def test_a_site_that_cannot_be_names_the_field_and_stores_nothing(
    api: ApiClient, session: Session, wrong: dict[str, Any], field: str, reason: str
) -> None:
    response = api.put("sites/by-code/HG/", json=SITE | wrong)
    assert_problem(response, 422, **{field: reason})
    assert session.scalar(select(func.count()).select_from(Site)) == 0


def test_every_bad_reference_is_named_at_once(api: ApiClient) -> None:
    body = SHIFT | {"person_code": "ghost", "site_id": 404, "swapped_with_id": 405}
    assert_problem(
        api.put("shifts/by-code/S1/", json=body),
        422,
        person_code="there is no person 'ghost'",
        site_id="there is no site 404",
        swapped_with_id="there is no person 405",
    )
    assert_problem(
        api.put("shifts/by-code/S1/", json=SHIFT),
        422,
        person_id="give person_id or person_code",
        site_id="give site_id or site_code",
    )


def test_references_go_by_id_or_by_code(api: ApiClient, make: Make) -> None:
    site = make.site(code="HG")
    guard, other = make.person(code="G-7"), make.person()
    body = SHIFT | {"person_code": "G-7", "site_id": site.id, "swapped_with_code": other.code}
    shift = data(api.put("shifts/by-code/S1/", json=body), 201)
    assert (shift["person_id"], shift["site_id"]) == (guard.id, site.id)
    assert shift["swapped_with_id"] == other.id
    assert shift["starts_at"] == "2026-11-16T03:30:00+00:00"
    twice = body | {"person_id": guard.id}
    assert_problem(api.put("shifts/by-code/S1/", json=twice), 422, person_code="not both")


def test_a_user_is_named_by_address_in_any_case(api: ApiClient, make: Make) -> None:
    manager = make.user(email="mara@acme.example")
    site = data(
        api.put("sites/by-code/HG/", json=SITE | {"site_manager_email": "Mara@Acme.example"}), 201
    )
    assert site["site_manager_id"] == manager.id


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"ends_at": "2026-11-16T09:00:00+05:30"}, "later than starts_at"),
        ({"ends_at": "2026-11-30T09:00:00+05:30"}, "within 7 days"),
        ({"ends_at": "2026-11-16T17:00:00"}, "zone"),
        ({"ends_at": 1763283600}, "ISO 8601"),
        ({"ends_at": "tomorrow"}, "ISO 8601"),
    ],
)
def test_a_shift_that_cannot_be_names_its_end(
    api: ApiClient, make: Make, wrong: dict[str, Any], reason: str
) -> None:
    person, site = make.person(), make.site()
    body = SHIFT | {"person_id": person.id, "site_id": site.id} | wrong
    assert_problem(api.put("shifts/by-code/S1/", json=body), 422, ends_at=reason)


def test_people_devices_and_absences_are_upserted_alike(api: ApiClient, make: Make) -> None:
    site = make.site(code="HG")
    guard = data(api.put("people/by-code/G-1/", json={"name": "Asha", "home_site_code": "HG"}), 201)
    assert (guard["kind"], guard["home_site_id"], guard["active"]) == ("guard", site.id, True)
    phone = data(api.put("devices/by-code/D-1/", json={"person_code": "G-1"}), 201)
    assert phone["person_id"] == guard["id"]
    leave = data(api.put("absences/by-code/L-1/", json=SHIFT | {"person_id": guard["id"]}), 201)
    assert (leave["kind"], leave["approved"]) == ("leave", False)
    approved = SHIFT | {"person_id": guard["id"], "approved": True}
    assert data(api.put("absences/by-code/L-1/", json=approved))["approved"] is True


def changes_of_sites(api: ApiClient) -> list[tuple[str, dict[str, Any]]]:
    rows = data(api.get("audit-trail/?action=site"))
    return [(row["action"], row["detail"]) for row in reversed(rows)]


def test_every_change_of_a_site_is_written_down_and_nothing_else(
    api: ApiClient, make: Make
) -> None:
    mara = make.user(name="Mara", email="mara@acme.example")
    ring = [[72.86, 19.06], [72.88, 19.06], [72.88, 19.08]]
    data(api.put("sites/by-code/HG/", json=SITE | {"geofence_polygon": ring}), 201)
    data(api.put("sites/by-code/HG/", json=SITE | {"geofence_polygon": ring}))
    data(api.put("sites/by-code/HG/", json=SITE | {"lat": 19.08, "geofence_polygon": None}))
    data(api.put("sites/by-code/HG/", json=SITE | {"lat": 19.08, "site_manager_id": mara.id}))
    both = SITE | {"lat": 19.08, "active": False, "site_manager_email": None}
    data(api.put("sites/by-code/HG/", json=both))
    created = SITE | {"code": "HG", "geofence_radius": 150.0, "geofence_polygon": ring}
    assert changes_of_sites(api) == [
        ("site.created", created | {"active": True}),
        ("site.changed", {"lat": [19.07, 19.08], "geofence_polygon": [ring, None]}),
        ("site.contacts_changed", {"site_manager": [None, "Mara"]}),
        ("site.changed", {"active": [True, False]}),
        ("site.contacts_changed", {"site_manager": ["Mara", None]}),
    ]
    (first, *_) = data(api.get("audit-trail/?action=site"))
    assert (first["actor"], first["target_name"]) == ("tests", SITE["name"])
    assert first["token_id"] is not None


def test_namesakes_in_charge_are_told_apart(api: ApiClient, make: Make) -> None:
    one, other = make.user(name="Mara"), make.user(name="Mara")
    data(api.put("sites/by-code/HG/", json=SITE | {"site_manager_id": one.id}), 201)
    data(api.put("sites/by-code/HG/", json=SITE | {"site_manager_id": other.id}))
    assert [action for action, _ in changes_of_sites(api)] == [
        "site.created",
        "site.contacts_changed",
    ]


def test_who_is_put_in_charge_must_be_active_and_who_was_may_stay(
    api: ApiClient, make: Make, session: Session
) -> None:
    mara = make.user(email="mara@acme.example")
    charged = SITE | {"site_manager_email": "mara@acme.example"}
    data(api.put("sites/by-code/HG/", json=charged), 201)
    mara.active = False
    session.flush()
    data(api.put("sites/by-code/HG/", json=charged | {"name": "New name"}))
    taken = charged | {"security_manager_id": mara.id, "noc_supervisor_email": mara.email}
    refused = {
        "security_manager_id": "is not an active user",
        "noc_supervisor_email": "is not an active user",
    }
    assert_problem(api.put("sites/by-code/HG/", json=taken), 422, **refused)
    assert_problem(
        api.put("sites/by-code/NEW/", json=charged), 422, site_manager_email="is not an active user"
    )
    assert_problem(api.get("sites/by-code/NEW/"), 404)


def test_a_site_that_several_make_and_change_at_once_is_one_with_every_change_told(
    app: APIFlask, services: Services
) -> None:
    names = [f"Gate {number}" for number in range(6)]
    with committed_tenant(app, services) as make:
        make.session.commit()

        def put(name: str) -> bool:
            body = SitePut.model_validate(SITE | {"name": name})
            sites = KINDS[0]
            return upsert(sites, "HG", body, tenant_id=make.tenant_id, now=NOW)[1]

        made = at_once(app, make.tenant_id, [partial(put, name) for name in names])
        assert sum(made) == 1
        name = make.session.scalars(select(Site.name)).one()
        told = make.session.execute(
            select(AuditTrail.target_name, AuditTrail.detail).order_by(AuditTrail.id)
        ).all()
    # Each begins where the one before has ended: none was told from what was there no longer.
    steps = [row.detail["name"] for row in told[1:]]
    assert [before for before, _ in steps] == [row.target_name for row in told[:-1]]
    assert told[-1].target_name == name
    assert sorted(row.target_name for row in told) == names


@pytest.mark.parametrize("code", ["%20", "a%0Ab", "x" * 201])
def test_a_code_that_cannot_be_one_is_refused(api: ApiClient, code: str) -> None:
    assert_problem(api.put(f"people/by-code/{code}/", json={"name": "Asha"}), 422, code="")


def test_a_list_goes_on_where_its_page_ended(api: ApiClient, make: Make) -> None:
    people = [make.person().id for _ in range(5)]
    seen: list[int] = []
    cursor = ""
    while True:
        answer = api.get(f"people/?limit=2{cursor}").get_json()
        assert answer["status"] == "success"
        seen += [row["id"] for row in answer["data"]]
        following = answer["pagination"]["next_cursor"]
        if following is None:
            break
        cursor = f"&cursor={following}"
    assert seen == people


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=aWQ6LTE", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("kind=robot", "kind"),
        ("colour=red", "colour"),
    ],
)
def test_a_query_that_cannot_be_answered_names_its_field(
    api: ApiClient, query: str, field: str
) -> None:
    assert_problem(api.get(f"people/?{query}"), 422, **{field: ""})


def test_lists_filter_by_what_they_show(api: ApiClient, make: Make) -> None:
    here, there = make.site(), make.site()
    guard = make.person(here, name="Asha")
    make.person(there, active=False)
    assert [row["id"] for row in data(api.get(f"people/?home_site_id={here.id}"))] == [guard.id]
    assert [row["id"] for row in data(api.get("people/?active=true"))] == [guard.id]
    assert [row["id"] for row in data(api.get("people/?name=Asha"))] == [guard.id]

    shift = make.shift(guard, here, NOW)
    make.shift(guard, there, NOW.replace(day=20))
    span = {"since": "2026-11-16T10:00:00Z", "until": "2026-11-17T00:00:00Z"}
    assert [row["id"] for row in data(api.get("shifts/", query_string=span))] == [shift.id]
    assert [row["id"] for row in data(api.get(f"shifts/?site_id={here.id}"))] == [shift.id]


def test_an_id_beyond_what_can_be_stored_is_no_server_error(api: ApiClient) -> None:
    for number in (2**63, 10**30, 10**4000):
        assert_problem(api.get(f"people/{number}/"), 404)
    too_big = f"people/?home_site_id={10**30}"
    assert_problem(api.get(too_big), 422, home_site_id="less than or equal to")
    assert_problem(api.get("people/?name=a%00"), 422, name="one line")


@pytest.fixture
def theirs(session: Session, make: Make) -> Make:
    """Another tenant's rows."""
    other = tenants.create_tenant("other", "Other Guarding")
    with tenancy.tenant_context(session, other.id):
        rows = Make(session, other.id)
        rows.person(rows.site(code="THEIRS"), code="THEIRS")
        session.commit()
    return rows


def test_another_tenants_rows_are_not_there(
    api: ApiClient, session: Session, make: Make, theirs: Make
) -> None:
    with tenancy.tenant_context(session, theirs.tenant_id):
        person = session.scalars(select(Person)).one()
        person_id, site_id = person.id, person.home_site_id
        session.commit()
    assert_problem(api.get(f"people/{person_id}/"), 404)
    assert_problem(api.get("people/by-code/THEIRS/"), 404)
    assert data(api.get("people/")) == []
    body = {"name": "Asha", "home_site_id": site_id}
    assert_problem(api.put("people/by-code/G-1/", json=body), 422, home_site_id="no site")


def test_two_tenants_may_use_the_same_code(api: ApiClient, theirs: Make) -> None:
    mine = data(api.put("people/by-code/THEIRS/", json={"name": "Asha"}), 201)
    assert mine["name"] == "Asha"


@pytest.mark.parametrize(
    ("capability", "reads", "writes"),
    [("noc:view", 200, 403), ("noc:ingest", 403, 201), ("admin", 403, 201)],
)
def test_who_may_read_and_who_may_write(
    client: FlaskClient, make: Make, capability: str, reads: int, writes: int
) -> None:
    _, secret = tokens.create(make.tenant_id, "one thing", [capability])
    limited = ApiClient(client, secret)
    assert limited.get("people/").status_code == reads
    written = limited.put("people/by-code/G-1/", json={"name": "Asha"})
    assert written.status_code == writes


def test_nobody_without_a_token_learns_what_a_body_lacks(client: FlaskClient) -> None:
    assert_problem(client.put("/api/v2/noc/people/by-code/G-1/", json={}), 401)
    assert_problem(client.get("/api/v2/noc/people/?limit=x"), 401)


def test_a_user_limited_to_a_site_sees_what_belongs_to_it(client: FlaskClient, make: Make) -> None:
    here, there = make.site(), make.site()
    guard, stranger = make.person(here), make.person(there)
    for person, site in ((guard, here), (stranger, there)):
        make.shift(person, site, NOW)
        make.absence(person, NOW)
        make.device(person_id=person.id)
    create_user(make.tenant_id, "lea@acme.example", "Lea", "admin", PASSWORD, [here.id])
    sign_in(client, email="lea@acme.example")
    prefix = "/api/v2/noc"
    for kind, field in (
        ("sites", "id"),
        ("people", "home_site_id"),
        ("shifts", "site_id"),
    ):
        rows = data(client.get(f"{prefix}/{kind}/"))
        assert [row[field] for row in rows] == [here.id]
    for kind in ("absences", "devices"):
        rows = data(client.get(f"{prefix}/{kind}/"))
        assert [row["person_id"] for row in rows] == [guard.id]
    assert_problem(client.get(f"{prefix}/people/{stranger.id}/"), 404)
    assert_problem(client.get(f"{prefix}/sites/{there.id}/"), 404)
    written = client.put(
        f"{prefix}/people/by-code/{stranger.code}/", json={"name": "Mine"}, headers=csrf(client)
    )
    assert_problem(written, 403)
    assert_problem(client.get(f"{prefix}/tokens/"), 403)


def test_a_site_that_limits_a_user_cannot_go_and_free_them(session: Session, make: Make) -> None:
    site = make.site()
    user = create_user(make.tenant_id, "lea@acme.example", "Lea", "viewer", PASSWORD, [site.id])
    with session.begin_nested() as attempt:
        session.delete(site)
        with pytest.raises(IntegrityError, match="noc_user_site"):
            session.flush()
        attempt.rollback()
    rows = session.scalars(select(UserSite.site_id).where(UserSite.user_id == user.id))
    assert rows.all() == [site.id]

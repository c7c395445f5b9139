"""The instance that benchmarks run against, with one tenant, sites and guards."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from noc.settings import load_settings
from tests.instance import Instance

GUARDS = 200
TENANT = "bench"
CAPABILITIES = ("noc:view", "noc:operate", "noc:ingest", "security:fraud:view", "admin")


@dataclass
class House:
    """A tenant to measure on."""

    instance: Instance
    tenant_id: int
    site_id: int
    guards: list[int]

    @property
    def token(self) -> str:
        """The tenant's token."""
        return self.instance.tokens[TENANT]

    def connection(self) -> http.client.HTTPConnection:
        """A kept-alive connection, as a phone gateway would hold it."""
        return http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=30)

    def request(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """One call on a kept-alive connection; AssertionError for anything but a success."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        connection.request(method, f"/api/v2/noc/{path}", body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status < 300, f"{path}: {answer.status} {content[:500]!r}"
        return json.loads(content)

    def database(self) -> psycopg.Connection:
        """A connection as the application role, with the tenant named, for the floors."""
        url = make_url(load_settings(noc_data_dir=self.instance.data_dir).database_url)
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, autocommit=True)
        connection.execute("SELECT set_config('noc.tenant', %s, false)", (str(self.tenant_id),))
        return connection


def build(instance: Instance) -> House:
    """Make the tenant, a site and its guards over the API."""
    instance.add_tenant(TENANT, *CAPABILITIES)
    site = instance.put(
        "sites/by-code/BENCH/",
        {"name": "Bench", "timezone": "Europe/London", "lat": 51.5074, "lon": -0.1278},
        token=TENANT,
    )
    guards = [
        instance.put(
            f"people/by-code/B{n}/",
            {"name": f"Guard {n}", "home_site_id": site.data["id"]},
            token=TENANT,
        ).data["id"]
        for n in range(GUARDS)
    ]
    tenant_id = instance.get("me/", token=TENANT).data["tenant"]["id"]
    return House(instance, tenant_id, site.data["id"], guards)

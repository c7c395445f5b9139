"""Who signs in to a simulated tenant."""

from __future__ import annotations

from dataclasses import dataclass

from noc.demo.places import COMPANIES, CompanyPlan

PASSWORD = "night-shift-demo"
"""The one password of all simulated accounts. It is public: nothing real belongs in a demo."""

ENTRANCE = ("sentinel", "manager@sentinel.demo")
"""Tenant and address of whom a browser begins as: a security manager sees every page."""


@dataclass(frozen=True, slots=True)
class Account:
    """A simulated user. ``sites``: limited to so many of the company's first sites, 0 for all."""

    email: str
    name: str
    role: str
    title: str
    sites: int = 0


_STAFF = (
    ("manager", "security_manager", "Security manager", 0),
    ("manager2", "security_manager", "Security manager, too", 0),
    ("supervisor", "operator", "NOC supervisor", 0),
    ("supervisor2", "operator", "NOC supervisor, too", 0),
    ("operator", "operator", "NOC operator", 0),
    ("sites", "operator", "Site manager", 0),
    ("desk", "operator", "Site desk, two sites only", 2),
    ("admin", "admin", "Administrator", 0),
    ("viewer", "viewer", "Client's viewer", 0),
)

_NAMES = {
    "sentinel": (
        "Kavita Rao", "Faisal Qureshi", "Tan Hui Min", "दीपक वर्मा", "Arjun Menon",
        "Yumi Tanaka", "Joseph D'Souza", "Leela Krishnan", "Omar Al-Amin",
    ),
    "northwatch": (
        "Grace Adeyemi", "Jörg Neumann", "Élise Fournier", "Νίκος Βλάχος", "Owen Hughes",
        "Zofia Zielińska", "Liam Walsh", "Sabine Köhler", "Amadou Diallo",
    ),
    "harbor": (
        "Maria Peña", "Marcus Brooks", "Linh Tran", "Dwayne Carter", "Keisha Washington",
        "José Ramírez", "Ashley Ortiz", "Daniel Kowalski", "Rosa Nguyen",
    ),
}  # fmt: skip


def accounts_of(plan: CompanyPlan) -> tuple[Account, ...]:
    """The accounts of a simulated tenant; the first one's administrator of the platform too."""
    accounts = tuple(
        Account(f"{local}@{plan.slug}.demo", name, role, title, sites)
        for (local, role, title, sites), name in zip(_STAFF, _NAMES[plan.slug], strict=True)
    )
    if plan is not COMPANIES[0]:
        return accounts
    platform = Account("platform@noc.demo", "Ines Haddad", "platform_admin", "Platform")
    return (*accounts, platform)

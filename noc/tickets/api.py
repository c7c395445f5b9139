"""REST of tickets."""

from __future__ import annotations

from apiflask import APIBlueprint

from noc.rest.openapi import API_PREFIX

bp = APIBlueprint("tickets", __name__, url_prefix=API_PREFIX)

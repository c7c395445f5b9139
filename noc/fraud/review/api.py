"""REST of reviewing."""

from apiflask import APIBlueprint

from noc.rest.openapi import API_PREFIX

bp = APIBlueprint("fraud_review", __name__, url_prefix=API_PREFIX)

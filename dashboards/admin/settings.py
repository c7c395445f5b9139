"""Settings: what each means, what holds and where it comes from; set, and taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dash import Dash, html

from dashboards import marks, queries, states
from dashboards.admin import kit, said, sight, steps
from dashboards.admin.form import Form
from dashboards.admin.steps import Answer, Fields, Pressed, Refusal
from noc.database.base import utcnow
from noc.domain import SEVERITIES
from noc.extensions import settings as process_settings
from noc.identity import accounts
from noc.identity.schemas import SettingChange
from noc.identity.tenant_settings import override, schema, state, tenant_settings, to_json
from noc.identity.versions import version_of
from noc.identity.words import BadField
from noc.settings import TENANT_SETTINGS

LABEL = "Settings"
WHAT = "Changing settings"

_PART = "settings"
_HEAD = ("Setting", "Value", "From", "At sites")

_GROUPS = (
    ("Fraud", ("predictive_", "fraud_score", "fraud_ded", "ml_model", "fraud_reviews")),
    ("Alerts", ("alert_",)),
    ("Audit and baselines", ("audit_", "baseline_", "correlation_")),
    ("Tickets", ("ticket_",)),
    ("Feed and caches", ("",)),
)
"""Each setting stands in the first group with a beginning of its name."""

_ELSEWHERE = frozenset({"fraud_cache_ttl"})


def content(_: Mapping[str, str]) -> html.Div:
    """Every setting of the company, in groups."""
    return _content()


def _content(side: Any = None, chosen: str | None = None) -> html.Div:
    own = queries.admin.overrides()
    in_force, default = tenant_settings(), process_settings()
    grouped: dict[str, list[Any]] = {title: [] for title, _ in _GROUPS}
    for name in TENANT_SETTINGS:
        row = _row(name, own, in_force, default, chosen)
        grouped[_group(name)].append(row)
    sections = [
        kit.listed(title, f"settings-{title.split()[0].lower()}", _HEAD, rows, label=title)
        for title, rows in grouped.items()
        if rows
    ]
    return kit.content(sections, side)


def register(ui: Dash) -> None:
    """Answer the buttons."""
    steps.register(ui, _PART, act)


def act(wanted: Pressed, fields: Fields) -> Answer:
    """Take the step. The key names the setting, a site, and the version of what holds there."""
    name, site_key, version, *_ = wanted.parts
    if wanted.step == "close":
        return Answer(_content())
    if name not in TENANT_SETTINGS:
        return Answer(_content(html.Div(states.not_found("setting"), className="panel")))
    site_id = steps.whole(site_key)
    if wanted.step == "where":
        return _opened(name, steps.whole(fields.get("site_id")))
    if wanted.step == "save":
        return _change(name, site_id, _read(name, fields), fields, version or None)
    if wanted.step == "back":
        return _change(name, site_id, None, {}, version or None)
    return _opened(name, site_id)


def _opened(name: str, site_id: int | None, **kept: Any) -> Answer:
    return Answer(_content(_one(name, site_id, **kept), name))


def _change(
    name: str, site_id: int | None, value: Any, fields: Fields, version: str | None
) -> Answer:
    def work() -> None:
        sight.act(_PART)
        body = SettingChange.model_validate({"value": value, "site_id": site_id})
        if value is None and fields:
            raise accounts.refused("setting", BadField("value", "must be given"))
        try:
            override(name, body.value, site_id=body.site_id, now=utcnow(), version=version)
        except BadField as error:
            raise accounts.refused("setting", error) from error

    _, refusal = steps.attempt(work)
    if refusal:
        return _opened(name, site_id, values=fields, refusal=refusal)
    done = "Saved. It holds within seconds." if value is not None else "Taken back."
    return _opened(name, site_id, done=done)


def _read(name: str, fields: Fields) -> Any:
    """What the form holds as JSON; what is no number stays text, for the schema to refuse."""
    kind = schema(name)
    if kind["type"] == "object":
        return {part: _number(fields.get(f"value.{part}")) for part in kind["properties"]}
    given = fields.get("value")
    if kind["type"] == "boolean":
        return {"on": True, "off": False}.get(str(given), given)
    if kind["type"] == "array":
        return given or []
    return _number(given)


def _number(text: Any) -> Any:
    if not isinstance(text, str) or len(text) > 30:
        return text
    try:
        number = json.loads(text)
    except ValueError:
        return text
    return number if type(number) in (int, float) else text


# -- what it looks like --------------------------------------------------------------------------


def _group(name: str) -> str:
    if name in _ELSEWHERE:
        return _GROUPS[-1][0]
    return next(title for title, begins in _GROUPS if name.startswith(begins))


def _row(
    name: str, own: list[dict[str, Any]], in_force: Any, default: Any, chosen: str | None
) -> Any:
    here = [one for one in own if one["name"] == name]
    company = any(one["site_id"] is None for one in here)
    sites = sum(one["site_id"] is not None for one in here)
    value = said.value(to_json(name, getattr(in_force, name)))
    fallback = said.value(to_json(name, getattr(default, name)))
    origin: Any = html.Span("Default", className="muted")
    if company:
        origin = kit.two("Company", f"default {fallback}")
    return kit.row(
        kit.two(
            kit.button(_PART, "open", said.setting(name), name, look="text"),
            TENANT_SETTINGS[name].description,
        ),
        ("Value", html.Span(value, className="num admin-value")),
        ("From", origin),
        ("At sites", f"{sites} differ" if sites > 1 else "1 differs" if sites else "—"),
        chosen=name == chosen,
    )


def _one(
    name: str, site_id: int | None, *, values: Fields | None = None,
    refusal: Refusal | None = None, done: str = "",
) -> html.Section:  # fmt: skip
    own = [one for one in queries.admin.overrides() if one["name"] == name]
    sites = queries.reader.sites()
    if site_id is not None and str(site_id) not in sites:
        site_id = None
    now = to_json(name, getattr(tenant_settings(site_id), name))
    typed = values or _filled(name, now)
    form = Form(_PART, {**typed, "site_id": site_id}, refusal)
    here = next((one for one in own if one["site_id"] == site_id), None)
    seen = version_of(state(here and here["value"]))
    key = f"{name}:{site_id or ''}:{seen}"
    where = form.choice(
        "site_id", "For", [(code, site["name"]) for code, site in sites.items()],
        placeholder="The whole company", clearable=True, searchable=True,
    )  # fmt: skip
    value_fields = _inputs(name, form)
    back = kit.button(_PART, "back", "Take it back", key) if here else None
    differing = [
        (said.site(one["site_id"], sites), said.value(one["value"]))
        for one in own
        if one["site_id"] is not None
    ]
    default = to_json(name, getattr(process_settings(), name))
    company = next((one for one in own if one["site_id"] is None), None)
    return kit.side(
        said.setting(name),
        [
            kit.told(refusal, *form.names, done=done),
            html.P(TENANT_SETTINGS[name].description),
            html.Div(
                [where, kit.button(_PART, "where", "Show", name)], className="admin-with-button"
            ),
            *value_fields,
            html.P(_range(schema(name)), className="muted"),
            kit.actions(kit.button(_PART, "save", "Save", key, look="primary"), back),
            marks.facts(
                [
                    ("Default", said.value(default)),
                    ("Company", said.value(company["value"]) if company else "the default"),
                    ("Changed", here and marks.moment(here["updated_at"])),
                    *differing,
                ]
            ),
        ],
        part=_PART,
    )


def _filled(name: str, value: Any) -> Fields:
    """The value as the form's fields hold it."""
    if isinstance(value, dict):
        return {f"value.{part}": f"{given:g}" for part, given in value.items()}
    if isinstance(value, bool):
        return {"value": "on" if value else "off"}
    if isinstance(value, float):
        return {"value": f"{value:g}"}
    return {"value": value}


def _inputs(name: str, form: Form) -> list[Any]:
    kind = schema(name)
    if kind["type"] == "object":
        return [
            form.text(f"value.{part}", part.capitalize(), inputProps={"inputMode": "decimal"})
            for part in kind["properties"]
        ]
    if kind["type"] == "boolean":
        return [form.choice("value", "Value", [("on", "On"), ("off", "Off")])]
    if kind["type"] == "array":
        options = [(code, said.value(code)) for code in SEVERITIES]
        return [form.several("value", "Value", options)]
    return [form.text("value", "Value", inputProps={"inputMode": "decimal"})]


def _range(kind: dict[str, Any]) -> str:
    if kind["type"] == "object":
        return "Each from 0 to 1."
    if kind["type"] not in ("integer", "number"):
        return ""
    least = (
        f"From {kind['minimum']:,}" if "minimum" in kind else f"Above {kind['exclusiveMinimum']:,}"
    )
    whole = "whole numbers" if kind["type"] == "integer" else "a point before decimals"
    return f"{least} to {kind['maximum']:,}, {whole}."

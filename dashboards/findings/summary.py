"""What became of the findings, in a sentence, and where which kinds of them are."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboards import exports, words
from dashboards.marks import aria, data
from noc.audit.drafts import CATEGORY
from noc.domain import severity_rank
from noc.fraud.intervals import wilson


def sentence(became: dict[str, Any], period: str) -> list[Any]:
    """Title and line below: what became of all findings of the period, whatever the filters."""
    told = became["all"]
    total = told["findings"]
    if not total:
        return [html.H2(f"Nothing found {period}"), html.P("The audit looks every five minutes.")]
    share = told["escalated"] / total
    title = f"{words.count(total, 'finding')} {period}, {share:.0%} became work for somebody"
    alone = told["closed_themselves"]
    parts = [f"{words.count(alone, 'closed itself', 'closed themselves')} when it was over"]
    parts.append(_judged(told["false_positives"], told["judged"]))
    parts.append(_seen(told["median_seconds_to_acknowledge"], told["acknowledged"]))
    return [html.H2(title), html.P("; ".join(parts) + ".")]


def _judged(false: int, judged: int) -> str:
    if not judged:
        return "nobody has judged any yet"
    low, high = wilson(false / judged, judged)
    return (
        f"of {judged:,} that people judged {false / judged:.0%} were false alarms "
        f"(90% interval {low:.0%} to {high:.0%})"
    )


def _seen(median: float | None, acknowledged: int) -> str:
    if median is None:
        return "nobody has acknowledged any yet"
    return f"half of {acknowledged:,} acknowledged were seen within {words.span(median)}"


def matrix(
    cells: list[dict[str, Any]],
    sites: dict[str, dict[str, str]],
    kind: str | None,
    site: int | None,
) -> html.Div | None:
    """Types down, sites across, most first; each count chooses what is listed below.

    A mark is the worst severity among what it counts. ``kind`` and ``site`` are chosen now.
    """
    if not cells:
        return None
    by_kind = _totals(cells, "finding_type")
    by_site = _totals(cells, "site_id")
    found = {(cell["finding_type"], cell["site_id"]): cell for cell in cells}
    head: list[Any] = [html.Td()]
    head += [
        html.Th(_choose(_site_name(sites, key), "", str(key or ""), key == site), scope="col")
        for key in by_site
    ]
    rows = [
        html.Tr(
            [
                html.Th(
                    _choose(words.say(words.FINDING, name), name, "", name == kind), scope="row"
                ),
                *[
                    _cell(found.get((name, key)), _site_name(sites, key), (kind, site))
                    for key in by_site
                ],
                html.Td(f"{by_kind[name]:,}", className="matrix-sum num"),
            ]
        )
        for name in by_kind
    ]
    table = html.Div(
        html.Table(
            [
                html.Thead(html.Tr([*head, html.Th("All", scope="col", className="matrix-sum")])),
                html.Tbody(rows),
            ],
            className="matrix",
            id="findings-matrix",
            **aria(label="Findings by type and site; a count lists them"),
        ),
        className="matrix-frame panel",
        tabIndex=0,
        role="group",
        **aria(label="Findings by type and site"),
    )
    return html.Div(
        [table, exports.rows("findings-matrix", "findings-by-type-and-site")],
        className="matrix-box",
    )


def _cell(
    cell: dict[str, Any] | None, site_name: str, chosen: tuple[str | None, int | None]
) -> html.Td:
    if cell is None:
        return html.Td("·", className="matrix-none")
    kind, worst = cell["finding_type"], cell["worst"]
    here = chosen == (kind, cell["site_id"])
    told = (
        f"{words.count(cell['count'], 'finding')}, {words.say(words.FINDING, kind).lower()}, "
        f"{site_name}; the worst is {words.say(words.SEVERITY, worst).lower()}"
    )
    return html.Td(
        html.Button(
            [
                html.I(className="sev-mark", **aria(hidden="true")),
                html.Span(f"{cell['count']:,}", className="num"),
            ],
            className=f"matrix-count sev sev-{worst.lower()}",
            title=told,
            type="button",
            **data(kind=kind, site=str(cell["site_id"] or "")),
            **aria(label=told, pressed=str(here).lower()),
        )
    )


def _choose(label: str, kind: str, site: str, chosen: bool) -> html.Button:
    return html.Button(
        label,
        className="matrix-name",
        title=f"{label}: list these",
        type="button",
        **data(kind=kind, site=site),
        **aria(pressed=str(chosen).lower()),
    )


def _totals(cells: list[dict[str, Any]], name: str) -> dict[Any, int]:
    """Counts by the cell's ``name``, the worst and then the most first."""
    totals: dict[Any, int] = {}
    worst: dict[Any, int] = {}
    for cell in cells:
        key = cell[name]
        totals[key] = totals.get(key, 0) + cell["count"]
        worst[key] = max(worst.get(key, 0), severity_rank(cell["worst"]))
    by_worst = name == "finding_type"
    order = sorted(totals, key=lambda key: (-worst[key] if by_worst else 0, -totals[key], str(key)))
    return {key: totals[key] for key in order}


def _site_name(sites: dict[str, dict[str, str]], key: int | None) -> str:
    return sites.get(str(key), {}).get("name", "No site")


CATEGORIES = {
    "SECURITY": "Security",
    "DEVICE_HEALTH": "Phone",
    "COMPLIANCE": "Rounds",
    "OPERATIONAL": "Activity",
    "SAFETY": "Safety",
}
"""The words for categories, in the order of the filter."""

USED = tuple(code for code in CATEGORIES if code in CATEGORY.values())
"""Those that a type of finding has today."""

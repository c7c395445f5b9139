"""The heatmap's finding and what is drawn below it: chart, table or map."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import html

from dashboards import exports, graphs, states, theme, words
from dashboards.figures import all_sites_map, fraud_heatmap
from dashboards.heatmap import measures
from dashboards.heatmap.choices import View
from dashboards.heatmap.measures import Measure
from dashboards.marks import aria, data

ROWS = 60
"""Sites of the chart; the table and the map have them all."""

CELLS = 200
"""Cells of the table."""


def content(report: dict[str, Any], measure: Measure, view: View, scheme: theme.Scheme) -> Any:
    """What the report shows, under one sentence that says it."""
    if not report["punches"]:
        notice = states.empty(
            "No scored punches in this period",
            "Cells fill as guards punch in and out and their punches are scored.",
            mark="grid",
        )
        return html.Div(notice, className="panel")
    ranked = rank(report["sites"], measure)
    report = report | {"sites": ranked}
    if view == "map":
        body = _map(report, measure, scheme)
    elif view == "table":
        body = _table(report, measure)
    else:
        body = _chart(report, measure, scheme)
    return html.Div(
        [
            html.Div(
                [html.H2(finding(report, measure)), html.P(subtitle(report))], className="lede"
            ),
            body,
        ],
        className="page",
    )


def rank(sites: list[dict[str, Any]], measure: Measure) -> list[dict[str, Any]]:
    """The sites with most of the measure first; for scores those with most over the threshold."""

    def weight(site: dict[str, Any]) -> tuple[float, ...]:
        one = measures.whole(site)
        value = one.value(measure)
        if measure in ("max", "high"):
            return (-one.high, -(value or 0.0))
        return (-1.0 if value is None else -value - 1, -one.high)

    return sorted(sites, key=lambda site: (*weight(site), site["site_name"]))


def finding(report: dict[str, Any], measure: Measure = "max") -> str:
    """The page's title: what is shown, in one sentence."""
    return _reviewed(report) if measure == "confirmed" else _over(report)


def _over(report: dict[str, Any]) -> str:
    scored = _scored(report)
    per_site = [sum(site["high"]) for site in report["sites"]]
    total = sum(per_site)
    if not total:
        return f"No punch {scored}"
    top = max(range(len(per_site)), key=per_site.__getitem__)
    name = report["sites"][top]["site_name"]
    if len(per_site) == 1 or per_site[top] == total:
        return f"{words.count(total, 'punch', 'punches')} {scored}, at {name}"
    return f"{name} has {per_site[top]:,} of the {total:,} punches that {scored}"


def _scored(report: dict[str, Any]) -> str:
    """In words what counts as high: one threshold, or each site's own."""
    own = {site["threshold"] for site in report["sites"]}
    if len(own) > 1:
        return "reached the threshold of their site"
    return f"scored {report['threshold']:.2f} or more"


def _reviewed(report: dict[str, Any]) -> str:
    known = [measures.whole(site) for site in report["sites"]]
    reviewed, confirmed = sum(one.reviewed for one in known), sum(one.confirmed for one in known)
    if not reviewed:
        return "Nobody has reviewed a punch of this period"
    low, top = measures.share_interval(confirmed, reviewed)
    return (
        f"{confirmed:,} of {words.count(reviewed, 'reviewed punch', 'reviewed punches')} "
        f"{'was' if confirmed == 1 else 'were'} fraud ({low:.0%} to {top:.0%})"
    )


def subtitle(report: dict[str, Any]) -> str:
    """Period, how many punches, whose clock."""
    first, last = (dt.datetime.fromisoformat(report[end]) for end in ("from", "to"))
    measured = sum(any(site["count"]) for site in report["sites"])
    punches = words.count(report["punches"], "scored punch", "scored punches")
    cells = "Hours" if report["dates"] is None else "Days"
    whose = (
        f"the company’s clock ({report['zone']}, where most sites are)"
        if report["zone"]
        else "each site’s own clock"
    )
    today = "" if report["dates"] is None else " Today is not over."
    return (
        f"{first.day} {first:%b} to {last.day} {last:%b %Y}. {punches} "
        f"at {words.count(measured, 'site')}. {cells} are on {whose}.{today} "
        "Intervals hold the true share 19 times in 20."
    )


def _chart(report: dict[str, Any], measure: Measure, scheme: theme.Scheme) -> html.Div:
    there = len(report["sites"])
    shown = report | {"sites": report["sites"][:ROWS]}
    chart = fraud_heatmap.figure(shown, measure, scheme)
    more = (
        html.P(
            f"The first {ROWS} of {there} sites. The table and the map have all of them; "
            "a site chosen above is drawn alone.",
            className="muted heatmap-more",
        )
        if there > ROWS
        else None
    )
    graph = graphs.graph("heatmap-graph", chart)
    return html.Div(
        [
            _head(
                report,
                measure,
                fraud_heatmap.top(shown, measure),
                exports.chart("heatmap-graph", "fraud-heatmap"),
                few=measure == "confirmed",
            ),
            html.Div(
                graph,
                className="wide-chart",
                tabIndex=0,
                role="region",
                **aria(label="The heatmap"),
            ),
            more,
        ],
        className="panel chart-panel",
        role="group",
        **aria(label=f"{finding(report, measure)}. The table has the same cells as text."),
    )


def _map(report: dict[str, Any], measure: Measure, scheme: theme.Scheme) -> html.Div:
    chart = all_sites_map.figure(report, measure, scheme)
    values = [measures.whole(site).value(measure) for site in report["sites"]]
    return html.Div(
        [
            _head(
                report,
                measure,
                all_sites_map.top(values, measure),
                exports.chart("heatmap-map", "fraud-map"),
            ),
            graphs.graph("heatmap-map", chart, scrollZoom=True),
            html.P(
                "Colour: the measure over the whole period; area: punches; circle: the geofence, "
                "to scale. Scroll to zoom, drag to move, double-click for all. Choose a site to "
                "see its cells.",
                className="muted heatmap-more",
            ),
        ],
        className="panel chart-panel",
        role="group",
        **aria(label=f"Map of the sites. {finding(report, measure)}. The table has them as text."),
    )


def _head(
    report: dict[str, Any], measure: Measure, top: float, saved: Any, *, few: bool = False
) -> html.Div:
    tick = report["threshold"] if measure in ("max", "mean") else None
    end = "1" if measure in ("max", "mean") else measures.told(top, measure)
    legend = scale(measures.TOLD[measure], end, tick, measure, few=few)
    return html.Div([saved, legend], className="heatmap-head")


def scale(
    name: str, top: str, threshold: float | None, measure: Measure, *, few: bool = False
) -> html.Div:
    """The colours' meaning, with the threshold, the grey of what is not measured, the dots."""
    nothing = "nobody reviewed" if measure == "confirmed" else "nobody punched"
    tick = (
        html.Span(
            html.Span(f"ticket {threshold:.2f}"),
            className="scale-tick",
            style={"left": f"{threshold * 100:.1f}%"},
        )
        if threshold is not None
        else None
    )
    said = f"; a ticket opens from {threshold:.2f}" if threshold is not None else ""
    return html.Div(
        [
            html.Span(name, className="muted"),
            html.Span("0", className="num"),
            html.Span(tick, className="scale-ramp"),
            html.Span(top, className="num"),
            html.Span(className="scale-none"),
            html.Span(nothing, className="muted"),
            html.Span(className="scale-few") if few else None,
            html.Span(f"fewer than {measures.FEW} reviews", className="muted") if few else None,
        ],
        className="scale",
        role="img",
        **aria(label=f"{name} from 0 to {top}{said}; grey: {nothing}"),
    )


def _table(report: dict[str, Any], measure: Measure) -> html.Div:
    found = [
        (value, one, site, at)
        for site in report["sites"]
        for at in range(measures.width(report))
        if (value := (one := measures.cell(site, at)).value(measure)) is not None
    ]
    # Of equal values the one that more rests on.
    found.sort(key=lambda row: (-row[0], -row[1].high, -row[1].count, row[2]["site_name"], row[3]))
    head = ("Site", "When", measures.MEASURES[measure], "Punches", "Over", "Reviewed", "Fraud")
    if not found:
        notice = states.empty("Nothing is measured yet", "What nobody reviewed is not genuine.")
        return html.Div(notice, className="panel")
    shown = found[:CELLS]
    every = words.count(len(found), "cell")
    rows = [_row(report, measure, *row) for row in shown]
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(name, scope="col") for name in head])),
            html.Tbody(rows),
        ],
        className="heatmap-table",
        id="heatmap-cells",
        **aria(labelledby="heatmap-cells-name"),
    )
    title = f"The {len(shown)} highest of {every}" if len(shown) < len(found) else every
    return html.Div(
        [
            html.Header(
                [
                    html.P(title, id="heatmap-cells-name", className="muted"),
                    exports.rows("heatmap-cells", "fraud-heatmap-cells"),
                ],
                className="section-head heatmap-cells-head",
            ),
            html.Div(table, className="heatmap-table-frame"),
        ],
        className="panel",
    )


def _row(
    report: dict[str, Any],
    measure: Measure,
    value: float,
    one: measures.Cell,
    site: dict[str, Any],
    at: int,
) -> html.Tr:
    opens = html.Button(
        site["site_name"],
        className="text-btn heatmap-open",
        type="button",
        **data(cell=f"{site['site_id']}.{measures.key(report, at)}"),
        **aria(label=f"{site['site_name']}, {measures.when(report, at)}: show the punches"),
    )
    about = "; ".join(measures.sentences(one, site["threshold"]))
    few = html.Span(" few", className="muted") if measure == "confirmed" and one.few else None
    return html.Tr(
        [
            html.Th(opens, scope="row"),
            html.Td(measures.when(report, at)),
            html.Td([measures.told(value, measure), few], className="num", title=about),
            html.Td(f"{one.count:,}", className="num"),
            html.Td(f"{one.high:,}", className="num"),
            html.Td(f"{one.reviewed:,}", className="num"),
            html.Td(f"{one.confirmed:,}" if one.reviewed else "—", className="num"),
        ]
    )

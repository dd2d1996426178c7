# ruff: noqa: INP001 - a program beside the files it makes, in no package
"""Makes the Grafana dashboards of ``dashboards/`` from Python; ``make docs`` writes them, tests compare.

Rules: what is shown stands in ``panels``; every row is on exactly one dashboard.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.panels import ROWS, Panel

SOURCE = model.DataSourceRef(type_val="prometheus", uid="prometheus")
INCIDENTS = "max by (site, rule, kind, severity, owner) (tamis_incident)"


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard: its name, one sentence, the rows it shows, and whether incidents are marked on its panels."""

    title: str
    text: str
    rows: tuple[str, ...]
    incidents: bool = False


PAGES = {
    "overview": Page(
        "overview", "What comes in, what goes out and why.",
        ("Now", "Events", "Rules", "Streaming edge", "Quarantine", "Validation", "Repeats", "Processes"),
    ),
    "consent": Page("consent", "Whether consent is fresh, and what waits for it.", ("Consent", "Held events")),
    "conversions": Page(
        "conversions", "What each tagging rule accepts and denies.", ("Conversions", "Facets", "Spot checks"), True
    ),
    "crm": Page("CRM", "What each destination gets.", ("Destinations",), True),
    "detection": Page("detection", "Open incidents, and whether minutes close.", ("Detection",), True),
    "audit": Page("audit", "Whether the audit log is sealed, witnessed and anchored.", ("Audit evidence",)),
}  # fmt: skip
"""File name -> dashboard; every row is on exactly one."""


def board(name: str) -> Any:
    """One dashboard of ``PAGES``."""
    page = PAGES[name]
    made = (
        dashboard.Dashboard(f"tamis: {page.title}")
        .uid(f"tamis-{name}")
        .description(page.text)
        .tags(["tamis"])
        .editable()
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
    )
    if page.incidents:
        made = made.annotation(_Marks("Incidents", SOURCE, icon_color="red", expr=INCIDENTS))
    rows = dict(ROWS)
    for title in page.rows:
        made = made.with_row(dashboard.Row(title))
        for panel in rows[title]:
            made = made.with_panel(_panel(panel))
    built = made.build()
    for number, each in enumerate(built.panels, 1):
        each.id_val = number
    return built


def board_json(name: str) -> str:
    """The file ``dashboards/<name>.json``."""
    return json.dumps(json.loads(JSONEncoder(sort_keys=True).encode(board(name))), indent=1, sort_keys=True) + "\n"


def queries() -> list[str]:
    """All expressions of all panels."""
    return [query.expr for _, panels in ROWS for panel in panels for query in panel.queries]


class _Marks(model.AnnotationQuery):  # type: ignore[misc]  # the SDK has no types
    """Marks incidents on the panels, from opening to closing; with the texts of Prometheus, which the SDK lacks."""

    def to_json(self) -> Any:
        """As Grafana reads it."""
        return super().to_json() | {
            "titleFormat": "{{kind}}: {{site}}/{{rule}}",
            "textFormat": "{{owner}}",
            "tagKeys": "severity",
            "step": "60s",
        }

    def build(self) -> Self:
        """It is made already."""
        return self


def _panel(panel: Panel) -> Any:
    made = {"figure": _figure, "list": _list}.get(panel.kind, _lines)(panel)
    made = made.title(panel.title).description(panel.text).datasource(SOURCE)
    made = made.height(4 if panel.kind == "figure" else 8).span(panel.width)
    for number, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expr).ref_id(chr(ord("A") + number)).datasource(SOURCE)
        target = target.legend_format(query.legend or "__auto")
        made = made.with_target(target.instant().format("table") if panel.kind == "list" else target.range())
    return made


def _lines(panel: Panel) -> Any:
    made = (
        timeseries.Panel()
        .unit(panel.unit)
        .min(0)
        .line_width(1)
        .fill_opacity(40 if panel.kind == "stack" else 8)
        .show_points(kinds.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.BOTTOM)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    )
    return made.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL)) if panel.kind == "stack" else made


def _figure(panel: Panel) -> Any:
    steps = [model.Threshold(value=None, color="green")]
    if panel.limit is not None:
        steps.append(model.Threshold(value=panel.limit, color="red"))
    return (
        stat.Panel()
        .unit(panel.unit)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
    )


def _list(panel: Panel) -> Any:
    del panel
    hidden = model.DynamicConfigValue(id_val="custom.hidden", value=True)
    return table.Panel().override_by_regexp("/^(Time|Value|__name__|job)$/", [hidden])

"""Board: what all boards share: variables, links between them, marks of new versions."""

import json
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.source.panels import SOURCE
from dashboards.source.promql import of

TAG = "turnout"
EVERYTHING = VariableOption(selected=True, text="All", value="$__all")
QUANTILES = {"p50": "0.5", "p90": "0.9", "p95": "0.95", "p99": "0.99"}

Variable = Builder[VariableModel]


class Board:
    """A board under way: rows of panels, put where there is room."""

    def __init__(self, uid: str, title: str, description: str, *variables: Variable) -> None:
        self._numbers = 0
        self._board = (
            dashboard.Dashboard(title)
            .uid(uid)
            .description(description)
            .tags([TAG])
            .timezone("browser")
            .time("now-1h", "now")
            .refresh("30s")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .variables([source(), job(), namespace(), *variables])
            .link(others())
            .annotation(versions())
        )

    def row(self, title: str, *panels: Any) -> None:
        """Add a row of panels under a title."""
        self._board.with_row(dashboard.Row(title).id(self._number()))
        self.add(*panels)

    def add(self, *panels: Any) -> None:
        """Add panels, from left to right and from top to bottom."""
        for panel in panels:
            self._board.with_panel(panel.id(self._number()))

    def model(self) -> Dashboard:
        """Return the board in Grafana's model."""
        return self._board.build()

    def json(self) -> str:
        """Return the board as the text of its file."""
        return json.dumps(self.model(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def source() -> Variable:
    """Return the variable by which people choose which Prometheus is asked."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def job() -> Variable:
    """Return the variable that tells several turnouts apart, live and trial say."""
    said = "Scrape jobs whose turnouts are shown."
    return chosen("job", "Job", said, "label_values(turnout_build_info, job)")


def namespace() -> Variable:
    """Return the variable that does so on Kubernetes; elsewhere there is nothing to choose."""
    asked = 'label_values(turnout_build_info{job=~"$job"}, namespace)'
    return chosen("namespace", "Namespace", "Kubernetes namespaces, where there are any.", asked)


def route() -> Variable:
    """Return the variable of routes."""
    said = "Routes; All also counts requests that are no route's."
    return chosen("route", "Route", said, f"label_values({of('turnout_split_share')}, route)")


def variant() -> Variable:
    """Return the variable of the chosen routes' variants."""
    said = "Variants of the chosen routes."
    among = of("turnout_split_share", 'route=~"$route"')
    return chosen("variant", "Variant", said, f"label_values({among}, variant)")


def upstream() -> Variable:
    """Return the variable of upstreams."""
    asked = f"label_values({of('turnout_upstream_requests_total')}, upstream)"
    return chosen("upstream", "Upstream", "Upstreams by their configured names.", asked)


def chosen(name: str, label: str, description: str, query: str) -> Variable:
    """Return a variable of which any number may be chosen, all at first."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(SOURCE)
        .query({"qryType": 1, "query": query, "refId": "values"})
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(EVERYTHING)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def quantile() -> Variable:
    """Return the variable by which people choose the quantile of all times on a board."""
    options = [VariableOption(selected=n == "p95", text=n, value=v) for n, v in QUANTILES.items()]
    return (
        dashboard.CustomVariable("quantile")
        .label("Quantile")
        .description("Which share of requests was at most as slow.")
        .values(", ".join(f"{name} : {value}" for name, value in QUANTILES.items()))
        .options(options)
        .current(options[2])
    )


def others() -> Builder[Any]:
    """Return the links to the other boards, which keep the time and what was chosen."""
    link = dashboard.DashboardLink("turnout").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return (
        link.icon("external link")
        .tooltip("")
        .as_dropdown(as_dropdown=False)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


def versions() -> Builder[Any]:
    """Return the marks where another version of the routing came into force."""
    changed = f"max(changes({of('turnout_table_version')}[$__rate_interval]))"
    return (
        dashboard.AnnotationQuery()
        .name("New versions of the routing")
        .datasource(SOURCE)
        .enable(enable=True)
        .hide(hide=False)
        .icon_color("purple")
        .expr(f"{changed} > 0")
    )

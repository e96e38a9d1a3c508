"""Panels: how an answer of Prometheus is drawn, the same on every board.

Every panel says what it shows and what to make of it. It knows Grafana's model, and no metric.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TableCellHeight,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, YELLOW, RED = "green", "yellow", "red"
LOWEST_TOP = {"percentunit": 0.05, "s": 0.001, "reqps": 0.1, "currencyUSD": 0.01}  # of an axis
NARROWEST = 60  # pixels of a table's column

Steps = tuple[tuple[float, str], ...]  # from this value on, this colour; what is below is green
Drawn = TypeVar("Drawn", bargauge.Panel, stat.Panel, table.Panel, timeseries.Panel)


class Line(NamedTuple):
    """One query of a panel; `legend` names its lines by their labels."""

    expression: str
    legend: str


class Column(NamedTuple):
    """One column of a table: its title, its query, its unit and what to make of its values."""

    title: str
    expression: str
    unit: str
    steps: Steps = ()
    decimals: int | None = None
    shaded: bool = False  # the more, the darker: the cells of a distribution


def number(
    title: str,
    description: str,
    expression: str,
    unit: str,
    *,
    steps: Steps = (),
    fine: str = GREEN,
    span: int = 4,
    nothing: str = "no requests",
    legend: str = "",
    decimals: int | None = None,
) -> stat.Panel:
    """Return one number for all the time that is shown; where it has a legend, that instead."""
    panel = _begun(stat.Panel(), title, description, unit, nothing).span(span).height(4)
    panel.with_target(query(Line(expression, legend), 0, PromQueryFormat.TIME_SERIES, now=True))
    panel.thresholds(thresholds(steps, fine)).color_mode(BigValueColorMode.VALUE)
    panel.graph_mode(BigValueGraphMode.NONE)
    panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if legend:
        panel.text_mode(BigValueTextMode.NAME)
    return panel if decimals is None else panel.decimals(decimals)


def lines(
    title: str,
    description: str,
    unit: str,
    *series: Line,
    span: int = 12,
    nothing: str = "no requests",
    stacked: bool = False,
    bars: bool = False,
    beside: bool = False,
) -> timeseries.Panel:
    """Return lines over time; `beside`: there may be many, so their legend is a table beside."""
    panel = _begun(timeseries.Panel(), title, description, unit, nothing).span(span).height(8)
    for place, one in enumerate(series):
        panel.with_target(query(one, place, PromQueryFormat.TIME_SERIES))
    panel.color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    panel.min(0).line_width(1).show_points(VisibilityMode.NEVER).fill_opacity(0)
    panel.axis_soft_max(LOWEST_TOP.get(unit, 1))
    panel.legend(legend(beside=beside))
    panel.tooltip(
        common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    )
    if bars:
        panel.draw_style(GraphDrawStyle.BARS).fill_opacity(70)
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
        panel.fill_opacity(70 if bars else 30)
    return panel


def gauges(
    title: str, description: str, unit: str, line: Line, steps: Steps, *, span: int, nothing: str
) -> bargauge.Panel:
    """Return one bar for each of what the query finds, from 0 to 1."""
    panel = _begun(bargauge.Panel(), title, description, unit, nothing).span(span).height(8)
    panel.with_target(query(line, 0, PromQueryFormat.TIME_SERIES, now=True))
    panel.min(0).max(1).thresholds(thresholds(steps))
    panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel.orientation(VizOrientation.HORIZONTAL).display_mode(BarGaugeDisplayMode.BASIC)
    panel.name_placement(BarGaugeNamePlacement.TOP)
    return panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))


def rows(
    title: str,
    description: str,
    keys: Sequence[str],
    columns: Sequence[Column],
    *,
    height: int = 8,
    nothing: str = "no requests",
    links: dict[str, str] | None = None,
) -> table.Panel:
    """Return a table with a row for each combination of the labels `keys`; sorted by a click.

    `links` leads from a key's cells to another board.
    """
    panel = _begun(table.Panel(), title, description, "none", nothing).span(24).height(height)
    for place, column in enumerate(columns):
        line = Line(column.expression, column.title)
        panel.with_target(query(line, place, PromQueryFormat.TABLE, now=True))
        panel.override_by_name(column.title, _cells(column))
    for key, url in (links or {}).items():
        link = {"title": "Side by side", "url": url}
        panel.override_by_name(key.capitalize(), [DynamicConfigValue("links", [link])])
    panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(
        DataTransformerConfig(id_val="organize", options=_order(keys, columns))
    )
    panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel.thresholds(thresholds(())).filterable(filterable=True)
    panel.sort_by([_ascending(key) for key in keys])
    return panel.cell_height(TableCellHeight.SM).min_width(NARROWEST)


def query(
    line: Line, place: int, form: PromQueryFormat, *, now: bool = False
) -> prometheus.Dataquery:
    """Return a panel's query number `place`; `now`: at the end of the time shown, and once."""
    asked = prometheus.Dataquery().expr(line.expression).datasource(SOURCE).ref_id(ref(place))
    asked.format(form)
    if line.legend:
        asked.legend_format(line.legend)
    return asked.instant() if now else asked.range()


def ref(place: int) -> str:
    """Return the name of a panel's query number `place`."""
    return chr(ord("A") + place)


def thresholds(steps: Steps, fine: str = GREEN) -> ThresholdsConfig:
    """Return colours by value, `fine` below the first step."""
    marks = [Threshold(value=None, color=fine), *(Threshold(value, name) for value, name in steps)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(marks)


def legend(*, beside: bool) -> common.VizLegendOptions:
    """Return a legend: a line below, or a table of last and largest values beside."""
    shown = common.VizLegendOptions().show_legend(show_legend=True)
    if not beside:
        return (
            shown.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).calcs([])
        )
    shown.display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.RIGHT)
    return shown.calcs(["lastNotNull", "max"]).sort_by("Last *").sort_desc(sort_desc=True)


def _begun(panel: Drawn, title: str, description: str, unit: str, nothing: str) -> Drawn:
    panel.title(title).description(description).datasource(SOURCE).unit(unit)
    return panel.no_value(nothing)


def _ascending(key: str) -> common.TableSortByFieldState:
    return common.TableSortByFieldState().display_name(key.capitalize()).desc(desc=False)


def _cells(column: Column) -> list[DynamicConfigValue]:
    """Return how the cells of a column look."""
    values: list[DynamicConfigValue] = [DynamicConfigValue("unit", column.unit)]
    if column.decimals is not None:
        values.append(DynamicConfigValue("decimals", column.decimals))
    if column.steps:
        values.append(DynamicConfigValue("thresholds", thresholds(column.steps).build()))
        values.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    if column.shaded:
        shade: dict[str, Any] = {"type": "color-background", "mode": "basic"}
        values.append(DynamicConfigValue("custom.cellOptions", shade))
        values.append(DynamicConfigValue("color", {"mode": "continuous-blues"}))
        values += [DynamicConfigValue("min", 0), DynamicConfigValue("max", 1)]
    return values


def _order(keys: Sequence[str], columns: Sequence[Column]) -> dict[str, Any]:
    """Return how the merged answers become columns: in order, named, without their time."""
    values = {f"Value #{ref(place)}": column.title for place, column in enumerate(columns)}
    names = {key: key.capitalize() for key in keys} | values
    return {
        "excludeByName": {"Time": True},
        "indexByName": {name: place for place, name in enumerate(names)},
        "renameByName": names,
    }

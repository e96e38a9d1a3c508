"""The comparison, drawn for a terminal: one table for each candidate."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from proxy.cli.comparing.wording import (
    LEGEND,
    counted,
    difference,
    found_out,
    interval,
    label,
    lacking,
    shown,
    value,
)
from proxy.cli.drawing.console import clean
from proxy.cli.drawing.moments import local
from proxy.controlplane.admin.comparing.models import Against, Comparison, Side

STYLES = {
    "worse": "bold red",
    "better": "green",
    "different": "cyan",
    "too_little": "dim",
}


def table(found: Comparison) -> Iterator[RenderableType]:
    """Draw a comparison."""
    window = f"  {local(found.since)} to {local(found.until)}"
    yield Text.assemble((clean(found.route), "bold"), (window, "dim"))
    for against in found.candidates:
        yield Text("")
        yield counts(found.baseline, against.side)
        yield Text("")
        nothing = Text("There is nothing to compare: no request of either is on record.", "dim")
        yield rows(found.baseline, against) if shown(against.rows) else nothing
        for lack in lacking(against.rows):
            yield Text(clean(lack), "dim")
    yield Text("")
    for note in found.notes:
        yield Text(f"! {clean(note)}", "yellow")
    yield Text(LEGEND, "dim")


def counts(*sides: Side) -> Table:
    """Draw what there is of each variant; what none has is left out."""
    grid = _grid("", *(side.variant for side in sides))
    said = [dict(counted(side)) for side in sides]
    for name in dict.fromkeys(name for each in said for name in each):
        grid.add_row(name, *(each.get(name, "0") for each in said))
    return grid


def rows(baseline: Side, against: Against) -> Table:
    """Draw the metrics; what neither variant has is left out."""
    grid = _grid("", baseline.variant, against.side.variant, "difference", "95 % interval", "")
    for row in shown(against.rows):
        style = STYLES.get(row.finding, "")
        grid.add_row(
            label(row),
            value(row, row.baseline),
            Text(value(row, row.candidate), style if row.finding == "worse" else ""),
            Text(difference(row), style),
            Text(interval(row), style),
            Text(found_out(row), style),
        )
    return grid


def _grid(*heads: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    for place, _ in enumerate(heads):
        grid.add_column(justify="right" if 0 < place < 5 else "left", overflow="fold")
    grid.add_row(*(Text(clean(head), "bold") for head in heads))
    return grid

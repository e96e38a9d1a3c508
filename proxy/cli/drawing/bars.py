"""Bars: a route's split as it works, each variant's share as long as it is large.

What has any share has a visible one; what has none has no bar. A terminal that is not UTF-8 gets
plain characters.
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from proxy.cli.drawing.console import clean
from proxy.controlplane.admin import models
from proxy.routing.explain import percent

WIDEST = 40  # columns of a whole share
NARROWEST = 6
EIGHTHS = " ▏▎▍▌▋▊▉"
FULL = "█"
PLAIN = "#"


class Bar:
    """A share of 0 to 1 as a bar; it takes the room that there is, up to WIDEST columns."""

    def __init__(self, share: float, style: str) -> None:
        self.share = share
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        width = min(options.max_width, WIDEST)
        drawn = bar(self.share, width, plain=options.ascii_only)
        yield Segment(drawn.ljust(width), console.get_style(self.style))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return how narrow and how wide it may be."""
        return Measurement(NARROWEST, WIDEST)


def bar(share: float, width: int, *, plain: bool = False) -> str:
    """Return the bar of a share in `width` columns; a share above 0 has one, however small."""
    if plain:
        return PLAIN * max(round(share * width), 1 if share > 0 else 0)
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    whole, rest = divmod(eighths, 8)
    return FULL * whole + (EIGHTHS[rest] if rest else "")


def split(route: models.RouteState) -> Iterator[RenderableType]:
    """Draw a route: its name, a bar for each variant, and what else holds for it."""
    yield Text.assemble((clean(route.name), "bold"), f"  sticky: {route.sticky}")
    rows = Table.grid(padding=(0, 1), collapse_padding=True)
    rows.add_column()
    rows.add_column(overflow="fold")
    rows.add_column(justify="right", no_wrap=True)
    rows.add_column()
    rows.add_column(overflow="fold", style="dim")
    for variant in route.variants:
        style = "cyan" if variant.baseline else "green"
        name = Text(clean(variant.name), "dim" if variant.off else "")
        share = Text(percent(variant.share), "dim" if variant.share == 0 else "bold")
        rows.add_row(" ", name, share, Bar(variant.share, style), served(variant))
    yield rows
    more = "  ".join(besides(route))
    if more:
        yield Text(f"  {clean(more)}", "dim")


def served(variant: models.VariantState) -> str:
    """Return who serves a variant, or that it is off."""
    by = variant.upstream if variant.model is None else f"{variant.upstream} {variant.model}"
    return clean(f"off, keeps weight {variant.weight:g}  {by}" if variant.off else by)


def besides(route: models.RouteState) -> Iterator[str]:
    """Yield what else holds for a route."""
    if route.fallback:
        yield f"fallback: {', '.join(route.fallback)}"
    if route.pins:
        yield f"pins: {route.pins}"
    if route.shadow is not None:
        some = percent(route.shadow.percent / 100)
        yield f"shadow: '{route.shadow.variant}' gets {some} as well"

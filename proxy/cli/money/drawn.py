"""Money, drawn: sums, the most costly first, and how much of each budget is left."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from proxy.cli.drawing.console import clean
from proxy.controlplane.admin import models

CENTS = 100.0  # US dollars from which on cents are enough
NEAR = 0.8  # of a budget: from there on it is told


def costs(found: models.Costs) -> Iterator[RenderableType]:
    """Draw what was spent."""
    if not found.spending:
        yield Text(f"Nothing was spent since {found.since}, as far as it is on record.", "dim")
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    for _ in range(4):
        grid.add_column(justify="right")
    heads = (found.by, "requests", "unknown", "USD", "of it shadows")
    grid.add_row(*(Text(head, "dim") for head in heads))
    for each in found.spending:
        grid.add_row(*row(name(each, found.by), each))
    grid.add_row(*row(Text("all", "bold"), found.total))
    yield grid
    if found.total.unpriced:
        yield Text(
            f"The cost of {found.total.unpriced} of {found.total.requests} requests is unknown, "
            "without a price or a count: give their variants `prices`.",
            "yellow",
        )


def row(what: Text, each: models.Spending) -> tuple[Text, ...]:
    """Return the columns of one line."""
    unknown = Text(str(each.unpriced), "yellow" if each.unpriced else "dim")
    shadows = Text(dollars(each.shadow_usd) if each.shadow_usd else "-", "dim")
    usd = dollars(each.cost_usd or (None if each.unpriced else 0.0))  # unknown is never zero
    return what, Text(str(each.requests)), unknown, Text(usd, "bold"), shadows


def name(each: models.Spending, by: str) -> Text:
    """Return what a line is of."""
    if by == "day":
        return Text(str(each.day))
    if by == "key":
        return Text(clean(each.key or "no key"))
    route = each.route or "passed through"
    return Text(clean(f"{route}/{each.variant}" if each.variant else route))


def dollars(usd: float | None) -> str:
    """Return an amount with as many places as it takes to see it; unknown is a question mark."""
    if usd is None:
        return "?"
    if usd == 0 or usd >= CENTS:
        return f"{usd:,.2f}"
    return f"{usd:.4f}" if usd >= 1 else f"{usd:.6f}"


def budgets(found: list[models.BudgetState]) -> Iterator[RenderableType]:
    """Draw the budgets; nothing where there are none."""
    if not found:
        return
    grid = Table.grid(padding=(0, 2))
    for head in found:
        grid.add_row(*budget(head))
    yield Text("\nbudgets", "dim")
    yield grid


def budget(each: models.BudgetState) -> tuple[Text, ...]:
    """Return the columns of one budget."""
    used = each.spent_usd / each.usd
    style = "bold red" if each.stopped or used >= 1 else "yellow" if used >= NEAR else "green"
    spent = f"{dollars(each.spent_usd)} of {each.usd:g} USD a {each.per} ({used:.0%})"
    until = f"refused until {each.ends:%m-%d %H:%M} UTC" if each.stopped else ""
    return Text(clean(f"{each.scope} {each.name}")), Text(spent, style), Text(until, "bold red")

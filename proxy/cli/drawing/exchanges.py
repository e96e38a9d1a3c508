"""Exchanges on record, drawn: a line each, the newest last, as one reads a log."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from proxy.cli.drawing.console import clean
from proxy.cli.money.drawn import dollars
from proxy.controlplane.admin import models

HEADS = (
    *("when", "request", "route", "variant", "outcome", "took", "first"),
    *("tokens", "USD", "marks"),
)
WIDTHS = (14, 36, 8, 6, 13, 6, 6, 7, 8, 5)  # at least, so that a followed log stands in columns
STYLES = {"completed": "green", "client_gone": "yellow", "rejected": "yellow"}


def lines(page: models.ExchangeRecords) -> Iterator[RenderableType]:
    """Draw a page."""
    if not page.exchanges:
        yield Text("No such requests are on record.", "dim")
        return
    yield table(page.exchanges[::-1], heads=True)
    if page.before is not None:
        yield Text(f"There are more: turnout logs --before {page.before}", "dim")


def table(exchanges: Sequence[models.ExchangeRecord], *, heads: bool) -> Table:
    """Draw exchanges, a line each."""
    grid = Table.grid(padding=(0, 1))
    for width in WIDTHS:
        grid.add_column(min_width=width, overflow="fold")
    if heads:
        grid.add_row(*(Text(head, "dim") for head in HEADS))
    for each in exchanges:
        grid.add_row(*row(each))
    return grid


def row(each: models.ExchangeRecord) -> tuple[str | Text, ...]:
    """Return the columns of one exchange."""
    return (
        f"{each.started_at.astimezone():%m-%d %H:%M:%S}",
        clean(each.request_id),
        clean(each.route or "-"),
        variant(each),
        outcome(each),
        took(each.latency_ms),
        took(each.ttft_ms),
        "-" if each.tokens_source == "none" else tokens(each, "+"),
        "-" if each.cost_usd is None else dollars(each.cost_usd),
        Text(clean(" ".join(marks(each))), "bold red" if each.alerts else "dim"),
    )


def variant(each: models.ExchangeRecord) -> str:
    """Return the variant; after a fallback, both."""
    assigned, served = each.variant_assigned or "-", each.variant_served
    return clean(assigned if served in (None, assigned) else f"{assigned} > {served}")


def outcome(each: models.ExchangeRecord) -> Text:
    """Return how it ended, and what went wrong."""
    said = each.error_code or each.outcome
    status = "" if each.status is None else f"{each.status} "
    return Text(f"{status}{said}", STYLES.get(each.outcome, "bold red"))


def marks(each: models.ExchangeRecord) -> Iterator[str]:
    """Yield what sets it apart from others."""
    yield from (f"!{name}" for name in each.alerts)
    said = {"forced": each.forced, "pinned": each.pinned, "shadow": each.shadow_of is not None}
    yield from (name for name, so in said.items() if so)


def took(milliseconds: float | None) -> str:
    """Return a time, in the unit that people would take."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.3g} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s"


def tokens(each: models.ExchangeRecord, between: str) -> str:
    """Return the prompt's and the reply's tokens; what is unknown is a question mark."""
    counts = (each.prompt_tokens, each.response_tokens)
    return between.join("?" if count is None else str(count) for count in counts)

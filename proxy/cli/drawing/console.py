"""The terminal: how wide it is, whether it has colours, and what may be written to it."""

import os
import sys
from collections.abc import Iterable, Iterator

import click
import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

Row = tuple[str | Text, ...]

WIDE = 10_000  # columns, where what is printed goes to no terminal: nothing is folded


def console(*, folded: bool = True) -> Console:
    """Return a console on stdout; colours only on a terminal, and not where NO_COLOR is set."""
    width = None if folded and (sys.stdout.isatty() or os.environ.get("COLUMNS")) else WIDE
    return Console(width=width, highlight=False, markup=False, emoji=False)


def put(drawn: Iterable[RenderableType], *, folded: bool = True) -> None:
    """Print what was drawn, without the blanks that fill lines up.

    Not `folded`: a line stays one line, however narrow the terminal, and loses nothing.
    """
    out = console(folded=folded)
    with out.capture() as captured:
        for each in drawn:
            out.print(each)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=True)


def put_json(body: bytes) -> None:
    """Print JSON for programs, laid out."""
    click.echo(msgspec.json.format(body).decode())


def clean(text: str) -> str:
    """Return a text as a terminal can take it: nothing in it moves the cursor."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def by(source: str, who: str) -> str:
    """Return where a version came from and who made it; a file is its own author."""
    return source if source == who else f"{source} by {clean(who)}"


def table(heads: Row, rows: list[Row]) -> Iterator[RenderableType]:
    """Draw a table after an empty line; nothing where it has no rows."""
    if not rows:
        return
    grid = Table.grid(padding=(0, 2))
    for _ in heads:
        grid.add_column(overflow="fold")
    grid.add_row(*(Text(str(head), "dim") for head in heads))
    for row in rows:
        grid.add_row(*row)
    yield Text()
    yield grid
